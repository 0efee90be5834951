"""What the service counts, as Prometheus reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)

from multimodal_sentiment.posts.problems import read_problems

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_POSTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Metrics:
    """Counters of one service, in a registry of their own. None holds anything of a post."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        PlatformCollector(registry=registry)
        self._requests = Counter(
            "sentiment_requests", "Requests answered or refused", ["path", "status"],
            registry=registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "sentiment_request_seconds", "Seconds from a request's headers to its answer", ["path"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._answers = Counter(
            "sentiment_answers", "Posts answered, by label", ["predicted"], registry=registry
        )
        self._confidence = Histogram(
            "sentiment_confidence", "Confidence of answers",
            buckets=[tenth / 10 for tenth in range(1, 11)], registry=registry,
        )  # fmt: skip
        self._problems = Counter(
            "sentiment_problems", "Problems of posts answered, by code", ["code"], registry=registry
        )
        self._batches = Histogram(
            "sentiment_batch_posts", "Posts that the model was given at once", buckets=_POSTS,
            registry=registry,
        )  # fmt: skip
        self._batch_seconds = Histogram(
            "sentiment_batch_seconds", "Seconds that the model took for a batch", buckets=_SECONDS,
            registry=registry,
        )  # fmt: skip
        self._loads = Counter(
            "sentiment_model_loads", "Models loaded, or not", ["outcome"], registry=registry
        )
        self._model = Gauge(
            "sentiment_model_info", "The model that answers", ["version"], registry=registry
        )

    def watch_queue(self, length: Callable[[], float]) -> None:
        """Have the length of the queue read when it is asked for."""
        queue = Gauge("sentiment_queue_posts", "Posts not answered yet", registry=self._registry)
        queue.set_function(length)

    def count_request(self, path: str, status: int, seconds: float) -> None:
        """Count a request."""
        self._requests.labels(path, str(status)).inc()
        self._seconds.labels(path).observe(seconds)

    def count_batch(self, rows: Iterable[Mapping[str, Any]], posts: int, seconds: float) -> None:
        """Count a batch's answers, with problems as codes."""
        self._batches.observe(posts)
        self._batch_seconds.observe(seconds)
        for row in rows:
            self._answers.labels(row["predicted"]).inc()
            self._confidence.observe(row["confidence"])
            for each in read_problems(row["problems"]):
                self._problems.labels(each.code).inc()

    def count_load(self, version: str | None) -> None:
        """Count a model that answers from now on."""
        self._loads.labels("taken_up").inc()
        self._model.clear()
        self._model.labels(version or "").set(1)

    def count_failed_load(self) -> None:
        """Count a model that cannot be loaded."""
        self._loads.labels("failed").inc()

    def exposition(self) -> bytes:
        """Return all of it in Prometheus' text format."""
        return generate_latest(self._registry)

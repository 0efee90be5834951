"""Posts of many requests, answered together.

Images are decoded by a few threads, and one thread asks the model: while it computes, the posts
that come meanwhile make the next batch. So a post that comes alone is answered at once, and under
load the model sees batches as large as those of `predict`.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from fastapi import HTTPException

from multimodal_sentiment.classifier.given_posts import Post
from multimodal_sentiment.classifier.predictor import Classifier
from multimodal_sentiment.cluster import divide

from .bodies import GivenPost
from .limits import Limits
from .metrics import Metrics

logger = logging.getLogger(__name__)

Row = dict[Any, Any]  # as pandas types them; the keys are the names of `predict`'s columns

# Decoding a larger image takes so much memory and time that one thread does these, one by one:
# others need not wait for them.
_LARGE_MEGAPIXELS = 8

# An explanation asks the model for some hundred parts of a post; in the queue it counts as so many.
_POSTS_OF_AN_EXPLANATION = 64


@dataclass(frozen=True)
class _Job:
    """Posts of one request, which one model answers.

    Attributes:
        classifier: The model that answered when the request came.
        posts: The posts, decoded.
        explain: Whether they are explained, too.
        done: The future that gets their rows, or the error.
    """

    classifier: Classifier
    posts: list[Post]
    explain: bool
    done: asyncio.Future[list[Row]]

    def goes_with(self, other: _Job) -> bool:
        """Return whether the model may be given both at once."""
        return self.classifier is other.classifier and not (self.explain or other.explain)


class Batcher:
    """Answers posts in batches, and refuses more than it can hold."""

    def __init__(self, limits: Limits, metrics: Metrics) -> None:
        self._limits, self._metrics = limits, metrics
        self._waiting = 0  # posts admitted and not answered
        self._decoding = 0  # those of them that are not ready for the model
        self._last_batch = 0
        self._ready: deque[_Job] = deque()
        self._changed = threading.Condition()
        self._stopped = False
        self._decoders = ThreadPoolExecutor(limits.decoders, "decoder")
        self._large_decoder = ThreadPoolExecutor(1, "large-decoder")
        self._thread = threading.Thread(target=self._run, name="model", daemon=True)
        self._thread.start()
        metrics.watch_queue(lambda: self._waiting)

    @property
    def is_alive(self) -> bool:
        """Whether the model's thread runs."""
        return self._thread.is_alive()

    async def answer(
        self, classifier: Classifier, posts: list[GivenPost], *, explain: bool = False
    ) -> list[Row]:
        """Return a row for each post, with its problems as codes; all are of the one model.

        Args:
            classifier: The model.
            posts: The posts.
            explain: Whether rows also hold `explanation`.

        Raises:
            HTTPException: If the queue is full (429), or the answer takes too long (503).
        """
        explanation = min(_POSTS_OF_AN_EXPLANATION, self._limits.max_queue)
        with self._admitted(explanation if explain else len(posts)):
            try:
                async with asyncio.timeout(self._limits.timeout):
                    prepared = await self._prepare(classifier, posts)
                    return await self._enqueue(classifier, prepared, explain)
            except TimeoutError:
                advice = (
                    "ask later, or for the answer alone"
                    if explain
                    else "send fewer posts, or later"
                )
                raise HTTPException(
                    503,
                    f"no answer within {self._limits.timeout:g} s: {advice}",
                    {"Retry-After": "5"},
                ) from None

    def stop(self) -> None:
        """Answer what is ready, and end the threads."""
        with self._changed:
            self._stopped = True
            self._changed.notify()
        self._thread.join()
        self._decoders.shutdown(cancel_futures=True)
        self._large_decoder.shutdown(cancel_futures=True)

    @contextmanager
    def _admitted(self, posts: int) -> Iterator[None]:
        if self._waiting + posts > self._limits.max_queue:
            raise HTTPException(
                429,
                f"{self._waiting} posts are waiting, of at most {self._limits.max_queue}: send "
                "these later",
                {"Retry-After": "1"},
            )
        self._waiting += posts
        try:
            yield
        finally:
            self._waiting -= posts

    async def _prepare(self, classifier: Classifier, posts: list[GivenPost]) -> list[Post]:
        """Decode posts, a few of one request at a time, so that others get their turn."""
        loop = asyncio.get_running_loop()
        turns = asyncio.Semaphore(self._limits.decoders)

        async def prepare(post: GivenPost) -> Post:
            async with turns:
                pool: Executor = self._decoders
                if post.decoded_megapixels > _LARGE_MEGAPIXELS:
                    pool = self._large_decoder
                return await loop.run_in_executor(pool, classifier.prepare, post.text, post.image)

        self._decoding += len(posts)
        try:
            return list(await asyncio.gather(*map(prepare, posts)))
        finally:
            self._decoding -= len(posts)

    async def _enqueue(self, classifier: Classifier, posts: list[Post], explain: bool) -> list[Row]:
        job = _Job(classifier, posts, explain, asyncio.get_running_loop().create_future())
        with self._changed:
            self._ready.append(job)
            self._changed.notify()
        return await job.done

    def _run(self) -> None:
        while jobs := self._take():
            self._answer_or_fail(jobs)
            del jobs  # a model that has been replaced may go

    def _answer_or_fail(self, jobs: list[_Job]) -> None:
        """Answer jobs; where that fails each alone, as what one breaks, others need not."""
        try:
            self._answer(jobs)
        except Exception as error:
            if len(jobs) == 1:
                _deliver(jobs[0], error)
                return
            for job in jobs:
                self._answer_or_fail([job])

    def _take(self) -> list[_Job]:
        """Wait for jobs, and return as many of one model as make a batch; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._ready or self._stopped)
            self._wait_for_more()
            jobs: list[_Job] = []
            posts = 0
            while self._ready:
                job = self._ready[0]
                posts += len(job.posts)
                full = posts > self._limits.max_batch
                if jobs and (full or not job.goes_with(jobs[0])):
                    break
                jobs.append(self._ready.popleft())
            self._last_batch = sum(len(job.posts) for job in jobs)
            return jobs

    def _wait_for_more(self) -> None:
        """Wait a moment for posts that are being decoded, or are likely to come.

        Clients that were answered together ask again together: half of them are waited for.
        """
        end = time.monotonic() + self._limits.batch_wait
        while not self._stopped and (left := end - time.monotonic()) > 0:
            ready = sum(len(job.posts) for job in self._ready)
            likely = self._decoding or ready < self._last_batch // 2
            if ready >= self._limits.max_batch or not likely:
                return
            self._changed.wait(left)

    def _answer(self, jobs: list[_Job]) -> None:
        jobs = [job for job in jobs if not job.done.cancelled()]  # their time was up
        posts = [post for job in jobs for post in job.posts]
        if not posts:
            return
        classifier = jobs[0].classifier
        rows: list[Row] = []
        for batch in divide(posts, self._limits.max_batch):  # one request may be longer
            began = time.perf_counter()
            answers: list[Row] = classifier.answer(batch, "codes").to_dict("records")
            if jobs[0].explain:
                for row, post in zip(answers, batch, strict=True):
                    row["explanation"] = classifier.explain_prepared(post, row).to_dict()
            self._metrics.count_batch(answers, len(batch), time.perf_counter() - began)
            rows += answers
        left = iter(rows)
        for job in jobs:
            _deliver(job, [next(left) for _ in job.posts])


def _deliver(job: _Job, outcome: list[Row] | Exception) -> None:
    """Hand the outcome to the event loop, whose futures only it may touch."""

    def settle() -> None:
        if job.done.done():
            return
        if isinstance(outcome, Exception):
            job.done.set_exception(outcome)
        else:
            job.done.set_result(outcome)

    _call_soon(job.done.get_loop(), settle)


def _call_soon(loop: asyncio.AbstractEventLoop, function: Callable[[], None]) -> None:
    try:
        loop.call_soon_threadsafe(function)
    except RuntimeError:  # the loop has ended, and nobody waits any more
        logger.debug("an answer came after the end")

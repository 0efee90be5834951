"""A small model behind a server on loopback, in this process."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from multimodal_sentiment.classifier.predictor import Classifier
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.service.limits import Limits
from multimodal_sentiment.service.server import Address, Server

from ..pictures import encoded, patches

LABELS = ["bad", "good"]
OLDER, NEWER = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"
BOUNDARY = "a-boundary"


def photo(seed: int = 0, kind: str = "JPEG", size: tuple[int, int] = (200, 120)) -> bytes:
    return encoded(patches(seed, *size), kind)


def form(**parts: str | bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of a form; bytes are files."""
    body = b""
    for name, value in parts.items():
        file = '; filename="a"' if isinstance(value, bytes) else ""
        content = value if isinstance(value, bytes) else value.encode()
        disposition = f'Content-Disposition: form-data; name="{name}"{file}'
        body += f"--{BOUNDARY}\r\n{disposition}\r\n\r\n".encode() + content + b"\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return headers, body + f"--{BOUNDARY}--\r\n".encode()


def posts(*given: tuple[str | None, bytes | None]) -> tuple[dict[str, str], bytes]:
    """Headers and body of posts in JSON."""
    written = [
        {"text": text, "image": image and base64.b64encode(image).decode()} for text, image in given
    ]
    return {"Content-Type": "application/json"}, json.dumps({"posts": written}).encode()


class Client:
    """Asks a server."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.port = urlsplit(url).port

    def ask(
        self, method: str, path: str, headers: dict[str, str] | None = None, body: Any = None
    ) -> tuple[int, Any, dict[str, str]]:
        """Status, content (from JSON, if it is), and headers in lower case."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            content: Any = answer.read()
            given = {name.lower(): value for name, value in answer.getheaders()}
            if given.get("content-type") == "application/json":
                content = json.loads(content)
            return answer.status, content, given
        finally:
            connection.close()

    def predict(self, given: tuple[dict[str, str], bytes], query: str = "") -> tuple[int, Any]:
        status, content, _ = self.ask("POST", f"/predict{query}", *given)
        return status, content

    def wait_for_queue(self, posts: int) -> None:
        """Wait until so many posts are asked and not answered."""
        end = time.monotonic() + 20
        while f"sentiment_queue_posts {posts}.0".encode() not in self.ask("GET", "/metrics")[1]:
            assert time.monotonic() < end
            time.sleep(0.01)


@contextmanager
def running(
    model: Path, token: str | None = None, names: Sequence[str] = (), **limits: Any
) -> Iterator[Client]:
    address = Address("127.0.0.1", 0, names, token)
    server = Server(model, "cpu", "fp32", address, Limits(**limits), 0.6)
    thread = threading.Thread(target=server.run)
    thread.start()
    client = Client(server.url)
    try:
        while client.ask("GET", "/ready")[0] != 200:
            assert thread.is_alive()
            time.sleep(0.02)
        yield client
    finally:
        server.stop()
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def make_model(tiny) -> Callable[[float], SentimentClassifier]:
    """A small model; another temperature, another confidence."""

    parameters = tiny()

    def make(temperature: float) -> SentimentClassifier:
        texts = ["a lovely day at the sea", "rain again", "who knows"]
        model, tokenizer = build_model(parameters.model, LABELS, texts, {})
        model.config.calibration_temperature = temperature
        bounds = parameters.preparation.model_dump(exclude={"storage"})
        model.config.training = {"pictures": bounds}
        profile = {"posts": {"cp1252": 90}, "expected": {"cp1252": 90.0}}
        return SentimentClassifier(model, tokenizer, profile)

    return make


@pytest.fixture(scope="session")
def model(make_model, tmp_path_factory) -> Path:
    """The folder of a model's versions; there is one."""
    return write_version(tmp_path_factory.mktemp("models") / "fusion_model", OLDER, make_model(1.5))


@pytest.fixture(scope="session")
def client(model) -> Iterator[Client]:
    with running(model, max_posts=4, max_queue=256, max_megabytes=1, max_megapixels=4) as client:
        yield client


@pytest.fixture
def gate(monkeypatch) -> threading.Event:
    """Until it is set, the model does not answer."""
    gate, answer = threading.Event(), Classifier.answer

    def wait(self, given, problems):
        assert gate.wait(20)
        return answer(self, given, problems)

    monkeypatch.setattr(Classifier, "answer", wait)
    return gate


def write_version(folder: Path, version: str, model: SentimentClassifier) -> Path:
    """Write a version of a model, whole at once, as runs do."""
    partial = folder.parent / f"{version}.partial"
    partial.mkdir(parents=True)
    model.save_pretrained(partial)
    (folder / version).mkdir(parents=True)
    partial.rename(folder / version / folder.name)
    return folder

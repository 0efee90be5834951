"""A hub on loopback, which can misbehave."""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
import pytest
from safetensors.numpy import save

from multimodal_sentiment.encoders import EncoderStore

COMMIT = "0123456789abcdef0123456789abcdef01234567"
REPOSITORY = "lab/tiny"


class Hub(ThreadingHTTPServer):
    """Serves one repository as the hub does; what it does wrong is set by the test.

    Attributes:
        files: What the repository holds, by name.
        listed: Changes to what the listing says of a file, by name.
        served: What is sent in place of a file, by name.
        answers: Error status (and headers) by part of the path.
        breaks: After how many bytes of an answer the connection is cut, for each next answer.
        silence: Seconds for which a connection that is to be cut first stays open and says nothing.
        redirects: Whether weights are sent from another place, as the real hub does.
        chunk: Bytes that are sent at a time.
        pause: Seconds between them.
        commit: What it calls its revision.
        card: What its card says of the repository.
        seen: The requests: method and path, and where a range begins.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.listed: dict[str, dict[str, Any]] = {}
        self.served: dict[str, bytes] = {}
        self.answers: dict[str, tuple[int, dict[str, str]]] = {}
        self.breaks: list[int] = []
        self.silence = 0.0
        self.redirects = False
        self.commit: str | None = COMMIT
        self.card: dict[str, Any] = {}
        self.chunk, self.pause = 1 << 20, 0.0
        self.seen: list[tuple[str, int]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    def listing(self) -> dict[str, Any]:
        siblings = []
        for name, content in self.files.items():
            sha1, sha256 = digests(content)
            about = {"rfilename": name, "size": len(content), "blobId": sha1}
            if name.endswith((".safetensors", ".bin")):
                about["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 134}
            siblings.append(about | self.listed.get(name, {}))
        about = {"id": REPOSITORY, "modelId": REPOSITORY, "sha": self.commit}
        return about | {"siblings": siblings, "cardData": self.card}

    def asked(self, name: str) -> list[int]:
        """Where each request for a file began."""
        return [start for path, start in self.seen if path.endswith(f"/{name}")]


@lru_cache(maxsize=8)  # of the weights, for many tests
def digests(content: bytes) -> tuple[str, str]:
    """The SHA-1 of git's blob, and the SHA-256."""
    blob = b"blob %d\0" % len(content) + content
    sha1 = hashlib.sha1(blob, usedforsecurity=False).hexdigest()
    return sha1, hashlib.sha256(content).hexdigest()


class _Handler(BaseHTTPRequestHandler):
    server: Hub
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        found = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(found[1]) if found else 0
        self.server.seen.append((path, start))
        for part, (status, headers) in self.server.answers.items():
            if part in path:
                return self._send(status, b"{}", headers)
        if re.fullmatch(rf"/api/models/{REPOSITORY}(/revision/(main|v1|{COMMIT}))?", path):
            body = json.dumps(self.server.listing()).encode()
            return self._send(200, body, {"Content-Type": "application/json"})
        name = path.removeprefix("/elsewhere/")
        if name == path:
            name = path.removeprefix(f"/{REPOSITORY}/resolve/{COMMIT}/")
            if self.server.redirects and name.endswith(".safetensors"):
                return self._send(302, b"", {"Location": f"/elsewhere/{name}?signature=x"})
        content = self.server.served.get(name, self.server.files.get(name))
        if content is None:
            code = "RepoNotFound" if path.startswith("/api") else "EntryNotFound"
            return self._send(404, b"{}", {"X-Error-Code": code})
        if start >= len(content) > 0:
            return self._send(416, b"", {})
        self._send(206 if start else 200, content[start:], {}, len(content), start)

    def _send(
        self,
        status: int,
        body: bytes,
        headers: dict[str, str],
        total: int | None = None,
        start: int = 0,
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        if status == 206:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        most = self.server.breaks.pop(0) if total and self.server.breaks else len(body)
        try:
            for at in range(0, min(most, len(body)), self.server.chunk):
                self.wfile.write(body[at : min(at + self.server.chunk, most)])
                time.sleep(self.server.pause)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
        if most < len(body):
            time.sleep(self.server.silence)
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="session")
def weights() -> bytes:
    """A file of weights, of 25 MB."""
    drawn = np.random.default_rng(0).integers(0, 256, 25_000_000, dtype=np.uint8)
    return save({"weights": drawn})


@pytest.fixture
def hub(weights: bytes) -> Iterator[Hub]:
    """A hub with a whole encoder: small texts, and weights."""
    server = Hub()
    server.files = {
        "config.json": b'{"model_type": "bert"}',
        "vocab.txt": b"[PAD]\n[UNK]\n",
        "README.md": b"# tiny",
        "pytorch_model.bin": b"a pickle",
        "onnx/model.onnx": b"another form",
        "model.safetensors": weights,
    }
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def store(tmp_path: Path) -> EncoderStore:
    """An empty store, beside an empty project."""
    (tmp_path / "project").mkdir()
    return EncoderStore(tmp_path / "store", tmp_path / "project")


@pytest.fixture
def refusal(store: EncoderStore, hub: Hub) -> Callable[..., str]:
    """The line that says why an encoder cannot be fetched; that nothing then counts as one."""

    def fetch(name: str = REPOSITORY, endpoint: str | None = None) -> str:
        from multimodal_sentiment.encoders import EncoderError

        with pytest.raises(EncoderError) as caught:
            store.fetch(name, endpoint or hub.url)
        with pytest.raises(EncoderError):
            store.find(name)
        assert "\n" not in str(caught.value)
        return str(caught.value).replace(hub.url, "HUB")

    return fetch

"""Clients that mean harm, while others are served."""

from __future__ import annotations

import random
import socket
import threading
import time
from collections import Counter
from contextlib import suppress

import pytest

from multimodal_sentiment.service import connections

from ..pictures import png_that_claims
from .conftest import BOUNDARY, form, photo, posts, running
from .test_limits import JSON, LARGE

PARALLEL = 20


def raw(port: int, *pieces: bytes, pause: float = 0.0, seconds: float = 5.0) -> bytes:
    """Send bytes as they are, piece by piece; return what comes until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=seconds) as connection:
        said = b""
        with suppress(OSError):  # it was ended before all was sent
            for piece in pieces:
                connection.sendall(piece)
                time.sleep(pause)
        with suppress(OSError):  # it was reset, or nothing came
            while more := connection.recv(65536):
                said += more
        return said


def head(method: str = "POST", path: str = "/predict", **headers: str) -> bytes:
    lines = {"Host": "localhost", **{n.replace("_", "-"): v for n, v in headers.items()}}
    written = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{written}\r\n".encode()


def attacks() -> list:
    """Return requests of 20 kinds, each a function of the client."""
    body = form(text="fine", image=photo())[1]
    multipart = f"multipart/form-data; boundary={BOUNDARY}"
    rng = random.Random(0)

    def noise(client):
        return raw(client.port, rng.randbytes(2000))

    return [
        lambda c: c.predict(form(image=png_that_claims(60_000, 60_000))),
        # Small enough, and holds nothing.
        lambda c: c.predict(form(image=png_that_claims(1_900, 1_900))),
        lambda c: c.predict(posts(*[(None, LARGE)] * 4)),
        lambda c: c.predict((JSON, b'{"posts":' + b"[" * 200_000)),
        lambda c: c.predict((JSON, b'{"posts": [{"text": "' + b"\\ud800" * 100 + b'"}]}')),
        lambda c: c.predict((JSON, b'{"posts": [{"image": "../../../../etc/passwd"}]}')),
        lambda c: c.predict(({"Content-Type": "application/xml"}, b"<!DOCTYPE a SYSTEM 'file:'>")),
        lambda c: c.predict(({"Content-Type": multipart}, body[: len(body) // 2])),
        lambda c: c.predict(({"Content-Type": f"{multipart}; charset=utf-7"}, body)),
        lambda c: c.ask("GET", "/../../etc/passwd"),
        lambda c: c.ask("GET", "/page.js/%2e%2e/%2e%2e/app.py"),
        lambda c: c.ask("POST", "/predict", {**form()[0], "Host": "evil.example"}, body),
        lambda c: c.ask("POST", "/predict", {**form()[0], "Origin": "http://evil.example"}, body),
        lambda c: raw(c.port, head(Content_Length="100000", Content_Type=multipart), body[:50]),
        lambda c: raw(c.port, head(Content_Length="9" * 400)),
        lambda c: raw(c.port, head(Transfer_Encoding="chunked", Content_Length="5"), b"5\r\nabcde"),
        lambda c: raw(c.port, b"POST /predict HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000),
        lambda c: raw(c.port, b"POST /pre", b"dict", b" HTTP/1.1\r\n", b"A: b\r\n", pause=0.4),
        lambda c: raw(c.port),
        noise,
    ]  # fmt: skip


@pytest.mark.slow
def test_200_hostile_requests_and_none_escapes(model, monkeypatch, caplog):
    monkeypatch.setattr(connections, "SECONDS_FOR_HEADERS", 1.0)
    kinds = attacks() * 10
    random.Random(1).shuffle(kinds)
    seen: Counter = Counter()
    served, ended = [], threading.Event()
    with running(model, max_megabytes=1, max_megapixels=4, timeout=2.0) as client:

        def attack(parts: list) -> None:
            for part in parts:
                try:
                    answer = part(client)
                except OSError as error:
                    seen[type(error).__name__] += 1
                else:
                    status = answer[0] if isinstance(answer, tuple) else answer[9:12].decode()
                    seen[str(status) or "ended"] += 1

        def serve() -> None:
            while not ended.is_set():
                began = time.monotonic()
                status, _ = client.predict(form(text="fine", image=photo()))
                served.append((status, time.monotonic() - began))

        decent = threading.Thread(target=serve)
        decent.start()
        threads = [
            threading.Thread(target=attack, args=[kinds[n::PARALLEL]]) for n in range(PARALLEL)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        ended.set()
        decent.join()
        assert client.ask("GET", "/health")[0] == 200
        assert b"sentiment_queue_posts 0.0" in client.ask("GET", "/metrics")[1]

    assert sum(seen.values()) == 200
    assert "500" not in seen
    assert "while answering" not in caplog.text
    assert {status for status, _ in served} == {200}
    assert max(seconds for _, seconds in served) < 10


def test_a_connection_that_says_nothing_is_ended(model, monkeypatch):
    monkeypatch.setattr(connections, "SECONDS_FOR_HEADERS", 0.2)
    with running(model, timeout=0.5) as client:
        assert raw(client.port) == b""
        assert raw(client.port, b"GET / HT", pause=0.4) == b""
        # After an answer, too, and however slowly the next request comes.
        with socket.create_connection(("127.0.0.1", client.port), timeout=5) as connection:
            connection.sendall(head("GET", "/health"))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
            connection.sendall(b"GET")
            assert connection.recv(65536) == b""
        slow = raw(client.port, head(Content_Type="application/json", Content_Length="9"), b"{")
        assert slow.startswith(b"HTTP/1.1 408 ")


def test_one_connection_too_many_is_refused(model, monkeypatch):
    monkeypatch.setattr(connections, "CONNECTIONS", 2)
    with running(model) as client, socket.create_connection(("127.0.0.1", client.port)):
        with socket.create_connection(("127.0.0.1", client.port)):
            time.sleep(0.1)
            assert raw(client.port).startswith(b"HTTP/1.1 503 ")
        time.sleep(0.1)
        assert client.ask("GET", "/health")[0] == 200

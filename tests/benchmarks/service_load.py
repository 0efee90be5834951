"""How much `kedro serve` bears, and how it ends.

    python tests/benchmarks/service_load.py MODEL POSTS
    python tests/benchmarks/service_load.py MODEL POSTS --minutes 10
    python tests/benchmarks/service_load.py MODEL POSTS --kills 5

MODEL is a model's folder, POSTS a folder of texts and images. The service runs in a process of its
own on loopback; this one sends one post a request over connections that stay open, and says how
much processor time it took itself. Every answer is held against what `predict` gives.

The first prints the posts a second at saturation beside those of `predict` on batches of the same
size, both from encoded bytes, and the latency at half of that. The second, the memory of the
service at saturation after two minutes, and at the end. The third kills it again and again under
load, and counts what clients saw.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import re
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from project import PROJECT

CONNECTIONS = 64
ROUNDS = 3
EQUAL = 1e-4
CLOSE = 0.05  # of probabilities: in bf16 they depend a little on what else is in a batch
BOUNDARY = "a-boundary-of-this-benchmark"

Post = tuple[str, bytes]


def main() -> None:
    logging.disable(logging.WARNING)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("posts", type=Path)
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--minutes", type=float, default=0.0)
    parser.add_argument("--kills", type=int, default=0)
    options = parser.parse_args()
    posts = read(options.posts)
    if options.kills:  # in fp32 an answer does not depend on its batch: a wrong one is told surely
        load = Load(posts, expected(options.model, posts, "fp32"), EQUAL)
    else:
        load = Load(posts, expected(options.model, posts, "auto"))
    print(f"{os.cpu_count()} cores, OMP_NUM_THREADS={os.environ.get('OMP_NUM_THREADS', 'not set')}")
    if options.kills:
        kill = kill_again_and_again(options.model, load, options.kills, "--precision", "fp32")
        asyncio.run(kill)
    elif options.minutes:
        with served(options.model) as service:
            asyncio.run(watch_memory(service, load, options.minutes * 60))
    else:
        measure(options.model, posts, load, options.seconds)


def measure(model: Path, posts: list[Post], load: Load, seconds: float) -> None:
    """Saturate the service and ask `predict` in turns, as the machine may not be idle."""
    rates, alone, own = [], [], 0.0
    print(f"{CONNECTIONS} connections, {ROUNDS} rounds of {seconds:g} s each:")
    with served(model) as service:
        asyncio.run(load.saturate(service.port, seconds / 2))
        for _ in range(ROUNDS):
            before, began = batches(service.port), time.process_time()
            rates.append(asyncio.run(load.saturate(service.port, seconds)) / seconds)
            own += time.process_time() - began
            after = batches(service.port)
            size = (after[0] - before[0]) / (after[1] - before[1])
            alone.append(speed(model, posts, round(size), seconds))
            print(
                f"at saturation {rates[-1]:.1f} posts/s, batches of {size:.1f}; predict on batches "
                f"of {round(size)}: {alone[-1]:.1f} posts/s; ratio {rates[-1] / alone[-1]:.2f}",
                flush=True,
            )
        rate = float(np.median(rates))
        print(f"ratio of the medians {rate / np.median(alone):.2f}")
        print(f"the load generator took {own / ROUNDS / seconds:.1%} of a core", flush=True)
        latencies = asyncio.run(load.arrive(service.port, rate / 2, seconds * 2))
    shares = " ".join(f"p{q}={np.percentile(latencies, q) * 1000:.0f}" for q in (50, 95, 99))
    print(f"at half of that, {len(latencies)} posts: {shares} ms")
    print(f"what clients saw: {dict(load.seen)}")


async def watch_memory(service: Service, load: Load, seconds: float) -> None:
    began, readings = time.monotonic(), {}
    pushing = asyncio.create_task(load.saturate(service.port, seconds))
    while not pushing.done():
        await asyncio.sleep(10)
        minutes = (time.monotonic() - began) / 60
        readings[minutes] = resident(service.process.pid)
        print(f"{minutes:5.1f} min {readings[minutes] / 1e6:8.1f} MB", flush=True)
    answered = await pushing
    early = min(readings, key=lambda minute: abs(minute - 2))
    last = max(readings)
    grown = readings[last] / readings[early] - 1
    print(f"{answered} posts; from minute {early:.1f} to {last:.1f}: {grown:+.1%}")
    print(f"what clients saw: {dict(load.seen)}")


async def kill_again_and_again(model: Path, load: Load, kills: int, *options: str) -> None:
    service = await asyncio.to_thread(Service, model, 0, *options)
    port = service.port
    pushing = asyncio.create_task(load.saturate(port, 1e9))
    for _ in range(kills):
        await asyncio.sleep(random.uniform(2, 5))
        service.process.kill()
        service.process.wait()
        service = await asyncio.to_thread(Service, model, port, *options)  # clients go on asking
    await asyncio.sleep(2)
    pushing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await pushing
    service.process.terminate()
    assert await asyncio.to_thread(service.process.wait, 60) == 0
    print(f"{kills} kills under load; what clients saw: {dict(load.seen)}")


class Load:
    """Posts that are sent again and again, and what came back.

    Attributes:
        seen: How many answers were right, and how many there were of everything else.
    """

    def __init__(self, posts: list[Post], expected: np.ndarray, close: float = CLOSE) -> None:
        self._requests = [request(*post) for post in posts]
        self._expected, self._close = expected, close
        self._places = iter(range(10**12))
        self.seen: Counter[str] = Counter()

    async def saturate(self, port: int, seconds: float) -> int:
        """Keep every connection busy; return the number of right answers."""
        before, end = self.seen["right"], time.monotonic() + seconds
        await asyncio.gather(*(self._repeat(port, end) for _ in range(CONNECTIONS)))
        return self.seen["right"] - before

    async def arrive(self, port: int, rate: float, seconds: float) -> list[float]:
        """Send posts at random moments, whether or not others are answered; return latencies."""
        idle: list[Connection] = []
        latencies: list[float] = []

        async def send() -> None:
            connection = idle.pop() if idle else Connection(port)
            began = time.perf_counter()
            await self._send(connection)
            latencies.append(time.perf_counter() - began)
            idle.append(connection)

        tasks, end = [], time.monotonic() + seconds
        due = time.monotonic()
        while (due := due + random.expovariate(rate)) < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.append(asyncio.create_task(send()))
        await asyncio.gather(*tasks)
        return latencies

    async def _repeat(self, port: int, end: float) -> None:
        connection = Connection(port)
        while time.monotonic() < end:
            await self._send(connection)

    async def _send(self, connection: Connection) -> None:
        place = next(self._places) % len(self._requests)
        try:
            status, body = await connection.exchange(self._requests[place])
        except (OSError, asyncio.IncompleteReadError) as error:
            self.seen["half" if isinstance(error, HalfAnswerError) else type(error).__name__] += 1
            await asyncio.sleep(0.05)
            return
        if status != 200:
            self.seen[str(status)] += 1
            return
        (answer,) = json.loads(body)["answers"]
        given = [value for name, value in answer.items() if name.startswith("p_")]
        right = np.abs(np.array(given) - self._expected[place]).max() < self._close
        self.seen["right" if right else "wrong"] += 1


class HalfAnswerError(OSError):
    """A connection ended within an answer."""


class Connection:
    """A connection that is opened when it is needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._reader: asyncio.StreamReader | None = None

    async def exchange(self, content: bytes) -> tuple[int, bytes]:
        try:
            if self._reader is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            self._writer.write(content)
            head = await self._reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"content-length: (\d+)", head.lower())[1])
            try:
                body = await self._reader.readexactly(length)
            except asyncio.IncompleteReadError as error:
                raise HalfAnswerError from error
        except BaseException:
            if self._reader is not None:
                self._writer.close()
            self._reader = None
            raise
        if b"connection: close" in head.lower():
            self._writer.close()
            self._reader = None
        return int(head.split()[1]), body


class Service:
    """`kedro serve` in a process of its own."""

    def __init__(self, model: Path, port: int = 0, *options: str) -> None:
        command = [sys.executable, "-m", "kedro", "serve", "--port", str(port), *options]
        self.process = subprocess.Popen(
            [*command, "--params", f"model_folder={model.absolute()}"],
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
            stderr=subprocess.PIPE,
            text=True,
        )
        said = []
        for line in self.process.stderr:
            said.append(line)
            if found := re.search(r"answers at http://[^:]+:(\d+)", line):
                self.port = int(found[1])
                return
        raise SystemExit("".join(said))


@contextlib.contextmanager
def served(model: Path, port: int = 0, *options: str) -> Iterator[Service]:
    service = Service(model, port, *options)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.terminate()
            assert service.process.wait(60) == 0


def read(folder: Path) -> list[Post]:
    """At most 256 posts with a text and an image."""
    images = sorted(folder.glob("*.jpg"))[:256]
    return [(p.with_suffix(".txt").read_text("utf-8", "replace"), p.read_bytes()) for p in images]


def expected(model: Path, posts: list[Post], precision: str) -> np.ndarray:
    from multimodal_sentiment import load_classifier

    texts, images = zip(*posts, strict=True)
    classifier = load_classifier(model, precision=precision)
    names = [f"p_{label}" for label in classifier.labels]
    return classifier.predict(texts, images)[names].to_numpy()


def speed(model: Path, posts: list[Post], size: int, seconds: float) -> float:
    """Posts a second of `predict` on batches of a size."""
    from multimodal_sentiment import load_classifier

    classifier = load_classifier(model)
    chosen = [posts[place % len(posts)] for place in range(max(size, len(posts)))]
    parts = [chosen[start : start + size] for start in range(0, len(chosen) - size + 1, size)]
    for part in parts[:2]:
        classifier.predict(*zip(*part, strict=True))
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for part in parts:
            classifier.predict(*zip(*part, strict=True))
            done += size
    return done / (time.perf_counter() - began)


def request(text: str, image: bytes) -> bytes:
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="'
    body = (
        f'{head}text"\r\n\r\n{text}\r\n{head}image"; filename="a.jpg"\r\n\r\n'.encode()
        + image
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    return (
        "POST /predict HTTP/1.1\r\nHost: localhost\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def batches(port: int) -> tuple[float, float]:
    """How many posts the model was given so far, and in how many batches."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        said = answer.read().decode()
    names = ("sentiment_batch_posts_sum", "sentiment_batch_posts_count")
    posts, count = (float(re.search(rf"^{name} (\S+)", said, re.MULTILINE)[1]) for name in names)
    return posts, count


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    said = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", said)[1]) * 1024


if __name__ == "__main__":
    main()

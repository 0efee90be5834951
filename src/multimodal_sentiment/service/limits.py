"""What the service takes, and for how long."""

from __future__ import annotations

import os
from dataclasses import dataclass

MEGABYTE = 1_000_000
UPLOADS_AT_ONCE = 8  # bodies of the largest size that are held in memory
SECONDS_FOR_HEADERS = 10.0
SECONDS_IDLE = 15.0  # that a connection may stay open between two requests
LONGEST_HEADERS = 16_384  # bytes
CONNECTIONS = 512
SHORTEST_TOKEN = 16  # characters


@dataclass(frozen=True)
class Limits:
    """Limits of requests; what is beyond them is refused in one line.

    Attributes:
        max_megabytes: The size of a request's body.
        max_megapixels: The size of an image.
        max_posts: The posts of a request.
        max_queue: The posts that wait for an answer, of all requests.
        max_batch: The posts that the model is given at once.
        batch_wait: Seconds that the model waits for posts whose images are being decoded.
        timeout: Seconds until a request's body must have come, and again until its answer has.
        threads: The threads that decode images; as many as there are cores if None.
    """

    max_megabytes: float = 20.0
    max_megapixels: float = 50.0
    max_posts: int = 64
    max_queue: int = 256
    max_batch: int = 64
    batch_wait: float = 0.02
    timeout: float = 30.0
    threads: int | None = None

    def __post_init__(self) -> None:
        if self.max_posts > self.max_queue:
            raise ValueError(
                f"max_posts ({self.max_posts}) must not be more than max_queue ({self.max_queue}): "
                "such a request could never be answered"
            )

    @property
    def max_bytes(self) -> int:
        """The bytes of a request's body."""
        return int(self.max_megabytes * MEGABYTE)

    @property
    def decoders(self) -> int:
        """The number of threads that decode images."""
        return self.threads or os.cpu_count() or 1

"""Connections that end if nothing comes."""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from .limits import CONNECTIONS, SECONDS_FOR_HEADERS

_FULL = b'{"detail":"too many connections: come back later"}'
_REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: close\r\n"
    b"Retry-After: 5\r\nContent-Length: %d\r\n\r\n%b" % (len(_FULL), _FULL)
)


class BoundedProtocol(H11Protocol):
    """HTTP over a connection that must send its headers in time, and of which there are not many.

    Uvicorn bounds how long a connection may idle after an answer, but not how long it may take
    before its first request, nor over its headers.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Refuse one too many; wait for the headers of others."""
        super().connection_made(transport)
        if len(self.connections) > CONNECTIONS:
            transport.write(_REFUSAL)
            transport.close()
            return
        self._expect_headers()

    def data_received(self, data: bytes) -> None:
        """Take what has come, and go on waiting if these are not all headers."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._cancel()
        elif self._timer is None:
            self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._cancel()
        super().connection_lost(exc)

    def _expect_headers(self) -> None:
        self._timer = self.loop.call_later(SECONDS_FOR_HEADERS, self._end)

    def _cancel(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _end(self) -> None:
        self._timer = None
        if self.conn.their_state is h11.IDLE and self.conn.our_state is h11.IDLE:
            self.transport.close()

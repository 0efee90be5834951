"""What is decided of a request before the service looks at it.

Whom it names as host, which page sends it, whether it has the token, how long it is and how long
it may take. Whatever fails behind it is answered with 500, and logged without its message: that
might quote a post.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import time
import traceback
from collections.abc import Callable, Iterable
from contextlib import suppress

from fastapi import HTTPException
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .limits import UPLOADS_AT_ONCE, Limits
from .metrics import Metrics

logger = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/", "/page.css", "/page.js", "/health", "/ready"})  # without a token
_PATHS = OPEN_PATHS | {"/predict", "/metrics", "/openapi.json"}
HOST = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(?::[0-9]+)?", re.ASCII | re.IGNORECASE)
_SECONDS_OF_GRACE = 1.0  # in which what a refused client goes on sending is read and dropped

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_CLOSE = {"Connection": "close"}
FAULT = "this is a fault of the service"


class Guard:
    """Stands before an ASGI application.

    Args:
        app: The application.
        limits: The limits.
        hosts: The names under which the service may be asked; those of other names are refused,
            as a page of another site may point its own name to this machine.
        token: The token that a client must send as `Authorization: Bearer TOKEN`; nothing if None.
        metrics: Counts the requests.
        is_stopping: Whether the service is about to end, and each answer the last of its
            connection.
    """

    def __init__(
        self, app: ASGIApp, limits: Limits, hosts: Iterable[str], token: str | None,
        metrics: Metrics, is_stopping: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._app, self.limits, self._metrics = app, limits, metrics
        self._is_stopping = is_stopping
        self._hosts = frozenset(map(str.lower, hosts))
        self._token = None if token is None else f"Bearer {token}".encode()
        self._uploaded = 0  # bytes of bodies that are held now

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body = _Body(self, scope, receive)
        answer = _Answer(body, send, self._is_stopping)
        try:
            self._check(scope)
            await self._app(scope, body.receive, answer.send)
        except HTTPException as refusal:
            await answer.refuse(scope, refusal)
        except Exception as error:
            frames = "".join(traceback.format_tb(error.__traceback__)).rstrip()
            logger.error("%s while answering:\n%s", type(error).__name__, frames)
            if not answer.status:
                await answer.refuse(scope, HTTPException(500, FAULT))
        finally:
            body.release()
            path = scope["path"] if scope["path"] in _PATHS else "other"
            self._metrics.count_request(path, answer.status, answer.seconds)

    def _check(self, scope: Scope) -> None:
        headers = Headers(scope=scope)
        host = HOST.fullmatch(headers.get("host", ""))
        if host is None or host[1].lower() not in self._hosts:
            raise HTTPException(
                400,
                "the Host header is not a name of this service: see --allow-host, and have a proxy "
                "pass the header on",
            )
        origin = headers.get("origin")
        if origin is not None and origin.partition("://")[2].lower() != headers["host"].lower():
            raise HTTPException(
                403,
                "pages of other sites may not ask this service, or a proxy does not pass the Host "
                "header on",
            )
        if self._token is not None and scope["path"] not in OPEN_PATHS:
            given = headers.get("authorization", "").encode("latin-1")
            if not secrets.compare_digest(given, self._token):
                raise HTTPException(
                    401, "send the service's token: Authorization: Bearer TOKEN",
                    {"WWW-Authenticate": "Bearer"},
                )  # fmt: skip
        length = headers.get("content-length", "0")
        if not length.isdecimal() or int(length) > self.limits.max_bytes:
            raise self.too_long()

    def too_long(self) -> HTTPException:
        """Return the refusal of a body that is too long."""
        most = f"{self.limits.max_megabytes:g} MB"
        return HTTPException(413, f"the body is longer than {most}: send fewer or smaller posts")

    def hold(self, size: int) -> None:
        """Count bytes of bodies that are held.

        Raises:
            HTTPException: If they are too many.
        """
        if self._uploaded + size > UPLOADS_AT_ONCE * self.limits.max_bytes:
            raise HTTPException(
                429, "too much is being uploaded: send this later", {"Retry-After": "1"}
            )
        self._uploaded += size

    def release(self, size: int) -> None:
        """Count bytes that are not held any more."""
        self._uploaded -= size


class _Body:
    """The body of one request, of bounded length and duration."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive) -> None:
        self._guard, self._receive = guard, receive
        self._deadline = asyncio.get_running_loop().time() + guard.limits.timeout
        self._size = 0
        headers = Headers(scope=scope)
        sent = "transfer-encoding" in headers or headers.get("content-length", "0") != "0"
        self.is_whole = not sent

    async def receive(self) -> Message:
        """Return the next part.

        Raises:
            HTTPException: If the body is too long, or takes too long.
        """
        if self.is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            seconds = self._guard.limits.timeout
            raise HTTPException(408, f"the body has not come within {seconds:g} s") from None
        size = len(message.get("body", b""))
        if self._size + size > self._guard.limits.max_bytes:
            raise self._guard.too_long()
        self._guard.hold(size)
        self._size += size
        self.is_whole = not message.get("more_body")
        return message

    async def drop_rest(self) -> None:
        """Read what a client that is refused goes on sending, for a moment.

        To close at once would reset the connection, and the client might never read why.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_OF_GRACE):
                while (await self._receive()).get("more_body"):
                    pass

    def release(self) -> None:
        """Count its bytes as gone."""
        self._guard.release(self._size)


class _Answer:
    """The answer to one request."""

    def __init__(self, body: _Body, send: Send, is_stopping: Callable[[], bool]) -> None:
        self._body, self._send, self._is_stopping = body, send, is_stopping
        self._began = time.perf_counter()
        self.status = 0

    @property
    def seconds(self) -> float:
        """How long it has taken."""
        return time.perf_counter() - self._began

    async def send(self, message: Message) -> None:
        """Send a part.

        The connection is closed after it if the request is not read to its end, or the service
        ends.
        """
        starts, is_read = message["type"] == "http.response.start", self._body.is_whole
        if starts:
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            is_last = not is_read or self._is_stopping()
            for name, value in (_HEADERS | _CLOSE if is_last else _HEADERS).items():
                headers.setdefault(name, value)
        if starts or is_read or message.get("more_body"):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        await self._body.drop_rest()
        await self._send({"type": "http.response.body"})

    async def refuse(self, scope: Scope, refusal: HTTPException) -> None:
        """Send why the request is refused."""
        response = JSONResponse({"detail": refusal.detail}, refusal.status_code, refusal.headers)
        await response(scope, self._body.receive, self.send)

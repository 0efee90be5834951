"""The server: where it listens, whom it lets ask, and how it ends."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import math
import signal
import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from multimodal_sentiment.classifier.errors import ClassifierError
from multimodal_sentiment.compute.memory import share_one_heap
from multimodal_sentiment.wording import reason

from .app import create_app
from .connections import BoundedProtocol
from .current_model import CurrentModel
from .guard import HOST, Guard
from .limits import LONGEST_HEADERS, SECONDS_IDLE, SHORTEST_TOKEN, Limits
from .metrics import Metrics

logger = logging.getLogger(__name__)

_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True)
class Address:
    """Where the service listens, and for whom.

    Attributes:
        host: A name or an IP address of this machine.
        port: The port; 0 takes a free one.
        names: The names by which clients call this machine, beside `host` and the names of
            loopback.
        token: The token that clients must send.
    """

    host: str
    port: int
    names: Sequence[str] = ()
    token: str | None = None


def read_token(path: Path) -> str:
    """Return the token in a file.

    Raises:
        ValueError: If it could be guessed, or is more than one line.
    """
    token = path.read_text(encoding="utf-8").strip()
    if len(token) < SHORTEST_TOKEN or len(token.split()) != 1 or not token.isascii():
        raise ValueError(
            f"{path}: a token is one word of at least {SHORTEST_TOKEN} ASCII characters, such as "
            '"openssl rand -hex 32" writes'
        )
    return token


def listen(address: Address) -> socket.socket:
    """Return a socket that listens at the address.

    Raises:
        ValueError: If it is reached from other machines, and has no token, or no name by which
            they call it.
        OSError: If the address is not this machine's, or is taken.
    """
    (family, _, _, _, where), *_ = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    ip = ipaddress.ip_address(where[0])
    if not ip.is_loopback and address.token is None:
        raise ValueError(
            f"{address.host} is reached from other machines: name a file with a token, which "
            "clients must send, with --token-file, or listen on 127.0.0.1"
        )
    if ip.is_unspecified and not address.names:
        raise ValueError(
            f"{address.host} is no name that a client can ask for: say with --allow-host what this "
            "machine is called by them"
        )
    try:
        return socket.create_server(where[:2], family=family)
    except OSError as error:
        raise OSError(
            f"cannot listen on {address.host}, port {address.port}: {reason(error)}"
        ) from error


def serve(
    model: Path,
    *,
    host: str,
    port: int,
    token_file: Path | None,
    names: Sequence[str],
    device: str,
    precision: str,
    ask_below: float,
    **limits: Any,
) -> None:
    """Serve a model until a signal ends it: see `Server`, `Address` and `Limits`.

    Raises:
        ValueError: If something that is asked for cannot be, or there is no model.
        OSError: If the address cannot be listened on.
    """
    share_one_heap()
    token = None if token_file is None else read_token(token_file)
    address = Address(host, port, names, token)
    Server(model, device, precision, address, Limits(**limits), ask_below).run()


class Server:
    """A service that listens from the time it is made, and answers while it runs.

    Args:
        model: A model's folder, or that of its versions, as `find_model` takes it.
        device: See `load_classifier`.
        precision: See `load_classifier`.
        address: The address to listen at.
        limits: The limits of requests.
        ask_below: The confidence under which the page says to ask a person.

    Attributes:
        url: The address at which it can be asked from this machine.

    Raises:
        ValueError: If the address lacks a token or a name, or a name is none.
        OSError: If the address cannot be listened on.
    """

    def __init__(
        self,
        model: Path,
        device: str,
        precision: str,
        address: Address,
        limits: Limits,
        ask_below: float,
    ) -> None:
        hosts = (*_LOOPBACK, _bracketed(address.host), *map(_host_of, address.names))
        self._listener = listen(address)
        metrics = Metrics()
        self._model = CurrentModel(model, device, precision, metrics)
        app = create_app(self._model, limits, ask_below, metrics, self._keep_model)
        guard = Guard(app, limits, hosts, address.token, metrics, self._is_stopping)
        self._uvicorn = uvicorn.Server(_configuration(guard, limits))
        self._failure: Exception | None = None
        self.url = f"http://{_bracketed(address.host)}:{self._listener.getsockname()[1]}"

    def run(self) -> None:
        """Answer requests until SIGINT or SIGTERM comes, or `stop`; then finish those under way.

        Raises:
            ClassifierError: If there is no model, or it cannot be loaded.
        """
        logging.getLogger("python_multipart").setLevel(logging.CRITICAL)  # it quotes bodies
        logger.info("Loading the model ...")
        with _signals_end_quietly():
            self._uvicorn.run(sockets=[self._listener])
        if isinstance(self._failure, OSError | ValueError):
            raise self._failure
        if self._failure is not None:
            raise ClassifierError(str(self._failure)) from self._failure
        logger.info("Stopped: what had been asked is answered")

    def stop(self) -> None:
        """Have `run` end, from another thread."""
        self._uvicorn.should_exit = True

    def _is_stopping(self) -> bool:
        return self._uvicorn.should_exit

    async def _keep_model(self) -> None:
        """Load the model, and then each that takes its place; end if there is none."""
        try:
            while self._model.classifier is None:  # it may be replaced while it is loaded
                await asyncio.to_thread(self._model.load)
        except Exception as error:
            self._failure = error
            self.stop()
            return
        version = self._model.classifier.version or ""
        logger.info("fusion_model %s answers at %s; Ctrl-C ends it", version, self.url)
        await self._model.follow()


@contextmanager
def _signals_end_quietly() -> Iterator[None]:
    """Ignore the signals that uvicorn, when it has ended by them, raises once more."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    former = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        with suppress(KeyboardInterrupt):
            yield
    finally:
        signal.signal(signal.SIGTERM, former)


def _configuration(app: Guard, limits: Limits) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="on",
        log_config=None,
        log_level="error",
        access_log=False,  # it would hold what clients put into addresses
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=math.ceil(SECONDS_IDLE),
        timeout_graceful_shutdown=math.ceil(limits.timeout),
        h11_max_incomplete_event_size=LONGEST_HEADERS,
    )


def _host_of(name: str) -> str:
    """Return the host of a name that clients use; whatever the port, requests are answered.

    Raises:
        ValueError: If it is no name of a host.
    """
    found = HOST.fullmatch(name) or HOST.fullmatch(_bracketed(name))
    if found is None:
        raise ValueError(f"--allow-host {name}: give the name of a host alone, as in its address")
    return found[1]


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host

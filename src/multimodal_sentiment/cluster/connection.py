"""The connection to a Ray cluster: one that is there, or one that is started for a run."""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakSet

from multimodal_sentiment.parameters import ClusterParameters
from multimodal_sentiment.wording import first_line

logger = logging.getLogger(__name__)

ADDRESS = "RAY_ADDRESS"
INSTALL = 'cluster.workers needs ray: pip install "multimodal-sentiment[cluster]", or set it to 0'

_PATIENCE = 10.0  # s


class ClusterError(ConnectionError):
    """There is no cluster, or it cannot do the work; the message is one line."""


class DeadlyPartError(ClusterError, ChildProcessError):
    """A part has killed its worker again and again; the cluster can do other work."""


@contextmanager
def open_cluster(cluster: ClusterParameters) -> Iterator[None]:
    """Connect this process to a cluster, and leave it at the end.

    The cluster is the one that `RAY_ADDRESS` names, or else one that is started here and stopped at
    the end. A connection that is there already is used, and left open.

    Args:
        cluster: The workers, and what each needs; without workers nothing is done.

    Raises:
        ClusterError: If Ray is not installed, the cluster cannot be reached, or none of its hosts
            has what a worker needs.
    """
    if not cluster.workers:
        yield
        return
    try:
        import ray  # noqa: F401
    except ImportError as error:
        raise ClusterError(INSTALL) from error
    connection.enter(cluster)
    try:
        _check_hosts(cluster)
        yield
    finally:
        connection.leave()


def is_connected() -> bool:
    """Return whether this process is connected to a cluster, whoever has done it."""
    ray = sys.modules.get("ray")
    return ray is not None and ray.is_initialized()


class Stoppable(Protocol):
    """Work that a cluster does for this process."""

    def stop(self) -> None:
        """Stop it."""


class _Connection:
    """The connection of this process: Ray has one, which several threads may use."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._users = 0
        self._close: Callable[[], None] = lambda: None
        self._works: WeakSet[Stoppable] = WeakSet()

    def add(self, work: Stoppable) -> None:
        """Have work stopped before the connection is closed, should it still be under way."""
        self._works.add(work)

    def enter(self, cluster: ClusterParameters) -> None:
        with self._lock:
            if not self._users:
                self._close = (lambda: None) if is_connected() else _connect(cluster)
            self._users += 1

    def leave(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                for work in list(self._works):
                    work.stop()
                self._close()


connection = _Connection()


def _connect(cluster: ClusterParameters) -> Callable[[], None]:
    """Join or start a cluster.

    Returns:
        What leaves or stops it.

    Raises:
        ClusterError: If that cannot be done.
    """
    import ray

    address = os.environ.get(ADDRESS)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    logging.getLogger("ray").setLevel(logging.ERROR)  # it warns of what is meant to be so
    options: dict[str, Any] = {
        "configure_logging": False,
        "log_to_driver": False,
        "runtime_env": {"env_vars": _worker_environment(cluster)},
    }
    if not address:
        # Without a token in the environment, Ray would write one into the user's home.
        os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
        options["num_cpus"] = cluster.workers * cluster.cpus_per_worker
        options["include_dashboard"] = False
    try:
        _reach(address or "")
        with _same_sigterm():
            context: Any = ray.init(address or "local", **options)
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        ray.shutdown()
        raise ClusterError(_unreachable(address, error)) from error
    if address:
        logger.info("Joined the Ray cluster at %s, of %s hosts", address, len(_live_hosts()))
        return ray.shutdown
    session = Path(context.address_info["session_dir"])

    def stop() -> None:
        ray.shutdown()
        shutil.rmtree(session, ignore_errors=True)  # its logs, megabytes a run

    return stop


@contextmanager
def _same_sigterm() -> Iterator[None]:
    """Keep the handler of SIGTERM, which Ray would replace by one of its own for good."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _reach(address: str) -> None:
    """Find out at once whether somebody answers at an address: Ray itself tries for minutes.

    Raises:
        OSError: If nobody does.
    """
    host, _, port = address.rpartition(":")
    if host and port.isdigit() and "://" not in address:
        socket.create_connection((host, int(port)), timeout=_PATIENCE).close()


def _worker_environment(cluster: ClusterParameters) -> dict[str, str]:
    """Return the variables that let a worker import this package, and keep to what it was given."""
    package = str(Path(__file__).parents[2])
    folders = [package, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(folders)),
        "OMP_NUM_THREADS": str(cluster.cpus_per_worker),
        "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a worker of no GPU is shown none
    }


def _unreachable(address: str | None, error: Exception) -> str:
    reason = first_line(error)
    if address is None:
        return f"no Ray cluster can be started here: {reason}"
    return (
        f"no Ray cluster can be joined at {ADDRESS}={address} ({reason}): start one with "
        f'"ray start --head" and give each host the same token, or unset {ADDRESS}'
    )


def _check_hosts(cluster: ClusterParameters) -> None:
    """Refuse a cluster none of whose hosts has what one worker needs: work would wait for ever.

    Raises:
        ClusterError: If that is so.
    """
    needed = {"CPU": cluster.cpus_per_worker, "GPU": cluster.gpus_per_worker}
    hosts = [host["Resources"] for host in _live_hosts()]
    if any(all(host.get(kind, 0) >= least for kind, least in needed.items()) for host in hosts):
        return
    most = {kind: max(host.get(kind, 0) for host in hosts) for kind in needed}
    raise ClusterError(
        f"cluster: no host has {needed['CPU']} CPUs and {needed['GPU']:g} GPUs for one worker (at "
        f"most {most['CPU']:g} and {most['GPU']:g}): set cluster.cpus_per_worker and "
        "cluster.gpus_per_worker to what there is"
    )


def _live_hosts() -> list[dict[str, Any]]:
    import ray

    return [host for host in ray.nodes() if host["Alive"]]

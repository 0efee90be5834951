"""Work on parts, one after another here or several at once by workers, in the parts' order."""

from __future__ import annotations

import logging
import socket
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from typing import Any, NamedTuple, TypeVar
from uuid import uuid4

import numpy as np

from multimodal_sentiment.cluster.threads import map_in_order
from multimodal_sentiment.parameters import ClusterParameters
from multimodal_sentiment.progress import log_progress
from multimodal_sentiment.wording import first_line

from .connection import ClusterError, DeadlyPartError, connection, is_connected, open_cluster

logger = logging.getLogger(__name__)

Part = TypeVar("Part")
Result = TypeVar("Result")

# Posts of a part: whole batches, and texts enough to sort by length; fewer of a small set, so that
# all workers have some.
_PART = 512
_FEWEST = 64
_PARTS_PER_WORKER = 4

RETRIES = 2  # of a part whose worker has died, before it is halved
_TRIES_TO_CANCEL, _SECONDS_TO_CANCEL = 30, 1.0  # at most; it takes a moment


def divide(items: Any, size: int) -> list[Any]:
    """Divide a sequence, an array or a frame into parts of `size` items, the last one smaller."""
    return [items[start : start + size] for start in range(0, len(items), size)]


def map_parts(
    function: Callable[[Part], Result],
    parts: Iterable[Part],
    cluster: ClusterParameters,
    doing: str,
    lost: Callable[[Part], Result] | None = None,
) -> Generator[Result, None, None]:
    """Yield the function of each part, in order, with a bounded number under way.

    Without workers, this is a loop. With workers, each part is a task of Ray's: it may run on
    another host, in another working folder, and again if its worker dies. The function, with all
    that is bound to it (such as a model), is sent to each host once and read by each worker once;
    so there is no need of actors. Paths are absolute; parts and results are small, or in large
    pieces (numpy, Arrow).

    Args:
        function: A function of a module that workers can import, or a `partial` of one. It changes
            nothing that is bound to it. A worker returns what a generator yields as a list.
        parts: The parts.
        cluster: The workers, and what each needs.
        doing: The name of the work for the log, as in "Preparing".
        lost: The result that stands for a single item that has killed its worker again and again.
            With it, parts are sequences: one that kills its worker is halved until the item is
            found, so that there may be more results than parts, each of a piece, in order. Without
            it, such a part is an error.

    Raises:
        ClusterError: If there is no cluster.
        DeadlyPartError: If a part killed its worker again and again.
        Exception: What the function raises.
    """
    if not cluster.workers:
        yield from map(function, parts)
        return
    # What a run has opened, it closes, whether or not these results have all been asked for.
    with nullcontext() if is_connected() else open_cluster(cluster):
        work = _Work(function, cluster, doing, lost)
        pieces = map_in_order(work.answer, parts, cluster.workers, work.stop)
        hosts: Counter[str] = Counter()
        repeated = 0
        with closing(pieces):
            for answers in pieces:
                for answer in answers:
                    hosts[answer.host] += 1
                    repeated += answer.repeated
                    yield answer.result
    logger.info(
        "%s by %s workers: parts on %s%s",
        doing,
        cluster.workers,
        ", ".join(f"{host or 'no host'} {count:,}" for host, count in sorted(hosts.items())),
        f"; {repeated:,} repeated, as their workers died" if repeated else "",
    )


def compute_rows(
    compute: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    cluster: ClusterParameters,
    doing: str,
    lost: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return results for some rows of a table, in their order, of shape (rows, ...).

    Args:
        compute: The function that gives the results of some of the rows; see `map_parts`.
        rows: The rows.
        cluster: The workers; without any, or any rows, all is computed here, at once.
        doing: The name of the work, for the log.
        lost: The result that stands for a row that kills its worker.
    """
    if not cluster.workers or not len(rows):
        return compute(rows)
    share = len(rows) // (_PARTS_PER_WORKER * cluster.workers)
    parts = divide(rows, min(_PART, max(_FEWEST, share)))
    pieces = map_parts(compute, parts, cluster, doing, lost)
    return np.concatenate([*log_progress(pieces, len(rows), doing, size=len)])


class _Answer(NamedTuple):
    """The result of a part or piece.

    Attributes:
        result: The value that the function returned.
        host: The host on which it ran.
        repeated: The number of tries before that.
    """

    result: Any
    host: str
    repeated: int = 0


class _Work:
    """One function on many parts; as many threads as there are workers wait for a part each."""

    def __init__(
        self,
        function: Callable[[Any], Any],
        cluster: ClusterParameters,
        doing: str,
        lost: Callable[[Any], Any] | None,
    ) -> None:
        import ray

        self._doing, self._lost = doing, lost
        # Ray's own repetitions would not be counted, nor end in a part's being halved.
        self._task = ray.remote(_run).options(
            num_cpus=cluster.cpus_per_worker,
            num_gpus=cluster.gpus_per_worker,
            max_retries=0,
            name=doing,
        )
        self._function, self._key = ray.put(function), uuid4().hex
        self._under_way: set[Any] = set()  # guarded by the next, which tells when one is gone
        self._changed = threading.Condition()
        self._is_over = False
        connection.add(self)

    def answer(self, part: Any, tries: int = 1 + RETRIES) -> list[_Answer]:
        """Return the answer to a part, or to its pieces if it kills its worker."""
        for repeated in range(tries):
            try:
                return [self._ask(part)._replace(repeated=repeated)]
            except _DeadWorkerError as error:
                reason = str(error)
        if self._lost is None:
            raise DeadlyPartError(
                f"{self._doing}: a part has lost its worker {tries} times in a row ({reason})"
            )
        count = len(part)
        if count == 1:
            return [_Answer(self._lost(part), "", tries)]
        halves = divide(part, -(-count // 2))
        # One death of several items' worker is enough to look closer, of a single item's is not.
        answers = [self.answer(half, 1 + RETRIES if len(half) == 1 else 1) for half in halves]
        first, *others = answers[0] + answers[1]
        return [first._replace(repeated=first.repeated + tries), *others]

    def stop(self) -> None:
        """Cancel what is under way, begin no more, and wait until no thread waits for a result.

        One that still did when Ray is left would do so for ever, and the process would not end.
        """
        import ray

        with self._changed:
            self._is_over = True
        # Ray leaves a task alone that is on its way to a worker, and not there yet: so once more.
        for _ in range(_TRIES_TO_CANCEL):
            with self._changed:
                under_way = list(self._under_way)
            for reference in under_way:
                ray.cancel(reference, force=True)
            with self._changed:
                if self._changed.wait_for(lambda: not self._under_way, _SECONDS_TO_CANCEL):
                    return

    def _ask(self, part: Any) -> _Answer:
        import ray
        from ray import exceptions

        with self._changed:
            if self._is_over:
                raise ClusterError(f"{self._doing} was stopped")
            reference = self._task.remote([self._function], self._key, part)
            self._under_way.add(reference)
        try:
            answer: _Answer = ray.get(reference)
            return answer
        except exceptions.RayTaskError as error:
            raise error.cause from error
        except exceptions.RayError as error:
            reason = first_line(error)
            if self._is_over or not isinstance(
                error,
                exceptions.WorkerCrashedError
                | exceptions.NodeDiedError
                | exceptions.OutOfMemoryError
                | exceptions.ObjectLostError,
            ):
                raise ClusterError(f"{self._doing}: the cluster has failed: {reason}") from error
            raise _DeadWorkerError(reason) from error
        finally:
            with self._changed:
                self._under_way.discard(reference)
                self._changed.notify_all()


class _DeadWorkerError(Exception):
    """A worker, its host or its result is lost."""


_functions: dict[str, Callable[[Any], Any]] = {}  # the last one that this worker has read


def _run(function: list[Any], key: str, part: Any) -> _Answer:
    """Run in a worker.

    Args:
        function: The reference of the function, in a list, so that Ray does not read it each time.
        key: The identity of the function.
        part: The part.
    """
    import ray

    if key not in _functions:
        _functions.clear()
        _functions[key] = ray.get(function[0])
    result = _functions[key](part)
    if isinstance(result, Iterator):
        result = list(result)
    return _Answer(result, socket.gethostname())

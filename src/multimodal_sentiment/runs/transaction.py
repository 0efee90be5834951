"""A run as a transaction: what it writes appears all at once, when it is complete, or not at all.

`Transaction.begin` takes the data folder, checks what can be known to fail, and points the outputs
into a staging folder (`staging.py`); so whatever the run loads of what it wrote is that very
version, and nobody else sees it. After the last node, `seal` writes down which files and folders
are to be moved into place, and `commit` moves them; or `abandon` removes them. Of a run that was
killed, `recover` does the one or the other before the next run begins.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Mapping, Set
from contextlib import ExitStack
from contextvars import ContextVar
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click
from pydantic import TypeAdapter

from multimodal_sentiment.files import short_path
from multimodal_sentiment.wording import counted, size_in_words

from .checks import CLUSTER_INPUT, check_run, has_new_posts, idle_outputs
from .closing_summary import MODEL, SUBMISSION, describe_kept, log_summary, scratch_folders
from .error_lines import error_in_one_line, is_damage
from .flags import all_flags, folders_flag, inference_flags
from .kedro_adapter import place_in_words, without_existing_outputs
from .lock import data_folder, lock_folder
from .log import RunLog, exit_on_signals, restore_signals
from .records import Outcome, log_path, new_record
from .staging import StagingFolder, finish, recover
from .timings import NodeTimings
from .versions import way_out
from .viz_statistics import drop_sizes

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)

_current: ContextVar[Transaction | None] = ContextVar("run of this thread", default=None)

NOTHING_TO_DO = (
    "Nothing to do: all outputs are there. Without --only-missing-outputs, they are made anew"
)


class Transaction:
    """A run between its checks and its end; nothing is shared between two of them.

    Attributes:
        key: The identity of its catalog, which Kedro makes for this run alone.
        timings: What its nodes are doing, and how long they took.
        thread: The identity of the thread that began it.
        process: The id of the process that began it.
        record: The record of the run.
        places: The file or folder of the version that it wrote, by dataset, once it is complete.
    """

    def __init__(
        self,
        data: Path,
        request: Mapping[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
        idle: Set[str],
        held: ExitStack,
    ) -> None:
        self.key, self.thread, self.process = id(catalog), threading.get_ident(), os.getpid()
        self.timings = NodeTimings(pipeline)
        self._began = perf_counter()
        self.places: dict[str, Path] = {}
        self._data, self._pipeline, self._catalog = data, pipeline, catalog
        self._staging = StagingFolder(data, request["run_id"], pipeline, catalog, idle)
        self._request, self._project = request, Path(request["project_path"])
        written = self._staging.written
        parameters = TypeAdapter(dict[str, Any]).dump_python(
            catalog["parameters"].load(), mode="json", fallback=str
        )
        datasets = {name: output.dataset for name, output in written.items()}
        reads = check_run(
            data, pipeline, catalog, datasets, request, parameters, trains_only=bool(idle)
        )
        held.callback(restore_signals, exit_on_signals())  # the last: a cluster is stopped before
        _open_cluster(pipeline, parameters, held)
        writes = {name: output.version for name, output in written.items()}
        self.record = new_record(request, parameters, reads, writes)
        self.record.save(data)
        for folder in scratch_folders(pipeline, catalog):
            folder.note()
        self._staging.open()
        self.work_in_this_thread()
        self._log = RunLog(log_path(data, self.record.run), lambda: _current.get() in (None, self))
        held.callback(self._log.close)
        self._held = held.pop_all()
        nodes = counted(len(pipeline.nodes), "node")
        logger.info("%s: %s, log in %s", self.record.name, nodes, self.log)

    @classmethod
    def begin(
        cls, request: Mapping[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> Transaction | None:
        """Lock the data folder, check a run, and point its outputs into the staging folder.

        Args:
            request: The run that Kedro was asked for.
            pipeline: The pipeline that it will run.
            catalog: The catalog that it will run on; inputs are pinned, outputs redirected.

        Returns:
            The transaction; None if all outputs are there and only missing ones were asked for.

        Raises:
            click.ClickException: If the run cannot do what it was asked, a line for each reason.
        """
        data = data_folder(Path(request["project_path"]), catalog["parameters"].load()["data"])
        with ExitStack() as held:
            lock_folder(data, held)
            try:
                recover(data)
                idle = idle_outputs(pipeline, catalog)
                if request["only_missing_outputs"]:
                    pipeline = without_existing_outputs(pipeline, catalog)
                if pipeline.nodes:
                    return cls(data, request, pipeline, catalog, idle, held)
            except OSError as error:
                place = "" if error.filename else f"{short_path(data)}: "
                raise click.ClickException(place + error_in_one_line(error)) from error
        logger.info(NOTHING_TO_DO)
        return None

    def seal(self) -> None:
        """Write down what is to be moved into place: from here on the run will be finished."""
        self.record.seconds = self.timings.seconds
        self.record.moves = self._staging.complete()
        self.record.outcome = "committing"
        self.record.save(self._data)

    def commit(self) -> None:
        """Move what the run wrote into place, and say what it is.

        Raises:
            click.ClickException: If something cannot be moved; the next run does that.
        """
        try:
            finish(self._data, self.record)
        except BaseException as error:
            name = self.record.name
            logger.warning("%s: not all outputs are in place: the next run moves the rest", name)
            if isinstance(error, OSError):
                raise click.ClickException(error_in_one_line(error)) from error
            raise
        finally:
            self._staging.release()
        for folder in scratch_folders(self._pipeline, self._catalog):
            if left := folder.clear():
                logger.info(
                    "%s stay in %s for the unfinished runs that left them: remove them if these "
                    "are not to go on",
                    size_in_words(left),
                    place_in_words(folder),
                )
        self.places = self._staging.places(self.record.moves)
        seconds = perf_counter() - self._began
        log_summary(
            self.record,
            self.places,
            self._data,
            seconds,
            folders_flag(self._request),
            self._inference_flags(),
            all_flags(self._request, {"corrections": "FILE"}),
        )
        drop_sizes(self._project)

    def _inference_flags(self) -> str | None:
        """Return the options of the inference that comes next; None if none does."""
        if MODEL not in self.places:
            return None
        if not has_new_posts(self._catalog):
            return inference_flags(self._request, raw="NEW.csv")
        return None if SUBMISSION in self.places else inference_flags(self._request)

    def abandon(self, outcome: Outcome, error: BaseException | None = None) -> None:
        """Remove everything that the run wrote, and write down why.

        Removing comes first, as the disk may be full.
        """
        self.record.seconds = self.timings.seconds
        if error:
            self._log.write_traceback(error)
        self._staging.release()
        self._staging.remove()
        name = self.record.name
        try:
            self.record.close(self._data, outcome, self.explain(error) if error else None)
        except OSError as problem:  # the next run will find the run unfinished, and mend it
            logger.warning("%s: its record cannot be written: %s", name, error_in_one_line(problem))
        kept = describe_kept(self._pipeline, self._catalog, outcome)
        logger.warning("%s %s: %s", name, outcome, kept)

    def close(self) -> None:
        """Release the data folder."""
        if self.is_in_this_thread():
            _current.set(None)
        self._held.close()

    def work_in_this_thread(self) -> None:
        """Assign this thread's work and log lines to this run from now on."""
        _current.set(self)

    def is_in_this_thread(self) -> bool:
        """Return whether this thread works for this run."""
        return _current.get() is self

    def explain(self, error: BaseException) -> str:
        """Return what went wrong, where, in one line."""
        line = self.timings.where() + error_in_one_line(error)
        if not is_damage(error):
            return line
        name = self.timings.loads()
        version = self.record.reads.get(name) if name else None
        mend = "mend it, or put a sound one in its place"
        if name and version:
            mend = way_out(name, self._catalog[name], version)
        return f"{line}: the file is damaged: {mend}"

    def name_version(self, dataset: str) -> str:
        """Return a dataset's name, and the version that the run reads, if it existed before."""
        version = self.record.reads.get(dataset)
        return f"{dataset} {version}" if version else dataset

    @property
    def log(self) -> str:
        """The path of the log."""
        return short_path(self._log.baseFilename)


def _open_cluster(pipeline: Pipeline, parameters: Mapping[str, Any], held: ExitStack) -> None:
    """Open the cluster that a run asks for, so that a missing one is told before its first node.

    Raises:
        click.ClickException: If there is no such cluster.
    """
    asked = parameters.get("cluster", {})
    if asked.get("workers") and CLUSTER_INPUT in pipeline.inputs():
        from multimodal_sentiment.cluster import ClusterError, open_cluster
        from multimodal_sentiment.parameters import ClusterParameters

        try:
            held.enter_context(open_cluster(ClusterParameters.model_validate(asked)))
        except ClusterError as error:
            raise click.ClickException(str(error)) from error

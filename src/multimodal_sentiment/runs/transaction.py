"""A run as a transaction: what it writes appears all at once, when it is complete, or not at all.

`Transaction.begin` takes the data folder, checks what can be known to fail, and points the outputs
into a staging folder, `<data>/runs/VERSION`, which is laid out as the data folder is; so whatever
the run loads of what it wrote is that very version, and nobody else sees it. After the last node,
`seal` writes down which files and folders are to be moved into place, and `commit` moves them; or
`abandon` removes them. Of a run that was killed, `recover` does the one or the other before the
next run begins.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
import threading
from collections.abc import Mapping
from contextvars import ContextVar
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click
from pydantic import TypeAdapter

from multimodal_sentiment.files import flush, follow_umask, replace_whole

from .checks import check_run, folders_flag
from .errors import is_damage, one_line
from .kedro_adapter import (
    Versionable,
    is_versioned,
    local_datasets,
    location,
    redirect,
    shorten,
    stored_datasets,
    without_existing_outputs,
)
from .lock import FolderLock, data_folder, lock_folder
from .log import RunLog, exit_on_signals, restore_signals
from .progress import Progress
from .records import RUNS, Outcome, Record, log_path, new_record, read_records, staging_path
from .summary import log_summary
from .versions import way_out

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.datasets import ScratchFolderDataset

logger = logging.getLogger(__name__)

_current: ContextVar[Transaction | None] = ContextVar("run of this thread", default=None)

FETCHED = "only encoders that have come are kept, and what has come of the next"


class Transaction:
    """A run between its checks and its end; nothing is shared between two of them.

    Attributes:
        key: Identity of its catalog, which Kedro makes for this run alone.
        progress: What its nodes are at.
        thread: Identity of the thread that began it.
        process: Of the process that began it.
    """

    def __init__(
        self, data: Path, lock: FolderLock, pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        self.key = id(catalog)
        self.thread, self.process = threading.get_ident(), os.getpid()
        self.progress = Progress(pipeline)
        self._began = perf_counter()
        self._data, self._lock, self._pipeline, self._catalog = data, lock, pipeline, catalog
        datasets = stored_datasets(catalog, pipeline.datasets())
        self._outputs = _outputs(data, datasets, pipeline)
        self._final = {name: location(dataset) for name, dataset in self._outputs.items()}
        self._scratch = _scratch_folders(datasets)

    @classmethod
    def begin(
        cls, request: Mapping[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> Transaction | None:
        """Check a run, and have its outputs written aside.

        Args:
            request: What Kedro was asked to run.
            pipeline: What it will run.
            catalog: What it will run on; inputs are pinned, outputs redirected.

        Returns:
            The transaction; None if all outputs are there and only missing ones were asked for.

        Raises:
            click.ClickException: If the run cannot do what it was asked, a line for each reason.
        """
        data = data_folder(Path(request["project_path"]), catalog["parameters"].load()["data"])
        try:
            lock = lock_folder(data)
            try:
                recover(data)
                if request["only_missing_outputs"]:
                    pipeline = without_existing_outputs(pipeline, catalog)
                    if not pipeline.nodes:
                        logger.info(
                            "Nothing to do: all outputs are there. Without --only-missing-outputs, "
                            "they are made anew"
                        )
                        lock.release()
                        return None
                transaction = cls(data, lock, pipeline, catalog)
                transaction._begin(request)
            except BaseException:
                lock.release()
                raise
        except OSError as error:
            place = "" if error.filename else f"{shorten(data)}: "
            raise click.ClickException(place + one_line(error)) from error
        return transaction

    def _begin(self, request: Mapping[str, Any]) -> None:
        written = {name: self._outputs[name] for name in self._outputs if self._writes(name)}
        parameters = TypeAdapter(dict[str, Any]).dump_python(
            self._catalog["parameters"].load(), mode="json", fallback=str
        )
        reads = check_run(self._data, self._pipeline, self._catalog, written, request, parameters)
        run = request["run_id"]
        writes = {name: run if is_versioned(it) else None for name, it in written.items()}
        self.record = new_record(request, parameters, reads, writes)
        self._folders = folders_flag(request)
        self.record.save(self._data)
        self._staging = staging_path(self._data, run)
        self._staging.mkdir()
        for name, dataset in self._outputs.items():
            redirect(dataset, self._staging / self._final[name].relative_to(self._data))
        self.work_in_this_thread()
        self._log = RunLog(log_path(self._data, run), lambda: _current.get() in (None, self))
        self._former_signals = exit_on_signals()
        nodes = len(self._pipeline.nodes)
        words = f"{nodes} node" if nodes == 1 else f"{nodes} nodes"
        logger.info("%s: %s, log in %s", self.record.name, words, self.log)

    def seal(self) -> None:
        """Write down what is to be moved into place: from here on the run will be finished."""
        self.record.seconds = self.progress.seconds
        follow_umask(self._staging)
        flush(self._staging)
        places = {self._place(name).as_posix() for name in self._outputs}
        self.record.moves = sorted(place for place in places if (self._staging / place).exists())
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
            logger.warning("%s: not all is in place yet: the next run sees to that", name)
            if isinstance(error, OSError):
                raise click.ClickException(one_line(error)) from error
            raise
        finally:
            self._restore()
        for folder in self._scratch:
            folder.clear()
        places = {
            name: self._data / self._place(name) / (path.name if self.record.writes[name] else "")
            for name, path in self._final.items()
            if self._writes(name) and self._place(name).as_posix() in self.record.moves
        }
        seconds = perf_counter() - self._began
        log_summary(self.record, places, self._data, seconds, self._folders)

    def abandon(self, outcome: Outcome, error: BaseException | None = None) -> None:
        """Remove everything that the run wrote, and write down why.

        Removing comes first, as the disk may be full.
        """
        self.record.seconds = self.progress.seconds
        if error:
            self._log.write_traceback(error)
        self._restore()
        shutil.rmtree(self._staging, ignore_errors=True)
        try:
            self.record.close(self._data, outcome, self.explain(error) if error else None)
        except OSError as problem:  # the next run will find the run unfinished, and mend it
            name = self.record.name
            logger.warning("%s: its record cannot be written: %s", name, one_line(problem))
        again = ": the same command starts it anew" if outcome == "interrupted" else ""
        kept = self._what_is_kept() or f"nothing of it is kept{again}"
        logger.warning("%s %s: %s", self.record.name, outcome, kept)

    def close(self) -> None:
        """Let go of the data folder."""
        if self.is_in_this_thread():
            _current.set(None)
        restore_signals(self._former_signals)
        self._log.close()
        self._lock.release()

    def work_in_this_thread(self) -> None:
        """Take it that what this thread does and logs from now on belongs to this run."""
        _current.set(self)

    def is_in_this_thread(self) -> bool:
        """Return whether this thread works for this run."""
        return _current.get() is self

    def explain(self, error: BaseException) -> str:
        """Return what went wrong, where, in one line."""
        line = self.progress.where() + one_line(error)
        if not is_damage(error):
            return line
        name = self.progress.loads()
        version = self.record.reads.get(name) if name else None
        mend = "mend it, or put a sound one in its place"
        if name and version:
            mend = way_out(name, self._catalog[name], version)
        return f"{line}: the file is damaged: {mend}"

    def name_version(self, dataset: str) -> str:
        """Return a dataset, and which version of it the run reads, if that was there before."""
        version = self.record.reads.get(dataset)
        return f"{dataset} {version}" if version else dataset

    @property
    def log(self) -> str:
        """Where the log is."""
        return shorten(self._log.baseFilename)

    def _writes(self, name: str) -> bool:
        return name in self._pipeline.all_outputs()

    def _place(self, name: str) -> Path:
        """Return what is moved, relative to the data folder: a version's folder, or the path."""
        path = self._final[name].relative_to(self._data)
        return path / self.record.run if is_versioned(self._outputs[name]) else path

    def _restore(self) -> None:
        for name, dataset in self._outputs.items():
            redirect(dataset, self._final[name])

    def _what_is_kept(self) -> str | None:
        ways = [folder.to_go_on for folder in self._scratch if folder.holds_files()]
        if ways:
            return f"what it has trained is kept: {'; '.join(ways)}"
        if _fetches_encoders(self._pipeline, self._catalog):
            return f"{FETCHED}: the same command goes on from there"
        return None


def recover(data: Path) -> None:
    """Bring the data folder to where the last runs left it; the caller holds the lock.

    A run that was killed while it moved its outputs into place is finished; what one that was
    killed earlier wrote is removed.
    """
    records = read_records(data)
    for record in records:
        if record.outcome == "committing":
            finish(data, record)
            logger.warning("%s was killed at its very end: finished now", record.name)
        elif record.outcome == "running":
            record.close(data, "killed")
            logger.warning("%s was killed: what it wrote is removed", record.name)
    for partial in (data / RUNS).glob("*.partial"):  # a record that was being written
        partial.unlink()
    for record in records:  # of which a folder may be left if the removal was cut off
        shutil.rmtree(staging_path(data, record.run), ignore_errors=True)


def finish(data: Path, record: Record) -> None:
    """Move what is still in the staging folder into place, and close the record."""
    staging = staging_path(data, record.run)
    for place in record.moves:
        if (staging / place).exists():
            _move(staging / place, data / place)
    record.close(data, "completed")
    shutil.rmtree(staging, ignore_errors=True)


def _move(source: Path, target: Path) -> None:
    """Rename, also over what is there; from one disk to another, copy first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)  # a file is replaced by the renaming itself
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # Outside of the dataset's own folder, where Kedro would take it for a version.
        with replace_whole(target, target.parents[1] / f".{target.name}.partial") as copy:
            if source.is_dir():
                shutil.copytree(source, copy)
            else:
                shutil.copy2(source, copy)


def _outputs(data: Path, datasets: dict[str, Any], pipeline: Pipeline) -> dict[str, Versionable]:
    """Find what a run writes aside, by name, and what else looks at the same files."""
    local = local_datasets(data, datasets)
    paths = {location(local[name]) for name in pipeline.all_outputs() & local.keys()}
    return {name: dataset for name, dataset in local.items() if location(dataset) in paths}


def _scratch_folders(datasets: Mapping[str, Any]) -> list[ScratchFolderDataset]:
    from multimodal_sentiment.datasets import ScratchFolderDataset

    return [it for it in datasets.values() if isinstance(it, ScratchFolderDataset)]


def _fetches_encoders(pipeline: Pipeline, catalog: DataCatalog) -> bool:
    from multimodal_sentiment.datasets import EncoderStoreDataset

    return any(isinstance(catalog.get(name), EncoderStoreDataset) for name in pipeline.outputs())

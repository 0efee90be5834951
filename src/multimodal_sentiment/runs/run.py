"""The run that is going on: from its checks to its closing words."""

from __future__ import annotations

import logging
import os
import shlex
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from types import FrameType
from typing import TYPE_CHECKING, Any

import click
from kedro.runner import SequentialRunner

from .checks import check_encoders, check_run, folders_flag, shorten
from .errors import one_line
from .lock import lock_folder
from .progress import Progress
from .records import (
    Outcome,
    Record,
    data_folder,
    git_commit,
    log_path,
    now,
    package_versions,
    record_path,
)
from .summary import log_summary
from .transaction import Transaction, find_outputs, recover

if TYPE_CHECKING:
    from kedro.framework.context import KedroContext
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.datasets import ScratchFolderDataset

logger = logging.getLogger(__name__)

FETCHED = "only encoders that have come are kept, and what has come of the next"


class Run:
    """A run between its first check and its end; making one begins it.

    Args:
        context: Of the session.
        request: What Kedro was asked to run.
        pipeline: What it will run.
        catalog: What it will run on; inputs are pinned, outputs redirected.

    Raises:
        click.ClickException: If the run cannot do what it was asked.
    """

    def __init__(
        self,
        context: KedroContext,
        request: dict[str, Any],
        pipeline: Pipeline,
        catalog: DataCatalog,
    ) -> None:
        self.process, self.thread = os.getpid(), threading.get_ident()
        if request["only_missing_outputs"]:  # as the runner will do, but before paths change
            pipeline = SequentialRunner()._filter_pipeline_for_missing_outputs(pipeline, catalog)
        self.progress = Progress(pipeline)
        self._began = perf_counter()
        self._data = data_folder(context)
        self._folders = folders_flag(request)
        try:
            self._lock = lock_folder(self._data)
            try:
                recover(self._data)
                self._scratch = _scratch_folders(pipeline, catalog)
                self._fetches = _fetches_encoders(pipeline, catalog)
                self._transaction = _begin(self._data, context, request, pipeline, catalog)
            except BaseException:
                self._lock.release()
                raise
        except OSError as error:
            place = "" if error.filename else f"{shorten(self._data)}: "
            raise click.ClickException(place + one_line(error)) from error
        self._log = _LogFile(log_path(self._data, self._transaction.record.run))
        logging.getLogger().addHandler(self._log)
        self._former_handlers = _exit_on_signals()
        name, nodes = self._transaction.record.name, len(pipeline.nodes)
        logger.info("%s: %d nodes, log in %s", name, nodes, self.log)

    def seal(self) -> None:
        """Write down that the run has succeeded, and what is to be moved into place."""
        self._transaction.record.seconds = self.progress.seconds
        self._transaction.seal()

    def commit(self) -> None:
        """Move what the run wrote into place, and say what it is.

        Raises:
            click.ClickException: If something cannot be moved.
        """
        record = self._transaction.record
        try:
            places = self._transaction.commit()
        except BaseException as error:
            logger.warning("%s: not all is in place yet: the next run sees to that", record.name)
            if isinstance(error, OSError):
                raise click.ClickException(one_line(error)) from error
            raise
        for folder in self._scratch:
            folder.clear()
        seconds = perf_counter() - self._began
        log_summary(record, places, self._data, seconds, self._folders)

    def abandon(self, outcome: Outcome, error: BaseException | None = None) -> None:
        """Remove what the run wrote, and write down why."""
        record = self._transaction.record
        record.seconds = self.progress.seconds
        if error:
            self._log.handle(_traceback(error))
        try:
            self._transaction.abandon(outcome, self.explain(error) if error else None)
        except OSError as problem:  # the next run will find the run unfinished, and mend it
            logger.warning("%s: its record cannot be written: %s", record.name, one_line(problem))
        kept = FETCHED if self._fetches else "nothing of it is kept"
        ways = [folder.to_go_on for folder in self._scratch if _holds_files(folder)]
        if ways:
            kept = f"what it has trained is kept: {'; '.join(ways)}"
        logger.warning("%s %s: %s", record.name, outcome, kept)

    def close(self) -> None:
        """Let go of the data folder."""
        for number, handler in self._former_handlers.items():
            signal.signal(number, handler)
        logging.getLogger().removeHandler(self._log)
        self._log.close()
        self._lock.release()

    def explain(self, error: BaseException) -> str:
        """What went wrong, where, in one line."""
        return self.progress.where() + one_line(error)

    def name_version(self, dataset: str) -> str:
        """A dataset, and which version of it the run reads, if that was there before."""
        version = self._transaction.record.reads.get(dataset)
        return f"{dataset} {version}" if version else dataset

    @property
    def log(self) -> str:
        """Where the log is."""
        return shorten(self._log.baseFilename)


def _begin(
    data: Path,
    context: KedroContext,
    request: dict[str, Any],
    pipeline: Pipeline,
    catalog: DataCatalog,
) -> Transaction:
    parameters = context.config_loader["parameters"]
    datasets = {name: catalog[name] for name in sorted(pipeline.datasets()) if name in catalog}
    outputs = find_outputs(data, datasets, pipeline.all_outputs())
    reads, faults = check_run(pipeline, catalog, outputs, request)
    faults += check_encoders(pipeline, catalog, request, parameters)
    if faults:
        raise click.ClickException("\n".join(faults))
    _doubt_strangers(data, reads)
    record = Record(
        run=request["run_id"],
        pipelines=request["pipeline_names"] or ["__default__"],
        command=_command(),
        env=request["env"],
        parameters=parameters,
        reads=reads,
        writes={
            name: version.save if (version := dataset._version) else None
            for name, dataset in outputs.items()
            if name in pipeline.all_outputs()
        },
        git=git_commit(context.project_path),
        packages=package_versions(),
        started=now(),
        pid=os.getpid(),
    )
    transaction = Transaction(data, record, outputs)
    transaction.begin()
    return transaction


def _doubt_strangers(data: Path, reads: Mapping[str, str | None]) -> None:
    """Say which versions no run wrote: they appeared file by file, and nobody saw them complete."""
    for name, version in reads.items():
        if version and not record_path(data, version).exists():
            logger.warning("%s: no run on record wrote version %s: is it whole?", name, version)


def _scratch_folders(pipeline: Pipeline, catalog: DataCatalog) -> list[ScratchFolderDataset]:
    from multimodal_sentiment.datasets import ScratchFolderDataset

    datasets = [catalog.get(name) for name in pipeline.inputs()]
    return [dataset for dataset in datasets if isinstance(dataset, ScratchFolderDataset)]


def _fetches_encoders(pipeline: Pipeline, catalog: DataCatalog) -> bool:
    from multimodal_sentiment.datasets import EncoderStoreDataset

    return any(isinstance(catalog.get(name), EncoderStoreDataset) for name in pipeline.outputs())


def _holds_files(folder: ScratchFolderDataset) -> bool:
    return any(path.is_file() for path in folder.load().rglob("*"))


def _command() -> str | None:
    in_command = click.get_current_context(silent=True) is not None
    return shlex.join(["kedro", *sys.argv[1:]]) if in_command else None


def _exit_on_signals() -> dict[int, Any]:
    """Have SIGTERM and SIGHUP end the process in an orderly way; returns the former handlers."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    return {
        number: signal.signal(number, end)
        for number in numbers
        if signal.getsignal(number) is signal.SIG_DFL
    }


def _traceback(error: BaseException) -> logging.LogRecord:
    text = "".join(traceback.format_exception(error))
    return logging.makeLogRecord({"name": __name__, "levelname": "ERROR", "msg": text})


class _LogFile(logging.FileHandler):
    """The run's log; what cannot be written, on a full disk say, is left out."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing: the screen has the line too."""

    def close(self) -> None:
        """Close the file."""
        with suppress(OSError):
            super().close()

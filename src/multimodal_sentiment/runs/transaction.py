"""Outputs are written aside, and moved into place together once the run has succeeded.

While a run goes on, the datasets it writes point into its staging folder, which is laid out as
the data folder is; so whatever the run loads of what it wrote is that very version. The moves are
written down before the first of them, so that the next run can finish them if this one is killed.
"""

from __future__ import annotations

import errno
import logging
import os
import shutil
from collections.abc import Mapping, Set
from pathlib import Path, PurePosixPath
from typing import Any

from kedro.io import AbstractDataset, AbstractVersionedDataset, Version

from .records import RUNS, Outcome, Record, read_records, staging_path

logger = logging.getLogger(__name__)

LOCAL = ("file", "local", "")  # what fsspec calls this machine's own files

Dataset = AbstractVersionedDataset[Any, Any]


class Transaction:
    """The outputs of one run.

    Args:
        data: The data folder.
        record: Of the run; saved at each step.
        outputs: What `find_outputs` found.
    """

    def __init__(self, data: Path, record: Record, outputs: Mapping[str, Dataset]) -> None:
        self.data = data
        self.record = record
        self._staging = staging_path(data, record.run)
        self._outputs = {
            name: (dataset, dataset._filepath, dataset._version)
            for name, dataset in outputs.items()
        }

    def begin(self) -> None:
        """Write the record and point the outputs into the staging folder."""
        self.record.save(self.data)
        self._staging.mkdir()
        for dataset, path, version in self._outputs.values():
            staged = self._staging / _relative(self.data, path)
            _point(dataset, PurePosixPath(staged.as_posix()), version)

    def seal(self) -> None:
        """Write down what is to be moved into place: from here on the run will be finished."""
        places = (_place(self.data, path, version) for _, path, version in self._outputs.values())
        _flush(self._staging)
        self.record.moves = sorted(
            {place.as_posix() for place in places if (self._staging / place).exists()}
        )
        self.record.outcome = "committing"
        self.record.save(self.data)

    def commit(self) -> dict[str, Path]:
        """Move everything into place. If that fails, the next run finishes it.

        Returns:
            The file or folder that each output was written to, by name.
        """
        finish(self.data, self.record)
        self._restore()
        return {
            name: Path(dataset._get_load_path())
            for name, (dataset, path, version) in self._outputs.items()
            if _place(self.data, path, version).as_posix() in self.record.moves
        }

    def abandon(self, outcome: Outcome, error: str | None = None) -> None:
        """Remove everything that the run wrote; first of all, as the disk may be full."""
        self._restore()
        shutil.rmtree(self._staging, ignore_errors=True)
        self.record.close(self.data, outcome, error)

    def _restore(self) -> None:
        for dataset, path, version in self._outputs.values():
            _point(dataset, path, version)


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


def find_outputs(
    data: Path, datasets: Mapping[str, AbstractDataset[Any, Any]], written: Set[str]
) -> dict[str, Dataset]:
    """Find what a run writes, by name, and what else looks at the same files.

    Only local files and folders below the data folder, of datasets of a class that Kedro can
    version (whether or not they are versioned), can be written aside.

    Args:
        data: The data folder.
        datasets: All that the run reads or writes, by name.
        written: Names of those that it writes.
    """
    local = {
        name: dataset
        for name, dataset in datasets.items()
        if isinstance(dataset, AbstractVersionedDataset)
        and getattr(dataset, "_protocol", "file") in LOCAL
        and Path(os.path.abspath(dataset._filepath)).is_relative_to(data)
    }
    paths = {local[name]._filepath for name in written & local.keys()}
    return {name: dataset for name, dataset in local.items() if dataset._filepath in paths}


def _place(data: Path, path: PurePosixPath, version: Version | None) -> Path:
    """What is moved, relative to the data folder: the folder of a version, or the path itself."""
    return _relative(data, path / version.save if version else path)


def _relative(data: Path, path: PurePosixPath) -> Path:
    """A path below the data folder, relative to it."""
    return Path(os.path.abspath(path)).relative_to(data)


def _point(dataset: Dataset, path: PurePosixPath, version: Version | None) -> None:
    dataset._filepath = path
    dataset._version = version
    dataset.release()  # forgets what was found at the former path


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
        copy = target.parents[1] / f".{target.name}.partial"
        if source.is_dir():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(source, copy)
        else:
            shutil.copy2(source, copy)
        os.replace(copy, target)


def _flush(folder: Path) -> None:
    """Have the disk hold what was written, so that a power cut leaves whole versions or none."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())

"""The staging folder of a run: what it writes lies there until all of it is complete.

The folder is `<data>/runs/VERSION`, and is laid out as the data folder is. The record of the run
names what is to be moved from it into place, so that another run can finish the move.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Set
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from multimodal_sentiment.files import flush, follow_umask, move

from .kedro_adapter import (
    Versionable,
    is_versioned,
    local_datasets,
    location,
    redirect,
    stored_datasets,
)
from .records import RUNS, Record, read_records, staging_path

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)


class Output(NamedTuple):
    """A dataset that a run writes, or that reads the same files.

    Attributes:
        dataset: The dataset that is pointed into the staging folder.
        final: The file or folder of the dataset, or with versions the folder of their folders.
        place: The path that is moved at the end: its file or folder, or with versions that of this
            run.
        version: The version that this run saves, if the dataset keeps versions.
    """

    dataset: Versionable
    final: Path
    place: Path
    version: str | None


class StagingFolder:
    """Where a run writes, and what it writes there.

    What an idle output holds says nothing, and would take the place of what an earlier run found
    out: it goes with the folder.

    Attributes:
        written: The datasets below the data folder that the run writes, by name.
    """

    def __init__(
        self,
        data: Path,
        run: str,
        pipeline: Pipeline,
        catalog: DataCatalog,
        idle: Set[str] = frozenset(),
    ) -> None:
        self._data, self._path = data, staging_path(data, run)
        self._outputs = _find_outputs(data, run, pipeline, catalog)
        names = pipeline.all_outputs() - idle
        self.written = {name: output for name, output in self._outputs.items() if name in names}

    def open(self) -> None:
        """Make the folder, and point the datasets into it."""
        self._path.mkdir()
        for output in self._outputs.values():
            redirect(output.dataset, self._path / output.final.relative_to(self._data))

    def complete(self) -> list[str]:
        """Have the disk hold what was written.

        Returns:
            The files and folders to be moved into place, relative to the data folder.
        """
        follow_umask(self._path)
        flush(self._path)
        places = {output.place for output in self.written.values()}
        return sorted(place.as_posix() for place in places if (self._path / place).exists())

    def release(self) -> None:
        """Point the datasets to their own places again."""
        for output in self._outputs.values():
            redirect(output.dataset, output.final)

    def remove(self) -> None:
        """Remove the folder, with what is in it."""
        shutil.rmtree(self._path, ignore_errors=True)

    def places(self, moved: list[str]) -> dict[str, Path]:
        """Return the file or folder of each dataset that was written, by name.

        Args:
            moved: The files and folders that were moved into place, as `complete` returns them.
        """
        return {
            name: self._data / output.place / (output.final.name if output.version else "")
            for name, output in self.written.items()
            if output.place.as_posix() in moved
        }


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
            move(staging / place, data / place)
    record.close(data, "completed")
    shutil.rmtree(staging, ignore_errors=True)


def _find_outputs(
    data: Path, run: str, pipeline: Pipeline, catalog: DataCatalog
) -> dict[str, Output]:
    """Find what a run writes below the data folder, by name, and what looks at the same files."""
    local = local_datasets(data, stored_datasets(catalog, pipeline.datasets()))
    written = {location(local[name]) for name in pipeline.all_outputs() & local.keys()}
    outputs = {}
    for name, dataset in local.items():
        final = location(dataset)
        if final in written:
            version = run if is_versioned(dataset) else None
            place = final.relative_to(data) / (version or "")
            outputs[name] = Output(dataset, final, place, version)
    return outputs

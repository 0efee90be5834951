"""Old versions, and what failed runs left, are removed on demand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import Version

from .records import log_path, read_records, record_path
from .transaction import Dataset, find_outputs

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol

UNSUCCESSFUL = ("failed", "interrupted", "killed")


@dataclass(frozen=True)
class Leftover:
    """A file or folder that can go, and why."""

    path: Path
    reason: str

    @cached_property
    def size(self) -> int:
        """Bytes."""
        files = [self.path] if self.path.is_file() else self.path.rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())


def versioned_datasets(data: Path, catalog: CatalogProtocol[Any, Any]) -> dict[str, Dataset]:
    """Find the versioned datasets of all pipelines below the data folder, by name."""
    from kedro.framework.project import pipelines

    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    datasets = {name: catalog[name] for name in sorted(names) if name in catalog}
    return {
        name: dataset
        for name, dataset in find_outputs(data, datasets, datasets.keys()).items()
        if dataset._version
    }


def find_leftovers(data: Path, datasets: Mapping[str, Dataset], keep: int) -> list[Leftover]:
    """Find what can be removed; the caller holds the lock.

    That is, of each dataset, every version but its `keep` newest whole ones; the records and logs
    of runs that did not succeed, and of those of whose versions none is kept.

    Args:
        data: The data folder.
        datasets: All versioned datasets below it, by name.
        keep: Number of versions.
    """
    kept: set[str] = set()
    leftovers: dict[Path, Leftover] = {}
    for name, dataset in datasets.items():
        whole = 0
        for version, path in _versions(dataset):
            if not dataset.exists():
                leftovers[path] = Leftover(path, f"incomplete version of {name}")
            elif whole == keep:
                leftovers[path] = Leftover(path, f"old version of {name}")
            else:
                whole += 1
                kept.add(version)
    for record in read_records(data):
        reason = None
        if record.outcome in UNSUCCESSFUL:
            reason = f"{record.outcome} run"
        elif record.run in record.writes.values() and record.run not in kept:
            reason = "run of which nothing else is left"
        if reason:
            for path in (record_path(data, record.run), log_path(data, record.run)):
                if path.exists():
                    leftovers[path] = Leftover(path, reason)
    return sorted(leftovers.values(), key=lambda leftover: leftover.path)


def remove(leftovers: list[Leftover]) -> None:
    """Remove leftovers. If that is interrupted, what is left of a version is not the newest."""
    for leftover in leftovers:
        if leftover.path.is_dir():
            shutil.rmtree(leftover.path)
        else:
            leftover.path.unlink()


def _versions(dataset: Dataset) -> Iterator[tuple[str, Path]]:
    """Each version, newest first; while it is handed out, it is what the dataset loads."""
    for version in dataset.list_versions(full_path=False):
        dataset._version = Version(version, None)
        yield version, Path(dataset._get_load_path()).parent

"""Removes old versions, and what failed runs left, on demand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.datasets.promotion import promoted_version
from multimodal_sentiment.files import remove
from multimodal_sentiment.wording import size_in_words

from .kedro_adapter import (
    Versionable,
    is_versioned,
    local_datasets,
    location,
    stored_datasets,
)
from .records import log_path, read_records, record_path
from .versions import fault_of_version, unread, versions_of

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol

UNSUCCESSFUL = ("failed", "interrupted", "killed")
SMALL_CHANGE = 0.01  # share of all that goes; what is smaller is not listed by name


@dataclass(frozen=True)
class Leftover:
    """A file or folder that can be removed, and why."""

    path: Path
    reason: str

    @cached_property
    def size(self) -> int:
        """The size in bytes."""
        files = [self.path] if self.path.is_file() else self.path.rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())


def versioned_datasets(data: Path, catalog: CatalogProtocol[Any, Any]) -> dict[str, Versionable]:
    """Find the versioned datasets that pipelines write below the data folder, by name.

    What only reads part of such a dataset lies at the same place, and is not named beside it.
    """
    from kedro.framework.project import pipelines

    names = {name for pipeline in pipelines.values() for name in pipeline.all_outputs()}
    local = local_datasets(data, stored_datasets(catalog, names))
    return {name: dataset for name, dataset in local.items() if is_versioned(dataset)}


def find_leftovers(data: Path, datasets: Mapping[str, Versionable], keep: int) -> list[Leftover]:
    """Find what can be removed; the caller holds the lock.

    That is, of each dataset, every version but its `keep` newest whole ones and that of the
    promoted model, whose card, metrics and posts stay with it; the records and logs of runs that
    did not succeed, and of those of whose versions none is kept.
    What this user may not read, or a disk does not give, stays, and so do links.

    Args:
        data: The data folder.
        datasets: All versioned datasets below it, by name.
        keep: The number of versions to keep.
    """
    promoted = _promoted(datasets)
    kept: set[str] = set()
    leftovers: dict[Path, Leftover] = {}
    for name, dataset in datasets.items():
        whole = 0
        for version in versions_of(dataset):
            path = location(dataset) / version
            fault = fault_of_version(dataset, version)
            if version in promoted or path.is_symlink() or (fault and unread(path)):
                kept.add(version)
            elif fault:
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


def describe(leftovers: list[Leftover], data: Path) -> list[str]:
    """Return a line for each large leftover, and one line for all small ones together."""
    total = sum(leftover.size for leftover in leftovers)
    large = [leftover for leftover in leftovers if leftover.size >= SMALL_CHANGE * total]
    small = [leftover for leftover in leftovers if leftover.size < SMALL_CHANGE * total]
    if len(small) == 1:
        large, small = leftovers, []
    lines = [f"{it.path.relative_to(data)}  ({it.reason})" for it in large]
    sizes = [size_in_words(it.size) for it in large]
    if small:
        reasons = Counter(it.reason.partition(" of ")[0] for it in small)
        kinds = ", ".join(f"{count} {kind}" + "s" * (count > 1) for kind, count in reasons.items())
        lines.append(f"{len(small)} smaller files and folders  ({kinds})")
        sizes.append(size_in_words(sum(it.size for it in small)))
    return [f"{size:>10}  {line}" for size, line in zip(sizes, lines, strict=True)]


def remove_all(leftovers: list[Leftover], datasets: Mapping[str, Versionable]) -> None:
    """Remove leftovers, but for a version that has been promoted since; the caller holds that lock.

    If this is interrupted, what is left of a version is never the newest.

    Args:
        leftovers: What is removed.
        datasets: All versioned datasets, by name: a model may be promoted of which nothing goes.
    """
    promoted = _promoted(datasets)
    stay = {f"{version}{suffix}" for version in promoted for suffix in ("", ".json", ".log")}
    for leftover in leftovers:
        if leftover.path.name not in stay:
            remove(leftover.path)


def _promoted(datasets: Mapping[str, Versionable]) -> set[str]:
    """Return the versions that are promoted of some datasets."""
    folders = {location(dataset) for dataset in datasets.values()}
    return {version for folder in folders if (version := promoted_version(folder))}

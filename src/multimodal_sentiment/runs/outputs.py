"""The datasets that a run writes, and where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .kedro_adapter import Versionable, is_versioned, local_datasets, location, stored_datasets

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline


class Output(NamedTuple):
    """A dataset that a run writes, or that reads the same files.

    Attributes:
        dataset: The dataset that is pointed into the staging folder.
        final: The file or folder of the dataset, or with versions the folder of their folders.
        place: What is moved at the end: its file or folder, or with versions that of this run.
        version: The version that this run saves, if the dataset keeps versions.
    """

    dataset: Versionable
    final: Path
    place: Path
    version: str | None


def find_outputs(
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

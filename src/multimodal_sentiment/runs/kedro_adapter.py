"""What the transaction needs of Kedro's datasets, and how versions lie on the disk.

All of Kedro's private names that this project uses stand here. `tests/runs/test_kedro_adapter.py`
fails if one of them no longer means what it does:

- `dataset._filepath`: Kedro has no other way to have an existing dataset write elsewhere. A new
  one in its place in the catalog would lose the dataset's validators.
- `dataset._version`: the same for which version it loads.
- `dataset._protocol`: how datasets of kedro-datasets say whether they write to this machine.
- `dataset._path`: where datasets without versions read from, for messages only.
- `runner._filter_pipeline_for_missing_outputs`: which nodes `--only-missing-outputs` leaves; the
  runner decides that after the hooks, when the outputs already point elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractDataset, AbstractVersionedDataset, MemoryDataset, Version
from kedro.runner import SequentialRunner

from multimodal_sentiment.files import short_path

if TYPE_CHECKING:
    from kedro.io import CatalogProtocol, DataCatalog
    from kedro.pipeline import Pipeline

LOCAL = ("file", "local", "")  # what fsspec calls this machine's own files

Dataset = AbstractDataset[Any, Any]
Versionable = AbstractVersionedDataset[Any, Any]


def stored_datasets(catalog: CatalogProtocol[Any, Any], names: Iterable[str]) -> dict[str, Dataset]:
    """Find the datasets that outlive a run, by name in alphabetical order.

    Parameters do not, nor does what is passed on in memory.
    """
    datasets = {name: catalog[name] for name in sorted(names) if name in catalog}
    return {name: it for name, it in datasets.items() if not isinstance(it, MemoryDataset)}


def local_datasets(data: Path, datasets: dict[str, Dataset]) -> dict[str, Versionable]:
    """Find the datasets that can be written to a staging folder.

    These are local files and folders below the data folder, of datasets of a class that Kedro can
    version, whether or not they are versioned.
    """
    return {
        name: dataset
        for name, dataset in datasets.items()
        if isinstance(dataset, AbstractVersionedDataset)
        and getattr(dataset, "_protocol", "file") in LOCAL
        and location(dataset).is_relative_to(data)
    }


def location(dataset: Versionable) -> Path:
    """Return the file or folder of a dataset, or with versions the folder of their folders."""
    return Path(os.path.abspath(dataset._filepath))


def place_in_words(dataset: Any) -> str:
    """Return where a dataset of any class lies, as short as can be said from the current folder."""
    path = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    return short_path(path) if path else "its place"


def is_versioned(dataset: Dataset) -> bool:
    """Return whether a dataset keeps versions."""
    return isinstance(dataset, AbstractVersionedDataset) and dataset._version is not None


def redirect(dataset: Versionable, path: Path) -> None:
    """Make a dataset load and save elsewhere."""
    dataset._filepath = PurePosixPath(path.as_posix())
    dataset.release()  # forgets which versions it has found


def pin(dataset: Versionable, version: str | None) -> None:
    """Make a dataset load a version; the newest at that time if None."""
    dataset._version = Version(version, dataset.resolve_save_version())
    dataset.release()


def without_existing_outputs(pipeline: Pipeline, catalog: DataCatalog) -> Pipeline:
    """Return the part of a pipeline that `--only-missing-outputs` runs."""
    return SequentialRunner()._filter_pipeline_for_missing_outputs(pipeline, catalog)

"""The numbers that Kedro-Viz shows of datasets: those of what a run has just written.

Kedro-Viz writes them when a run ends. It takes the size of the path in the catalog, which of a
dataset with versions is the folder of these, and counts the rows of pandas' frames alone.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import AbstractVersionedDataset

from multimodal_sentiment.files import replace_whole
from multimodal_sentiment.wording import reason

from .kedro_adapter import location

if TYPE_CHECKING:
    from kedro.io import DataCatalog

    from .records import Record

logger = logging.getLogger(__name__)

_FILE = Path(".viz") / "stats.json"


def mend_statistics(
    project: Path, catalog: DataCatalog, record: Record, places: Mapping[str, Path]
) -> None:
    """Correct the sizes, and the rows of tables in Arrow, in the file that Kedro-Viz reads.

    Args:
        project: The project's folder.
        catalog: The catalog of the run.
        record: The record of the run, which says what version it has read of each dataset.
        places: The file or folder of each version that it wrote, by dataset.
    """
    path = project / _FILE
    try:
        known: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # Kedro-Viz is not there, or its file is none that we know
        return
    read = {
        name: location(dataset) / version / location(dataset).name
        for name, version in record.reads.items()
        if version and isinstance(dataset := catalog[name], AbstractVersionedDataset)
    }
    for name, place in {**read, **places}.items():
        if place.exists():
            known[name] = _measure(place, known.get(name, {}))
    try:
        with replace_whole(path) as partial:
            partial.write_text(json.dumps(known), encoding="utf-8")
    except OSError as error:
        logger.warning("%s cannot be written: %s", path, reason(error))


def _measure(place: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    """Return the rows and columns of a dataset, as far as they are known, and its bytes."""
    files = [place] if place.is_file() else [file for file in place.rglob("*") if file.is_file()]
    shape = _shape(place) or {key: known[key] for key in ("rows", "columns") if key in known}
    return {**shape, "file_size": sum(file.stat().st_size for file in files)}


def _shape(place: Path) -> dict[str, int]:
    if place.suffix != ".arrow":
        return {}
    from multimodal_sentiment.arrow_parts import read_parts

    table = read_parts(place)
    return {"rows": table.num_rows, "columns": table.num_columns}

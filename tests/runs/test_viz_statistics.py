"""What Kedro-Viz says of the size of datasets."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from kedro.io import DataCatalog, Version
from kedro_datasets.pandas import CSVDataset

from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.runs.viz_statistics import mend_statistics

VERSION = "2026-01-01T00.00.00.000Z"


@pytest.fixture
def project(tmp_path):
    """Two datasets with a version each, and what Kedro-Viz has written of them."""
    version = Version(None, VERSION)
    table = CSVDataset(filepath=str(tmp_path / "table.csv"), version=version)
    table.save(pd.DataFrame({"a": range(100)}))
    stream = ArrowStreamDataset(filepath=str(tmp_path / "stream.arrow"), version=version)
    batch = pa.record_batch({"a": [1, 2], "b": [3, 4]})
    stream.save(pa.RecordBatchReader.from_batches(batch.schema, [batch] * 3))
    (tmp_path / ".viz").mkdir()
    written = {"table": {"rows": 100, "columns": 1, "file_size": 4096}, "other": {"rows": 1}}
    (tmp_path / ".viz" / "stats.json").write_text(json.dumps(written))
    return tmp_path, DataCatalog({"table": table, "stream": stream})


def mended(project: Any, reads: dict[str, Any], **places: Any) -> Any:
    folder, catalog = project
    mend_statistics(folder, catalog, SimpleNamespace(reads=reads), places)
    return json.loads((folder / ".viz" / "stats.json").read_text())


def test_sizes_and_rows_are_those_of_the_version_that_was_written_or_read(project):
    folder, _ = project
    stream = folder / "stream.arrow" / VERSION / "stream.arrow"
    table = folder / "table.csv" / VERSION / "table.csv"
    (part,) = stream.iterdir()

    known = mended(project, {"table": VERSION, "listing": None}, stream=stream)

    assert known == {
        "table": {"rows": 100, "columns": 1, "file_size": table.stat().st_size},
        "stream": {"rows": 6, "columns": 2, "file_size": part.stat().st_size},
        "other": {"rows": 1},
    }


def test_a_folder_is_as_large_as_its_files(project):
    folder, _ = project
    (folder / "model").mkdir()
    (folder / "model" / "weights").write_bytes(bytes(1000))
    (folder / "model" / "config.json").write_bytes(bytes(24))

    assert mended(project, {}, model=folder / "model")["model"] == {"file_size": 1024}


def test_without_kedro_viz_nothing_is_written(tmp_path):
    mend_statistics(tmp_path, DataCatalog(), SimpleNamespace(reads={}), {"x": tmp_path})

    assert list(tmp_path.iterdir()) == []

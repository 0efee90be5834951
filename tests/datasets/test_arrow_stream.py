"""Tables that are written as a stream and loaded as a map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from kedro.io import DatasetError, Version

from multimodal_sentiment.datasets import ArrowStreamDataset

SCHEMA = pa.schema(
    {"number": pa.int64(), "text": pa.string(), "image": pa.large_binary()},
    metadata={"storage": "pixels"},
)


def batches(count: int, fail_at: int | None = None) -> Iterator[pa.RecordBatch]:
    for number in range(count):
        if number == fail_at:
            raise ValueError("the source broke")
        row = {"number": number, "text": f"post {number}", "image": bytes([number]) * 1000}
        yield pa.RecordBatch.from_pylist([row], schema=SCHEMA)


def stream(count: int, fail_at: int | None = None) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(SCHEMA, batches(count, fail_at))


def versioned(
    tmp_path: Path, load: str | None = None, save: str | None = None
) -> ArrowStreamDataset:
    return ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"), version=Version(load, save))


def all_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_streamed_is_loaded(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "deep" / "x.arrow"))
    dataset.save(stream(5))
    table = dataset.load()
    assert table.schema.equals(SCHEMA, check_metadata=True)
    assert table["number"].to_pylist() == [0, 1, 2, 3, 4]
    assert table["image"][3].as_py() == b"\3" * 1000


def test_batches_are_written_as_they_come(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    sizes = []

    def watched() -> Iterator[pa.RecordBatch]:
        for batch in batches(100):
            sizes.append(sum(path.stat().st_size for path in all_files(tmp_path)))
            yield batch

    dataset.save(pa.RecordBatchReader.from_batches(SCHEMA, watched()))
    assert sizes[50] >= 49 * 1000


def test_loading_maps_the_file_instead_of_reading_it(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    dataset.save(stream(50))
    before = pa.total_allocated_bytes()
    table = dataset.load()
    assert table["image"].nbytes >= 50_000
    assert pa.total_allocated_bytes() - before < 25_000


def test_the_newest_version_is_loaded_or_the_one_asked_for(tmp_path: Path) -> None:
    versioned(tmp_path, save="2026-01-01").save(stream(1))
    versioned(tmp_path, save="2026-01-02").save(stream(2))
    assert len(versioned(tmp_path).load()) == 2
    assert len(versioned(tmp_path, load="2026-01-01").load()) == 1


def test_a_stream_that_breaks_leaves_nothing(tmp_path: Path) -> None:
    dataset = versioned(tmp_path)
    with pytest.raises(DatasetError, match="the source broke"):
        dataset.save(stream(5, fail_at=3))
    assert all_files(tmp_path) == []
    assert not dataset.exists()


def test_a_stream_that_breaks_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    dataset.save(stream(2))
    with pytest.raises(DatasetError, match="the source broke"):
        dataset.save(stream(5, fail_at=3))
    assert len(dataset.load()) == 2


def test_a_file_cut_anywhere_does_not_count_as_existing(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    dataset = ArrowStreamDataset(filepath=str(path))
    dataset.save(stream(3))
    content = path.read_bytes()
    assert dataset.exists()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        assert not dataset.exists()
        with pytest.raises(DatasetError, match=r"x\.arrow is not a complete Arrow file: remove it"):
            dataset.load()


def test_nothing_saved_yet(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"x\.arrow does not exist"):
        dataset.load()
    assert not versioned(tmp_path).exists()


def test_the_preview_leaves_the_bytes_out(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    dataset.save(stream(5))
    preview = dataset.preview(nrows=2)
    assert preview["columns"] == ["number", "text"]
    assert preview["data"] == [[0, "post 0"], [1, "post 1"]]
    json.dumps(preview)

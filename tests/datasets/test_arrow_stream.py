"""Tables that are written as a stream and loaded as a map."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from kedro.io import DatasetError, Version

from multimodal_sentiment import arrow_parts
from multimodal_sentiment.arrow_parts import list_parts, part_name, read_parts, write_part
from multimodal_sentiment.datasets import ArrowStreamDataset

from ..layouts.test_post_folder import as_nobody

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


@pytest.fixture
def three_rows_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrow_parts, "PART_ROWS", 3)


def described(table: pa.Table) -> tuple[pa.Schema, dict[bytes, bytes]]:
    """The columns, and the metadata but for the path that loading adds."""
    metadata = table.schema.metadata or {}
    kept = {key: value for key, value in metadata.items() if key != b"path"}
    return table.schema.remove_metadata(), kept


def all_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_what_was_streamed_is_loaded(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "deep" / "x.arrow"))
    dataset.save(stream(5))
    table = dataset.load()
    assert table.schema.equals(SCHEMA)
    path = str(tmp_path / "deep" / "x.arrow").encode()
    assert table.schema.metadata == (SCHEMA.metadata or {}) | {b"path": path}
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
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    dataset.save(stream(3))
    (path,) = all_files(tmp_path)
    content = path.read_bytes()
    assert dataset.exists()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        assert not dataset.exists()
        with pytest.raises(
            DatasetError, match=r"x\.arrow is not a complete Arrow table: remove it"
        ):
            dataset.load()


def test_a_table_that_may_not_be_read_is_not_called_incomplete(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "layer").mkdir()
    monkeypatch.chdir(tmp_path / "layer")  # the way to which not everybody may go
    dataset = ArrowStreamDataset(filepath="x.arrow")
    dataset.save(stream(3))
    (part,) = all_files(tmp_path)
    part.chmod(0)
    with (
        as_nobody(),
        pytest.raises(DatasetError, match=r"x\.arrow cannot be read: Permission denied"),
    ):
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


@pytest.mark.usefixtures("three_rows_a_part")
def test_a_table_is_written_in_parts_of_so_many_rows_and_read_in_order(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    dataset.save(stream(7))
    assert [
        (part.path.name, part.first, part.rows) for part in list_parts(tmp_path / "x.arrow")
    ] == [
        ("part-00000-of-00003.arrow", 0, 3),
        ("part-00001-of-00003.arrow", 3, 3),
        ("part-00002-of-00003.arrow", 6, 1),
    ]
    table = dataset.load()
    assert table["number"].to_pylist() == list(range(7))
    assert described(table) == described(SCHEMA.empty_table())
    assert table["image"].take([6, 0, 4]).to_pylist() == [bytes([n]) * 1000 for n in (6, 0, 4)]


@pytest.mark.usefixtures("three_rows_a_part")
def test_a_part_is_read_by_its_path_alone_with_the_whole_schema(tmp_path: Path) -> None:
    ArrowStreamDataset(filepath=str(tmp_path / "x.arrow")).save(stream(7))
    alone = read_parts(list_parts(tmp_path / "x.arrow")[1].path)
    assert alone["number"].to_pylist() == [3, 4, 5]
    assert alone.schema.equals(SCHEMA, check_metadata=True)


@pytest.mark.usefixtures("three_rows_a_part")
def test_a_batch_larger_than_a_part_is_divided(tmp_path: Path) -> None:
    table = pa.Table.from_batches(batches(8)).combine_chunks()
    ArrowStreamDataset(filepath=str(tmp_path / "x.arrow")).save(table.to_reader())
    parts = list_parts(tmp_path / "x.arrow")
    assert [part.rows for part in parts] == [3, 3, 2]
    assert read_parts(tmp_path / "x.arrow").equals(table)
    # A slice is written alone, not with the batch that it was cut from.
    assert all(part.path.stat().st_size < 5000 for part in parts)


@pytest.mark.usefixtures("three_rows_a_part")
def test_a_table_that_lacks_a_part_does_not_count_as_existing(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    for number in range(3):
        dataset.save(stream(7))
        list_parts(tmp_path / "x.arrow")[number].path.unlink()
        assert not dataset.exists()
        with pytest.raises(DatasetError, match=r"x\.arrow is not a complete Arrow table"):
            dataset.load()


def test_a_table_without_rows_keeps_its_schema(tmp_path: Path) -> None:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "x.arrow"))
    dataset.save(stream(0))
    assert described(dataset.load()) == described(SCHEMA.empty_table())
    assert [part.rows for part in list_parts(tmp_path / "x.arrow")] == [0]


def test_parts_that_others_wrote_are_read(tmp_path: Path) -> None:
    for number, count in enumerate((2, 1)):
        write_part(batches(count), SCHEMA, tmp_path / part_name(number, 2))
    assert read_parts(tmp_path)["number"].to_pylist() == [0, 1, 0]


def test_a_single_file_as_earlier_versions_wrote_it_is_loaded_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "x.arrow"
    write_part(batches(4), SCHEMA, path)
    dataset = ArrowStreamDataset(filepath=str(path))
    assert dataset.exists()
    assert dataset.load()["number"].to_pylist() == [0, 1, 2, 3]
    assert [tuple(part) for part in list_parts(path)] == [(path, 0, 4)]
    dataset.save(stream(5))
    assert len(dataset.load()) == 5

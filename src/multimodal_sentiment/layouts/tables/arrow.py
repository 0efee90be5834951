"""Parquet, Arrow and Feather files, and folders that Hugging Face's `datasets` has saved.

Columns of images are read a batch at a time: they may be larger than the memory.
"""

from __future__ import annotations

import bisect
import json
import threading
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.parquet as pq

from multimodal_sentiment.wording import reason

from ..errors import LayoutError
from ..files.addresses import open_to_read
from .features import class_names, describe_columns, with_features
from .table import Table, in_words

COPY = "data-00000-of-00001.arrow"
STATE, INFO = "state.json", "dataset_info.json"  # what `datasets` writes into a folder

_LARGE = (pa.types.is_struct, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
_BUFFER_BYTES = 2**20
_BATCH_ROWS = 32
_COPIED_ROWS, _COPIED_BYTES = 1024, 2**26  # at most, at a time
_LARGE_BATCHES_KEPT = 2  # of what was written in batches of a size that is not ours
_BATCHES_KEPT = 8  # several threads read images, about in order: see `cluster.threads.AHEAD`


class ArrowTable(Table):
    """A table with typed columns."""

    def __init__(self, path: Path, schema: pa.Schema, count: int) -> None:
        self.path = path
        self._schema = schema
        self._classes = class_names(schema)
        self._columns: dict[str, pa.ChunkedArray] = {}
        self._lock = threading.Lock()
        self.names = list(schema.names)
        self.count = count

    def words(self, name: str) -> list[str | None]:
        """Return a column as text; numbers of classes by the names that the file gives them."""
        classes = self._classes.get(name)
        values = self._column(name).to_pylist()
        if classes:
            return [None if v is None or v < 0 else classes[v] for v in values]
        try:
            return [in_words(value) for value in values]
        except TypeError as error:
            raise LayoutError(f"{self.path}, column {name}: {error}") from error

    def cell(self, name: str, row: int) -> Any:
        """Return a value of Python's."""
        return self._column(name)[row].as_py()

    def image(self, name: str, row: int) -> Any:
        """Return a path, bytes, or both; of these, only some rows are held."""
        kind = self._schema.field(name).type
        if pa.types.is_list(kind) or pa.types.is_large_list(kind):
            kind = kind.value_type
        if not any(is_kind(kind) for is_kind in _LARGE):
            return self.cell(name, row)
        with self._lock:
            return self._image(name, row)

    def write_with(self, columns: Mapping[str, Sequence[Any]], path: Path) -> None:
        """Write a copy, a batch at a time; see `Table`."""
        fields = [pa.field(name, pa.array(values).type) for name, values in columns.items()]
        schema = with_features(pa.schema([*self._schema, *fields], self._schema.metadata), fields)
        start = 0
        with self._writer(path, schema) as writer:
            for batch in self._all_batches():
                end = start + batch.num_rows
                new = [
                    pa.array(values[start:end], field.type)
                    for field, values in zip(fields, columns.values(), strict=True)
                ]
                arrays = [*batch.columns, *new]
                writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
                start = end

    @abstractmethod
    def _writer(self, path: Path, schema: pa.Schema) -> Any:
        """Open a file of the same format for writing."""

    @abstractmethod
    def _all_batches(self) -> Iterator[pa.RecordBatch]:
        """Yield the whole table."""

    @abstractmethod
    def _read(self, name: str) -> pa.ChunkedArray:
        """Read a column whole."""

    @abstractmethod
    def _image(self, name: str, row: int) -> Any:
        """Read a row of a large column."""

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self._columns:
            column = self._read(name)
            if pa.types.is_dictionary(column.type):
                column = column.cast(column.type.value_type)
            self._columns[name] = column
        return self._columns[name]


class ParquetTable(ArrowTable):
    """A Parquet file."""

    format = "parquet"

    def __init__(self, path: Path) -> None:
        # Of a thousand shards, one is open: that of which images are being read.
        with open_to_read(path) as source:
            file = pq.ParquetFile(source)
            self._metadata = file.metadata
            super().__init__(path, file.schema_arrow, file.metadata.num_rows)
        groups = [*map(self._metadata.row_group, range(self._metadata.num_row_groups))]
        self._starts = [0, *accumulate(group.num_rows for group in groups)]
        self._size = sum(group.total_byte_size for group in groups)
        self._source: Any = None  # of the stream
        self._stream: Iterator[pa.RecordBatch] = iter(())
        self._stream_at = (-1, 0)  # group and row in it
        self._batches: OrderedDict[int, pa.Array] = OrderedDict()  # by their first row

    def release(self) -> None:
        """Close the file, and let go of the images that were read last."""
        with self._lock:
            self._close()
            self._batches.clear()

    def _writer(self, path: Path, schema: pa.Schema) -> pq.ParquetWriter:
        return pq.ParquetWriter(path, schema)

    def _all_batches(self) -> Iterator[pa.RecordBatch]:
        with open_to_read(self.path) as source:
            yield from self._open(source).iter_batches(_copied_rows(self._size, self.count))

    def _read(self, name: str) -> pa.ChunkedArray:
        with open_to_read(self.path) as source:
            return self._open(source).read(columns=[name]).column(0)

    def _image(self, name: str, row: int) -> Any:
        """Read on from the row that was read last, or anew from the start of the row's group."""
        group = bisect.bisect_right(self._starts, row) - 1
        first = self._starts[group] + (row - self._starts[group]) // _BATCH_ROWS * _BATCH_ROWS
        if first not in self._batches:
            if self._stream_at[0] != group or self._stream_at[1] > first:
                self._close()
                self._source = open_to_read(self.path)
                self._stream = self._open(self._source).iter_batches(
                    _BATCH_ROWS, row_groups=[group], columns=[name], use_threads=False
                )
                self._stream_at = (group, self._starts[group])
            while first not in self._batches:
                start = self._stream_at[1]
                self._batches[start] = next(self._stream).column(0)
                self._stream_at = (group, start + len(self._batches[start]))
                if len(self._batches) > _BATCHES_KEPT:
                    self._batches.popitem(last=False)
        return self._batches[first][row - first].as_py()

    def _open(self, source: Any) -> pq.ParquetFile:
        # Read as it is needed; by default, a whole column of images would be fetched ahead.
        return pq.ParquetFile(
            source, metadata=self._metadata, pre_buffer=False, buffer_size=_BUFFER_BYTES
        )

    def _close(self) -> None:
        if self._source is not None:
            self._source.close()
        self._source, self._stream, self._stream_at = None, iter(()), (-1, 0)


class FeatherTable(ArrowTable):
    """A file of Arrow's, as Feather writes it too."""

    format = "arrow"

    def __init__(self, path: Path) -> None:
        self.path = path
        schema = pa.ipc.open_file(pa.memory_map(str(path))).schema
        first = self._open([0])
        rows = (first.get_batch(index).num_rows for index in range(first.num_record_batches))
        self._starts = [0, *accumulate(rows)]
        self._batch = lru_cache(_LARGE_BATCHES_KEPT)(self._read_batch)
        super().__init__(path, schema, self._starts[-1])

    def release(self) -> None:
        """Let go of the images that were read last."""
        self._batch.cache_clear()

    def _open(self, fields: list[int]) -> pa.ipc.RecordBatchFileReader:
        options = pa.ipc.IpcReadOptions(included_fields=fields)
        return pa.ipc.open_file(pa.memory_map(str(self.path)), options=options)

    def _writer(self, path: Path, schema: pa.Schema) -> pa.ipc.RecordBatchFileWriter:
        return pa.ipc.new_file(str(path), schema)

    def _all_batches(self) -> Iterator[pa.RecordBatch]:
        reader = pa.ipc.open_file(pa.memory_map(str(self.path)))
        return map(reader.get_batch, range(reader.num_record_batches))

    def _read(self, name: str) -> pa.ChunkedArray:
        return self._open([self.names.index(name)]).read_all().column(0)

    def _image(self, name: str, row: int) -> Any:
        batch = bisect.bisect_right(self._starts, row) - 1
        return self._batch(name, batch)[row - self._starts[batch]].as_py()

    def _read_batch(self, name: str, batch: int) -> pa.Array:
        return self._open([self.names.index(name)]).get_batch(batch).column(0)


class StreamTable(ArrowTable):
    """Streams of Arrow's, one after another: what `datasets` saves, mapped into memory."""

    format = "arrow"

    def __init__(self, path: Path, files: list[Path], indices: list[Path]) -> None:
        """Map the files.

        Args:
            path: The file, or the folder that holds them.
            files: The streams.
            indices: Streams with one column: which rows are meant, in their order; or none.
        """
        self._table = _mapped(files)
        self._rows = _mapped(indices).column(0) if indices else None
        count = self._table.num_rows if self._rows is None else len(self._rows)
        super().__init__(path, self._table.schema, count)

    def _writer(self, path: Path, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        if self.path.is_file():
            return pa.ipc.new_stream(str(path), schema)
        path.mkdir(parents=True)
        state = json.loads((self.path / STATE).read_text(encoding="utf-8"))
        state |= {"_data_files": [{"filename": COPY}], "_fingerprint": uuid4().hex[:16]}
        state.pop("_indices_files", None)
        (path / STATE).write_text(json.dumps(state, indent=2), encoding="utf-8")
        if (self.path / INFO).is_file():
            info = json.loads((self.path / INFO).read_text(encoding="utf-8"))
            info["features"] = info.get("features", {}) | describe_columns(schema, self.names)
            (path / INFO).write_text(json.dumps(info, indent=2), encoding="utf-8")
        return pa.ipc.new_stream(str(path / COPY), schema)

    def _all_batches(self) -> Iterator[pa.RecordBatch]:
        if self._rows is None:
            yield from self._table.to_batches()
            return
        count = _copied_rows(self._table.nbytes, self._table.num_rows)
        for start in range(0, self.count, count):
            rows = self._table.take(self._rows.slice(start, count)).combine_chunks()
            yield from rows.to_batches()

    def _read(self, name: str) -> pa.ChunkedArray:
        column = self._table.column(name)
        return column if self._rows is None else column.take(self._rows)

    def _image(self, name: str, row: int) -> Any:
        at = row if self._rows is None else self._rows[row].as_py()
        return self._table.column(name)[at].as_py()


def _copied_rows(size: int, count: int) -> int:
    """Return how many rows are copied at a time of a table of so many bytes and rows."""
    return max(1, min(_COPIED_ROWS, _COPIED_BYTES * count // max(1, size)))


def read_saved_dataset(folder: Path) -> StreamTable:
    """Read a folder that `datasets.Dataset.save_to_disk` has written.

    Raises:
        LayoutError: If it is not whole, or may not be read.
    """
    try:
        state = json.loads((folder / STATE).read_text(encoding="utf-8"))
        files = [folder / file["filename"] for file in state["_data_files"]]
        indices = [folder / file["filename"] for file in state.get("_indices_files") or []]
        table = StreamTable(folder, files, indices)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LayoutError(f"the saved data set {folder} cannot be read: {reason(error)}") from error
    table.format = "datasets"
    return table


def _mapped(files: list[Path]) -> pa.Table:
    return pa.concat_tables([pa.ipc.open_stream(pa.memory_map(str(f))).read_all() for f in files])

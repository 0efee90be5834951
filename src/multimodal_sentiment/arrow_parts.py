"""Tables larger than memory: a folder of Arrow files, written and mapped into memory in parts.

The folder holds `part-00000-of-00003.arrow` and so on, each in Arrow's IPC file format with the
whole schema of the table; rows are in the order of the parts. A part can be read by its path alone,
on any host that sees the folder. The names say whether a folder is complete. A single Arrow file
is read as a table of one part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

PART_ROWS = 10_000  # 2.6 GB of posts in pixels, 0.3 GB in JPEG

_NAME = re.compile(r"part-\d+-of-(\d+)\.arrow")


class Part(NamedTuple):
    """Some rows of a table that follow each other.

    Attributes:
        path: The Arrow file.
        first: The number of its first row in the whole table.
        rows: The number of rows that it holds.
    """

    path: Path
    first: int
    rows: int


def write_parts(batches: pa.RecordBatchReader, folder: Path) -> None:
    """Write a stream to its end into a folder, `PART_ROWS` rows a part, a batch at a time.

    The parts get their names when all are written.

    Args:
        batches: The rows; their schema is that of each part.
        folder: An empty folder, or one that does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for _, slices in groupby(_cut(batches), key=lambda cut: cut[0]):
        written.append(folder / f"{len(written)}.partial")
        write_part((batch for _, batch in slices), batches.schema, written[-1])
    if not written:  # a table without rows has a schema too
        written.append(folder / "0.partial")
        write_part((), batches.schema, written[-1])
    for number, path in enumerate(written):
        path.rename(folder / part_name(number, len(written)))


def write_part(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> None:
    """Write one part."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as sink:
        for batch in batches:
            sink.write_batch(batch)


def part_name(number: int, count: int) -> str:
    """Return the file name of a part, the first being number 0."""
    return f"part-{number:05}-of-{count:05}.arrow"


def list_parts(table: Path) -> list[Part]:
    """Return the parts of a table in order.

    Args:
        table: The folder, or a single Arrow file.

    Raises:
        FileNotFoundError: If it is not there, or a part of it is not.
        pyarrow.ArrowInvalid: If a part was cut short.
    """
    parts: list[Part] = []
    first = 0
    for path in _paths(table):
        with pa.memory_map(str(path)) as file:
            # One column is enough to count rows by.
            reader = pa.ipc.open_file(file, options=pa.ipc.IpcReadOptions(included_fields=[0]))
            batches = range(reader.num_record_batches)
            rows = sum(reader.get_batch(number).num_rows for number in batches)
        parts.append(Part(path, first, rows))
        first += rows
    return parts


def read_parts(table: Path) -> pa.Table:
    """Map a table into memory; nothing is read before it is used.

    Args:
        table: The folder, or an Arrow file, which may be one of a folder's parts.

    Raises:
        FileNotFoundError: If it is not there, or a part of it is not.
        pyarrow.ArrowInvalid: If a part was cut short.
    """
    mapped = []
    for path in _paths(table):
        with pa.memory_map(str(path)) as file:
            mapped.append(pa.ipc.open_file(file).read_all())
    return mapped[0] if len(mapped) == 1 else pa.concat_tables(mapped)


def _cut(batches: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Yield the number of a part, and a batch or a slice of one that belongs to it."""
    row = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            part, taken = divmod(row, PART_ROWS)
            cut = batch.slice(start, PART_ROWS - taken)
            yield part, cut
            start += cut.num_rows
            row += cut.num_rows


def _paths(table: Path) -> list[Path]:
    """Return the files of a table in order."""
    if not table.is_dir():
        return [table]
    named = [match for path in table.iterdir() if (match := _NAME.fullmatch(path.name))]
    count = max((int(match[1]) for match in named), default=1)
    return [table / part_name(number, count) for number in range(count)]

"""Which format a table is in: by its content, and by its suffix where that leaves a choice."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from multimodal_sentiment.wording import reason

from ..errors import LayoutError
from ..files.addresses import is_remote
from ..files.local import marked_encoding
from .table import Table

SUFFIXES = (
    ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".arrow", ".feather", ".ipc",
)  # fmt: skip

_LINES = (".jsonl", ".ndjson")
_RECORDS = (*_LINES, ".json")
_SIGN_BYTES = 64
_OBJECT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:\[\s*)?\{\s*\"")  # begins JSON, whatever the suffix
_ROWS = re.compile(r"\s*(?:\[\s*\{|\{.*\}\s*\n\s*\{)")  # a list of objects, or one a line
_HEAD_BYTES = 4096
_OTHERS = {  # how files begin that are no tables
    b"\x1f\x8b": "packed with gzip",
    b"BZh": "packed with bzip2",
    b"\x28\xb5\x2f\xfd": "packed with zstd",
    b"PK\x03\x04": "a workbook or an archive",
    b"\xd0\xcf\x11\xe0": "a workbook",  # before 2007
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"SQLite": "a database",
    b"%PDF": "a PDF",
    b"<!": "HTML or XML",
    b"<?xml": "HTML or XML",
    b"<html": "HTML or XML",
    b"<table": "HTML or XML",
    b"\xff\xd8\xff": "an image",
    b"\x89PNG": "an image",
}


def read_table(path: Path, encodings: Sequence[str] | None) -> Table:
    """Open a table.

    Args:
        path: A file, or a folder that `datasets` has saved.
        encodings: What its text may be written in; None means all that are known.

    Raises:
        LayoutError: If it is no table, or damaged.
    """
    import pyarrow as pa

    from .arrow import FeatherTable, ParquetTable, StreamTable, read_saved_dataset
    from .delimited import DelimitedTable
    from .records import RecordsTable
    from .tar import TarTable

    if path.is_dir():
        return read_saved_dataset(path)
    try:
        with path.open("rb") as file:
            head = file.read(_SIGN_BYTES)
        _refuse_others(path, head)
        if head.startswith(b"PAR1"):
            return ParquetTable(path)
        if path.suffix.lower() == ".tar":
            return TarTable(path)
        if is_remote(path):
            raise LayoutError(f"{path} is no shard: of an address, Parquet and tar files are read")
        if head.startswith(b"ARROW1"):
            return FeatherTable(path)
        if path.suffix.lower() in (".arrow", ".ipc", ".feather"):
            return StreamTable(path, [path], [])
        if path.suffix.lower() in (".parquet", ".pq"):
            raise LayoutError(f"{path} is no Parquet file: its first bytes are {head[:4]!r}")
        is_json = path.suffix.lower() in _RECORDS or _OBJECT.match(head)
        return (RecordsTable if is_json else DelimitedTable)(path, encodings)
    except (OSError, pa.ArrowException) as error:
        raise LayoutError(f"{path} cannot be read: {reason(error)}") from error


def has_rows(path: Path) -> bool:
    """Return whether a file with a table's suffix may be one; much else is written as JSON.

    Raises:
        LayoutError: If it cannot be read.
    """
    if path.suffix.lower() != ".json":
        return True
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            if head.lstrip().startswith(b"{"):  # an object may be longer
                head += file.readline() + file.read(_HEAD_BYTES)
    except OSError as error:
        raise LayoutError(f"{path} cannot be read: {reason(error)}") from error
    text = head.decode(marked_encoding(head) or "utf-8", "replace")
    return _ROWS.match(text) is not None


class UnopenedTable:
    """A table that is opened when something of it is asked for, and closed when it is released."""

    def __init__(self, path: Path, encodings: Sequence[str] | None, count: int) -> None:
        self.path = path
        self._encodings = encodings
        self._count = count
        self._opened: Table | None = None

    def __len__(self) -> int:
        return self._count

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # what is no table's is not looked for in one
            raise AttributeError(name)
        if self._opened is None:
            self._opened = read_table(self.path, self._encodings)
        return getattr(self._opened, name)

    def release(self) -> None:
        """Let go of the table."""
        self._opened = None


def _refuse_others(path: Path, head: bytes) -> None:
    if not head and path.suffix.lower() not in _LINES:  # no line of JSON is no row
        raise LayoutError(f"{path} is empty")
    other = next((name for sign, name in _OTHERS.items() if head.startswith(sign)), None)
    if other:
        raise LayoutError(
            f"{path} is {other}: posts come as a folder, or as an unpacked table such as CSV, JSON "
            "Lines or Parquet"
        )

"""Which format a table is in: by its content, and by its suffix where that leaves a choice."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import LayoutError
from .table import Table

SUFFIXES = (
    ".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".arrow", ".feather", ".ipc",
)  # fmt: skip

_RECORDS = (".jsonl", ".ndjson", ".json")
_SIGN_BYTES = 8
_PACKED = {b"\x1f\x8b": "gzip", b"PK": "zip", b"BZh": "bzip2", b"\x28\xb5\x2f\xfd": "zstd"}
_SHEET = b"\xd0\xcf\x11\xe0"  # of Excel, before 2007


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

    if path.is_dir():
        return read_saved_dataset(path)
    try:
        with path.open("rb") as file:
            head = file.read(_SIGN_BYTES)
        _refuse_packed(path, head)
        if head.startswith(b"PAR1"):
            return ParquetTable(path)
        if head.startswith(b"ARROW1"):
            return FeatherTable(path)
        if path.suffix.lower() in (".arrow", ".ipc", ".feather"):
            return StreamTable(path, [path], [])
        if path.suffix.lower() in (".parquet", ".pq"):
            raise LayoutError(f"{path} is no Parquet file: its first bytes are {head[:4]!r}")
        if path.suffix.lower() in _RECORDS:
            return RecordsTable(path, encodings)
        return DelimitedTable(path, encodings)
    except (OSError, pa.ArrowException) as error:
        why = getattr(error, "strerror", None) or " ".join(str(error).split())
        raise LayoutError(f"{path} cannot be read: {why}") from error


def _refuse_packed(path: Path, head: bytes) -> None:
    if not head:
        raise LayoutError(f"{path} is empty")
    packed = next((name for sign, name in _PACKED.items() if head.startswith(sign)), None)
    if packed == "zip" or head.startswith(_SHEET):
        raise LayoutError(f"{path} is a workbook or an archive: save or unpack it as CSV first")
    if packed:
        raise LayoutError(f"{path} is packed with {packed}: unpack it first")

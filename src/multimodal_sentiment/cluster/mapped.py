"""Tables that workers map from their files, so that they need not be sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa

from multimodal_sentiment.arrow_parts import read_parts

PATH = b"path"  # the key of the metadata that name the folder of a table


class MappedTable:
    """A table, which another process maps from the folder that it lies in, if it does.

    Attributes:
        table: The table; its metadata name the folder, see `with_path`.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __reduce__(self) -> tuple[Any, ...]:
        path = (self.table.schema.metadata or {}).get(PATH, b"").decode()
        if path and _map(path).table.column(0).equals(self.table.column(0)):
            return _map, (path,)
        return MappedTable, (self.table,)  # it is of some of the rows, or lies nowhere


def with_path(table: pa.Table, path: Path) -> pa.Table:
    """Return a table that was read from a folder, with the path of that in its metadata."""
    metadata = (table.schema.metadata or {}) | {PATH: str(path.absolute()).encode()}
    return table.replace_schema_metadata(metadata)


def _map(path: str) -> MappedTable:
    return MappedTable(read_parts(Path(path)))

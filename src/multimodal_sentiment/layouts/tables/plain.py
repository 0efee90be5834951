"""A table whose cells are read already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .table import Table, in_words


class PlainTable(Table):
    """Columns of values."""

    format = "tsv"
    separator = "\t"

    def __init__(self, path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
        """Take the columns of a file."""
        self.path = path
        self._columns = columns
        self.names = list(columns)
        self.count = len(next(iter(columns.values()), ()))

    def words(self, name: str) -> list[str | None]:
        """Return a column as text."""
        return [in_words(value) for value in self._columns[name]]

    def cell(self, name: str, row: int) -> Any:
        """Return a value."""
        return self._columns[name][row]

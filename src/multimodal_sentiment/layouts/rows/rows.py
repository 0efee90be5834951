"""Which rows of which tables posts stand in."""

from __future__ import annotations

import bisect
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any, NamedTuple

from ..splits import Split
from ..tables import Table
from ..tables.columns import column_of_ids, list_columns, tell_apart

_TABLES_IN_USE = 2  # of which images are held: several threads read them, about in order


@dataclass(frozen=True)
class Part:
    """A table of a source, and what its place says of its rows.

    Attributes:
        table: The table.
        columns: Its columns, by what they hold; see `tables.columns.find_columns`.
        folder: Where relative paths of images start.
        split: What its file's name declares, or nothing.
    """

    table: Table
    columns: Mapping[str, str]
    folder: Path
    split: Split = ""


def with_ids_of_files(parts: Sequence[Part]) -> Sequence[Part]:
    """Take a column that names files for that of the ids too, where its name and words allow it."""
    found: list[Part] = []
    words: list[str | None] = []
    for part in parts:
        name = column_of_ids(part.columns)
        if name is None:
            return parts
        words += part.table.words(name)
        found.append(replace(part, columns={"guid": name, **part.columns}))
    return found if tell_apart(words) else parts


class Row(NamedTuple):
    """Where a post stands.

    Attributes:
        part: Which of the source's tables.
        at: Which row of it.
    """

    part: int
    at: int


class Rows:
    """The posts of a source, by guid.

    Attributes:
        parts: The source's tables.
        guids: Of all their rows, one table after another.
    """

    def __init__(self, parts: Sequence[Part], guids: Sequence[str]) -> None:
        self.parts = parts
        self.guids = guids
        self._starts = [0, *accumulate(len(part.table) for part in parts)]
        self._in_use: OrderedDict[int, None] = OrderedDict()
        self._lock = threading.Lock()
        # Of a guid that stands in several rows, the first.
        self._numbers = dict(zip(reversed(guids), range(len(guids) - 1, -1, -1), strict=True))

    def __contains__(self, guid: str) -> bool:
        return guid in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(self.guids))

    def find(self, guid: str) -> Row:
        """Return where a post stands."""
        return self.locate(self._numbers[guid])

    def locate(self, number: int) -> Row:
        """Return the table of a row of all, and its place in it."""
        part = bisect.bisect_right(self._starts, number) - 1 if len(self.parts) > 1 else 0
        return Row(part, number - self._starts[part])

    def image(self, guid: str) -> Any:
        """Return the cell of a post's image; only the tables that were used last hold some."""
        row = self.find(guid)
        part = self.parts[row.part]
        column = part.columns.get("image")
        if not column:
            return None
        with self._lock:
            self._in_use[row.part] = None
            self._in_use.move_to_end(row.part)
            if len(self._in_use) > _TABLES_IN_USE:
                self.parts[self._in_use.popitem(last=False)[0]].table.release()
        return part.table.image(column, row.at)

    def has_column(self, role: str) -> bool:
        """Return whether a table has a column that has a role."""
        return any(part.columns.get(role) for part in self.parts)

    def column(self, guid: str, role: str) -> str | None:
        """Return the column of a post's table that has a role, if one has."""
        return self.parts[self.find(guid).part].columns.get(role)

    def lacked(self, guid: str, role: str) -> str:
        """Say that a post's table has no column of a role, and how one is named."""
        table = self.parts[self.find(guid).part].table
        return (
            f"a column of {role}s in {table.path.name}: name it, as in columns.{role}=NAME, among "
            f"{list_columns(table.names)}"
        )

    def place(self, guid: str) -> str:
        """Return a post's table and the number of its row, for people."""
        row = self.find(guid)
        return f"{self.parts[row.part].table.path.name}#{row.at + 1}"

"""A table, whatever its format."""

from __future__ import annotations

import csv
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

_EXACT = 2**53  # larger integers have been rounded when they became floats


class Table(ABC):
    """Rows and columns of a file or folder.

    Attributes:
        path: The file or folder.
        format: Such as `csv` or `parquet`.
        separator: Between cells, where it has one.
        names: Of the columns, in order.
        count: Rows.
        remarks: What the user should know of how it was read, a line each.
        left_aside: How many files in it are of suffixes that tell nothing.
        doubt: What is doubtful about the encoding of all of it, in a sentence, or nothing.
    """

    path: Path
    format: str
    separator: str | None = None
    names: list[str]
    count: int
    remarks: Sequence[str] = ()
    left_aside: int = 0
    doubt: str = ""

    def __len__(self) -> int:
        return self.count

    @property
    def roles(self) -> Mapping[str, str]:
        """Which columns hold what, where the format itself says so; see `columns.find_columns`."""
        return {}

    @property
    def encoding(self) -> str:
        """What most of its text is written in."""
        return "utf-8"

    @abstractmethod
    def words(self, name: str) -> Sequence[str | None]:
        """Return a column of short entries as text, whatever their type; None where there is none.

        Raises:
            LayoutError: If an entry is no single value.
        """

    def written(self, name: str) -> Sequence[str | None]:
        """Return a column as `write_with` writes it."""
        return self.words(name)

    @abstractmethod
    def cell(self, name: str, row: int) -> Any:
        """Return a text's cell: a string, bytes that are yet to be decoded, None, or what it is."""

    def image(self, name: str, row: int) -> Any:
        """Return an image's cell: a path, bytes, a dictionary of both, None, or what it is.

        A `tar.Member` stands for bytes that are yet to be read.
        """
        return self.cell(name, row)

    def release(self) -> None:  # noqa: B027 - most tables hold nothing of the kind
        """Let go of the images that were read last; they are read again when asked for."""

    def place(self, row: int) -> str:
        """Return where a row lies, for messages."""
        return f"row {row + 1}"

    def write_with(self, columns: Mapping[str, Sequence[Any]], path: Path) -> None:
        """Write a copy in the table's own format, with more columns behind its own.

        Args:
            columns: A text or number a row, or None, by name; the names are new to the table.
            path: The file or folder.
        """
        own = {name: self.written(name) for name in self.names}
        # Half a surrogate pair, which no encoding has, is written as `\\ud83d`.
        with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            write = row_writer(file, delimiter=self.separator or ",", lineterminator="\n")
            write([*own, *columns])
            for row in zip(*own.values(), *columns.values(), strict=True):
                write(row)


def row_writer(file: IO[str], **dialect: Any) -> Callable[[Sequence[Any]], Any]:
    """Return what writes a row of CSV, as `csv.writer` does.

    Before Python 3.13, that writes a lone carriage return without quotes, where it ends the row.
    """
    writer = csv.writer(file, **dialect)
    if dialect.get("quoting") == csv.QUOTE_NONE:
        return writer.writerow
    quoting_all = csv.writer(file, **{**dialect, "quoting": csv.QUOTE_ALL})

    def write(row: Sequence[Any]) -> None:
        holds_return = any(isinstance(cell, str) and "\r" in cell for cell in row)
        (quoting_all if holds_return else writer).writerow(row)

    return write


def in_words(value: Any) -> str | None:
    """Return a value as text: `true`, `7` and `7` for 7.0, since a gap turns integers into floats.

    None for nothing, and for NaN.

    Raises:
        TypeError: If it is no single value.
    """
    if is_nothing(value):
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return str(int(value))
    if isinstance(value, Iterable) and not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no single value")
    return str(value)


def is_nothing(value: Any) -> bool:
    """Return whether a cell is empty: None or NaN."""
    return value is None or (isinstance(value, float) and math.isnan(value))

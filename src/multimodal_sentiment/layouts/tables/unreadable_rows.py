"""Which row of a CSV cannot be read, and why: a quote that stays open spoils many lines."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Protocol

_STAYS_OPEN = "unexpected end of data"  # as the csv module has it


class Rows(Protocol):
    """What `csv.reader` returns."""

    line_num: int

    def __iter__(self) -> Iterator[list[str]]:
        """Return itself."""


def describe_unreadable(rows: Rows) -> str:
    """Return in which row the file cannot be read, and why.

    Args:
        rows: A reader at the beginning of the file.

    Raises:
        ValueError: If all of it can be read.
    """
    begins = 1
    try:
        for _ in rows:
            begins = rows.line_num + 1
    except csv.Error as error:
        ends = rows.line_num
        place = f"line {ends}" if ends == begins else f"the row that begins in line {begins}"
        if str(error) == _STAYS_OPEN:
            return f"{place}: a quote is opened and not closed"
        return f"{place}: {error}" if ends == begins else f"{place}: {error}, in line {ends}"
    raise ValueError("all rows can be read")

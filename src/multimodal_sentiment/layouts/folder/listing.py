"""The course's list of posts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pandas as pd

from multimodal_sentiment.posts.names import shown
from multimodal_sentiment.wording import reason

from ..errors import LayoutError
from ..files.marks import marked_encoding
from ..ids import refuse_rounded_ids

COLUMNS = ("guid", "tag")

# Far above any listing: ten million posts. What is larger is not read.
LARGEST = 256 * 2**20  # bytes

_SEPARATORS = (",", ";", "\t")
_FOR_EXCEL = re.compile(r"sep=(.)(?=\r?\n)", re.IGNORECASE)  # a line that names the separator


def read_listing(path: Path) -> pd.DataFrame:
    """Read the list of posts and their tags, in its order: columns `guid` and `tag`, both strings.

    One line a post, `guid,tag`, with or without a line that names these columns. The file may be
    UTF-8 or UTF-16, its separator a comma, a semicolon or a tab; cells may be quoted or stand
    between spaces. A guid is a name, never a number: `007` stays `007`. A tag that is not there
    becomes an empty one.

    Raises:
        LayoutError: If the file is missing, or is no list of posts.
    """
    listing = _Listing(path)
    rows = list(listing.rows())
    refuse_rounded_ids(path, [guid for guid, _ in rows])
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=str)


class _Listing:
    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self) -> Iterator[tuple[str, str]]:
        """Yield each post's guid and tag."""
        return self._rows(self._text())

    def refuse(self, why: str) -> NoReturn:
        raise LayoutError(f"the listing {self._path} {why}")

    def _text(self) -> str:
        try:
            size = self._path.stat().st_size
            if size > LARGEST:
                self.refuse(f"is too large: {size / 1e6:.0f} MB")
            payload = self._path.read_bytes()
        except OSError as error:
            self.refuse(f"cannot be read: {reason(error)}")
        encoding = marked_encoding(payload) or "utf-8"
        try:
            return payload.decode(encoding)
        except UnicodeDecodeError as error:
            line = payload.count(b"\n", 0, error.start) + 1
            self.refuse(f"is not {encoding.upper()} in line {line}: save it as UTF-8")

    def _rows(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield each post's guid and tag."""
        start, guid_at, tag_at = 0, 0, 1
        is_first = True
        for line, row in self._lines(text):
            if is_first and not {cell.casefold() for cell in row}.isdisjoint(COLUMNS):
                start = 0 if row[0] else 1  # pandas writes its index in a column without a name
                guid_at, tag_at = self._header(line, row[start:])
            else:
                cells = [*row[start:], ""]
                if any(cells[len(COLUMNS) :]):
                    self.refuse(f"has more than guid,tag in line {line}: {shown(cells[2])}")
                guid, tag = cells[guid_at], cells[tag_at]
                if not guid:
                    self.refuse(f"has no guid in line {line}, only {shown(tag)}")
                yield guid, tag
            is_first = False

    def _lines(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """Yield the lines that are not blank: number and bare cells, two or more."""
        for_excel = _FOR_EXCEL.match(text)
        reader = csv.reader(
            io.StringIO(text[for_excel.end() :] if for_excel else text, newline=""),
            delimiter=for_excel[1] if for_excel else _separator(text),
            skipinitialspace=True,
        )
        line = 1
        try:
            for row in reader:
                if reader.line_num > line:
                    self.refuse(f"has a quote in line {line} that does not end there")
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield line, cells if len(cells) > 1 else [*cells, ""]
                line = reader.line_num + 1
        except csv.Error as error:
            self.refuse(f"cannot be read in line {line}: {error}")

    def _header(self, line: int, names: list[str]) -> tuple[int, int]:
        """Find the guid and the tag in a line of column names; a tag column may be missing."""
        known = [name.casefold() for name in names]
        while known and not known[-1]:
            del known[-1]
        for name in names:
            if name and name.casefold() not in COLUMNS:
                self.refuse(f"has an unknown column {shown(name)} in line {line}: use guid,tag")
        if known not in (["guid", "tag"], ["tag", "guid"], ["guid"]):
            self.refuse(f"names its columns {','.join(known)} in line {line}: use guid,tag")
        return known.index("guid"), 1 - known.index("guid")


def _separator(text: str) -> str:
    """Return the separator that most of the first lines hold; a comma if none does."""
    lines = text[:100_000].splitlines()
    return max(_SEPARATORS, key=lambda separator: sum(separator in line for line in lines))

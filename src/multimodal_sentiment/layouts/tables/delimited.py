"""CSV and TSV: cells between separators, in one encoding or several.

In every encoding that extends ASCII, separators, quotes and ends of lines are the bytes that they
are in ASCII. So the lines are cut as bytes (as Latin-1, which keeps each), and each cell is then
read as the post that it is, by the evidence of all cells.
"""

from __future__ import annotations

import codecs
import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, Any, Literal

from multimodal_sentiment.decoding import (
    EncodingProfile,
    extends_ascii,
    read_source,
    read_texts,
)
from multimodal_sentiment.posts.names import shown
from multimodal_sentiment.wording import one_line

from ..errors import LayoutError
from .sniffing import HEAD_BYTES, WIDE, sniff
from .table import Table, row_writer

_BLANK = " \t\x1a"  # characters of a line that is none; the last one ended files of DOS
_MOST_CELLS = 20_000  # that tell the encoding
_CHUNK_ROWS = 10_000
_READ_CHARACTERS = 2**20
_LARGEST_CELL = 2**28  # characters; larger texts and images are noted as problems


class DelimitedTable(Table):
    """A table of separated cells, read whole."""

    format = "csv"

    def __init__(self, path: Path, encodings: Sequence[str] | None) -> None:
        """Read the table.

        Args:
            path: The file.
            encodings: What it may be written in; None means all that are known.

        Raises:
            LayoutError: If its rows cannot be told apart, or differ in length.
        """
        self.path = path
        self._encodings = encodings
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
        self._mark, self.separator, self._skipped, self._is_spaced = sniff(head)
        self._is_quoted = True
        self._header, self._columns = self._read()
        self._paths: dict[str, list[str]] = {}
        self.count = len(self._columns[0])
        self.names = [name.strip() for name in self._decoded(self._header)]
        if self.separator == "\t":
            self.format = "tsv"

    @cached_property
    def encoding(self) -> str:
        """What most cells are written in."""
        if self._mark is not None:
            return self._mark
        if self._is_utf8:
            return "utf-8"
        posts = self._profile.posts
        return max(posts, key=lambda name: posts[name], default="utf-8")

    @property
    def doubt(self) -> str:  # type: ignore[override]
        """What is doubtful about the encoding of its cells."""
        return "" if self._mark is not None or self._is_utf8 else self._profile.doubt

    @cached_property
    def _is_utf8(self) -> bool:
        try:
            with open(self.path, encoding="utf-8") as file:
                while file.read(_READ_CHARACTERS):
                    pass
            return True
        except UnicodeDecodeError:
            return False

    def words(self, name: str) -> list[str]:
        """Return a column, decoded; spaces around an entry are none of it."""
        return [cell.strip() for cell in self._decoded(self._columns[self.names.index(name)])]

    def cell(self, name: str, row: int) -> str | bytes | None:
        """Return a cell as it stands, in bytes unless the file's first bytes tell its encoding."""
        column = self._columns[self.names.index(name)]
        if self._mark in WIDE:
            return column[row]
        payload = column[row].encode("latin-1")
        if self._mark is None:
            return payload
        try:
            return payload.decode("utf-8")
        except UnicodeDecodeError:  # rows of another encoding, behind a mark
            return payload

    def image(self, name: str, row: int) -> str:
        """Return a cell, decoded: an image is a path here."""
        if name not in self._paths:
            self._paths[name] = self.words(name)
        return self._paths[name][row]

    def write_with(self, columns: Mapping[str, Sequence[Any]], path: Path) -> None:
        """Write a copy with the table's separator, ends of lines and encoding; see `Table`."""
        encode: Callable[[str], str] = str if self._mark in WIDE else self._encoded
        encoding = self._mark if self._mark in WIDE else "latin-1"
        own = ([name, *cells] for name, cells in zip(self._header, self._columns, strict=True))
        new = [
            [encode(self._as_cell(value)) for value in (name, *values)]
            for name, values in columns.items()
        ]
        with self._open() as file:
            first = file.readline()
        with open(path, "w", encoding=encoding, newline="") as file:
            if self._mark == "utf-8-sig":
                file.write(codecs.BOM_UTF8.decode("latin-1"))
            if self._skipped:
                file.write(first)
            write = row_writer(
                file,
                delimiter=self.separator or ",",
                lineterminator="\r\n" if first.endswith("\r\n") else "\n",
                quoting=csv.QUOTE_MINIMAL if self._is_quoted else csv.QUOTE_NONE,
                quotechar='"' if self._is_quoted else None,
            )
            for row in zip(*own, *new, strict=True):
                write(row)

    def _as_cell(self, value: Any) -> str:
        cell = "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)
        if self._is_quoted:
            return cell
        return cell.replace(self.separator or ",", " " if self.separator == "," else ",")

    def _encoded(self, text: str) -> str:
        """Return text as the bytes that it has in this table."""
        codec = self.encoding.removesuffix("-sig")
        codec = codec if extends_ascii(codec) else "utf-8"  # CESU-8 has no codec, and is nearly it
        return text.encode(codec, "replace").decode("latin-1")

    def _read(self) -> tuple[list[str], list[list[str]]]:
        """Return header and columns of cells that are yet to be decoded."""
        try:
            header, columns = self._rows(quoted=True)
        except LayoutError:
            # In tab-separated files, a quote is often a character like any other.
            rows = self._unquoted(is_exact=False) if self.separator == "\t" else None
            if rows is None:
                raise
            self._is_quoted = False
            return rows
        cells = itertools.chain(*columns)
        hold_rows = any("\n" in cell and str(self.separator) in cell for cell in cells)
        # From a quote that begins one text to one that ends another may lie the rows between them.
        others = self._unquoted(is_exact=True) if hold_rows else None
        if others is not None and self.separator == "\t":  # which no text holds
            self._is_quoted = False
            return others
        if others is not None:
            self.remarks = [
                f"{self.path}: {len(others[1][0]) - len(columns[0]):,} lines are parts of texts "
                "between quotes, and might be rows: if quotes are characters there, double them"
            ]
        return header, columns

    def _unquoted(self, *, is_exact: bool) -> tuple[list[str], list[list[str]]] | None:
        """Read quotes as characters; None if rows do not fit, or not all exactly."""
        try:
            header, columns = self._rows(quoted=False, is_exact=is_exact)
        except LayoutError:
            return None
        are_quoted = any(name.startswith('"') for name in header)
        return None if is_exact and are_quoted else (header, columns)

    def _rows(self, *, quoted: bool, is_exact: bool = False) -> tuple[list[str], list[list[str]]]:
        skipped = self._skipped
        header: list[str] = []
        columns: list[list[str]] = []
        with self._open() as file:
            for line, chunk in self._chunks(file, quoted=quoted):
                first = 0
                if not header:
                    first = skipped + next((n for n, r in enumerate(chunk[skipped:]) if any(r)), 0)
                    header = chunk[first]
                    columns = [[] for _ in header]
                    first += 1
                rows = chunk[first:]
                if any(len(row) != len(header) or not any(row) for row in rows):
                    rows = self._fitted(rows, line + first, header, is_exact=is_exact)
                for column, cells in zip(columns, zip(*rows, strict=True), strict=False):
                    column.extend(cells)
        if not header:
            raise LayoutError(f"{self.path} holds no line: it needs one of names, and one a post")
        while len(header) > 1 and not header[-1].strip() and not any(columns[-1]):
            del header[-1], columns[-1]
        return header, columns

    def _chunks(self, file: IO[str], *, quoted: bool) -> Iterator[tuple[int, list[list[str]]]]:
        """Yield some rows at a time, and the line after which they begin."""
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        reader = csv.reader(
            file,
            delimiter=self.separator or ",",
            strict=True,
            quoting=quoting,
            skipinitialspace=self._is_spaced,
        )
        former = csv.field_size_limit(_LARGEST_CELL)
        rows: list[list[str]] = []
        first = line = 0  # after which the first of these begins, and the next one
        try:
            for row in reader:
                rows.append(row)
                line = reader.line_num
                if len(rows) == _CHUNK_ROWS:
                    yield first, rows
                    rows, first = [], line
            if rows:
                yield first, rows
        except csv.Error as error:
            raise LayoutError(
                f"{self.path} cannot be read in the row that begins in line {line + 1} "
                f"({one_line(error)}): put cells that hold quotes, separators or ends of lines in "
                "quotes, and double the quotes in them"
            ) from error
        except UnicodeError as error:
            raise LayoutError(f"{self.path} is not {self._mark} throughout: {error}") from error
        finally:
            csv.field_size_limit(former)

    def _fitted(
        self, rows: list[list[str]], line: int, header: list[str], *, is_exact: bool
    ) -> list[list[str]]:
        """Return rows as long as the header.

        What a row lacks at its end is empty, as some programs leave it out, unless rows must be
        exact; blank lines are no row.
        """
        fitted = []
        for row in rows:
            line += 1 + sum(cell.count("\n") for cell in row)
            if any(row[len(header) :]) or (is_exact and 0 < len(row) < len(header)):
                named = "" if len(header) > 1 else f" (its first line is {shown(header[0])})"
                raise LayoutError(
                    f"{self.path} has {len(row)} cells in line {line}, and {len(header)} columns"
                    f"{named}: put cells that hold {self.separator!r} in double quotes, and the "
                    "names of the columns in the first line"
                )
            if "".join(row).strip(_BLANK):
                fitted.append(row[: len(header)] + [""] * (len(header) - len(row)))
        return fitted

    def _open(self) -> IO[str]:
        if self._mark in WIDE:
            return open(self.path, encoding=self._mark, newline="")
        file = open(self.path, "rb")
        if self._mark:
            file.seek(len(codecs.BOM_UTF8))
        return io.TextIOWrapper(file, encoding="latin-1", newline="")

    def _decoded(self, cells: list[str]) -> list[str]:
        """Return cells as text."""
        if self._mark in WIDE:
            return cells
        foreign = list(dict.fromkeys(cell for cell in cells if not cell.isascii()))
        if not foreign:
            return cells
        payloads = [cell.encode("latin-1") for cell in foreign]
        try:
            if self._mark is None:
                raise UnicodeError
            texts = [payload.decode("utf-8") for payload in payloads]
        except UnicodeError:
            readings = read_texts(payloads, self._profile, self._encodings)
            texts = [reading.text for reading in readings]
        read = dict(zip(foreign, texts, strict=True))
        return [read.get(cell, cell) for cell in cells]

    @cached_property
    def _profile(self) -> EncodingProfile:
        """Which encodings the table is written in, learnt from its cells as from posts."""
        cells = [
            cell
            for column in (self._header, *self._columns)
            for cell in column
            if not cell.isascii()
        ]
        some = cells[:: -(-len(cells) // _MOST_CELLS) or 1]
        return read_source([cell.encode("latin-1") for cell in some], self._encodings)[1]

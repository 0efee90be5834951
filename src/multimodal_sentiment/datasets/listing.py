"""The list of posts as a dataset."""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from .previews import TablePreview

COLUMNS = ("guid", "tag")

# Far above any listing: ten million posts. What is larger is not read.
LARGEST = 256 * 2**20  # bytes

_MOST_SHOWN = 60  # characters of a cell in a message
_SEPARATORS = (",", ";", "\t")
_MARKS = (  # the longer ones first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


class ListingDataset(AbstractDataset[None, pd.DataFrame]):
    """``ListingDataset`` loads the list of posts and their tags.

    One line a post, ``guid,tag``, with or without a line that names these columns. The file may be
    UTF-8 or UTF-16, its separator a comma, a semicolon or a tab; cells may be quoted or stand
    between spaces. A guid is a name, never a number: ``007`` stays ``007``. A tag that is not there
    becomes an empty one. It is read only.

    Example usage for the YAML API:

    ```yaml
    listing:
      type: multimodal_sentiment.datasets.ListingDataset
      filepath: data/01_raw/train.txt
    ```

    Example usage for the Python API:

    >>> ListingDataset(filepath="data/01_raw/train.txt").load()
       guid       tag
    0  4597  negative
    1    26   neutral
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Creates a new instance of ``ListingDataset``.

        Args:
            filepath: The file.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._filepath = Path(filepath)
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read the whole list, in its order: columns `guid` and `tag`, both strings.

        Raises:
            DatasetError: If the file is missing, is no list of posts, or lists none.
        """
        rows = list(self._rows(self._text()))
        if not rows:
            self._refuse("lists no post: it needs one line a post, guid,tag")
        guids, tags = zip(*rows, strict=True)
        return pd.DataFrame({"guid": guids, "tag": tags}, dtype=str)

    def save(self, data: None) -> NoReturn:
        """Refuse: a listing is the user's own.

        Raises:
            DatasetError: Always.
        """
        self._refuse("is only read, never written")

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows, for Kedro-Viz."""
        return TablePreview(self.load().head(nrows).to_dict(orient="split"))

    def _exists(self) -> bool:
        return self._filepath.is_file()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath}

    def _refuse(self, why: str) -> NoReturn:
        raise DatasetError(f"the listing {self._filepath} {why}")

    def _text(self) -> str:
        try:
            size = self._filepath.stat().st_size
            if size > LARGEST:
                self._refuse(f"is too large: {size / 1e6:.0f} MB")
            payload = self._filepath.read_bytes()
        except OSError as error:
            self._refuse(f"cannot be read: {error.strerror}")
        encoding = next((name for mark, name in _MARKS if payload.startswith(mark)), "utf-8")
        if encoding == "utf-8" and b"\0" in payload[:4]:  # UTF-16 without its mark
            encoding = "utf-16-be" if payload[:1] == b"\0" else "utf-16-le"
        try:
            return payload.decode(encoding)
        except UnicodeDecodeError as error:
            line = payload.count(b"\n", 0, error.start) + 1
            self._refuse(f"is not {encoding.upper()} in line {line}: save it as UTF-8")

    def _rows(self, text: str) -> Iterator[tuple[str, str]]:
        """Each post's guid and tag."""
        guid_at, tag_at = 0, 1
        is_first = True
        for line, cells in self._lines(text):
            if is_first and not {cell.casefold() for cell in cells}.isdisjoint(COLUMNS):
                guid_at, tag_at = self._header(line, cells)
            else:
                if any(cells[len(COLUMNS) :]):
                    self._refuse(f"has more than guid,tag in line {line}: {_shown(cells[2])}")
                guid, tag = (cells[at] if at < len(cells) else "" for at in (guid_at, tag_at))
                if not guid:
                    self._refuse(f"has no guid in line {line}, only {_shown(tag)}")
                yield guid, tag
            is_first = False

    def _lines(self, text: str) -> Iterator[tuple[int, list[str]]]:
        """The lines that are not blank: number and bare cells."""
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=_separator(text), skipinitialspace=True
        )
        line = 1
        try:
            for row in reader:
                if any("\n" in cell or "\r" in cell for cell in row):
                    self._refuse(f"has a quote in line {line} that does not end there")
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield line, cells
                line = reader.line_num + 1
        except csv.Error as error:
            self._refuse(f"cannot be read in line {line}: {error}")

    def _header(self, line: int, names: list[str]) -> tuple[int, int]:
        """Where a line of column names puts the guid and the tag; a tag column may be missing."""
        known = [name.casefold() for name in names if name]
        for name in names:
            if name and name.casefold() not in COLUMNS:
                self._refuse(f"has an unknown column {_shown(name)} in line {line}: use guid,tag")
        if known not in (["guid", "tag"], ["tag", "guid"], ["guid"]):
            self._refuse(f"names its columns {','.join(known)} in line {line}: use guid,tag")
        return known.index("guid"), 1 - known.index("guid")


def _separator(text: str) -> str:
    """The separator that most of the first lines hold; a comma if none does."""
    lines = text[:100_000].splitlines()
    return max(_SEPARATORS, key=lambda separator: sum(separator in line for line in lines))


def _shown(cell: str) -> str:
    return repr(cell if len(cell) <= _MOST_SHOWN else f"{cell[:_MOST_SHOWN]}...")

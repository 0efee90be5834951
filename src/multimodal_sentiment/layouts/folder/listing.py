"""The course's list of posts."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import NoReturn

import pandas as pd

from multimodal_sentiment.posts.names import shown
from multimodal_sentiment.wording import reason

from ..errors import LayoutError, refuse_rounded_ids
from ..tables.sniffing import HEAD_BYTES, SEPARATORS, sniff

COLUMNS = ("guid", "tag")

# Far above any listing: ten million posts. What is larger is not read.
LARGEST = 256 * 2**20  # bytes


def read_listing(path: Path) -> pd.DataFrame:
    """Read the list of posts and their tags, in its order: columns `guid` and `tag`, both strings.

    One line a post, `guid,tag`, with or without a line that names these columns. The file may be
    UTF-8 or UTF-16, its separator a comma, semicolon, tab or bar; cells may be quoted or stand
    between spaces. A guid is a name, never a number: `007` stays `007`. A tag that is not there
    becomes an empty one.

    Raises:
        LayoutError: If the file is missing, or is no list of posts.
    """
    rows = list(_rows(path))
    refuse_rounded_ids(path, [guid for guid, _ in rows])
    return pd.DataFrame(rows, columns=list(COLUMNS), dtype=str)


def _text(path: Path) -> tuple[str, str, int]:
    """Return all of the listing, its separator, and how many lines only name that.

    The separator is the one that most of the first lines hold: there may be no line of names.
    """
    try:
        size = path.stat().st_size
        if size > LARGEST:
            _refuse(path, f"is too large: {size / 1e6:.0f} MB")
        payload = path.read_bytes()
    except OSError as error:
        _refuse(path, f"cannot be read: {reason(error)}")
    sniffed = sniff(payload[:HEAD_BYTES])
    encoding = sniffed.encoding or "utf-8"
    try:
        text = payload.decode(encoding)
    except UnicodeDecodeError as error:
        line = payload.count(b"\n", 0, error.start) + 1
        _refuse(path, f"is not {encoding.upper()} in line {line}: save it as UTF-8")
    lines = text[:HEAD_BYTES].splitlines()
    commonest = max(SEPARATORS, key=lambda one: sum(one in line for line in lines))
    return text, sniffed.separator if sniffed.skipped else commonest, sniffed.skipped


def _rows(path: Path) -> Iterator[tuple[str, str]]:
    """Yield each post's guid and tag."""
    start, guid_at, tag_at = 0, 0, 1
    is_first = True
    for line, row in _lines(path):
        if is_first and not {cell.casefold() for cell in row}.isdisjoint(COLUMNS):
            start = 0 if row[0] else 1  # pandas writes its index in a column without a name
            names = [name.casefold() for name in row[start:]]
            while not names[-1]:
                del names[-1]
            if names not in (["guid", "tag"], ["tag", "guid"], ["guid"]):
                named = shown(",".join(names))
                _refuse(path, f"names its columns {named} in line {line}: use guid,tag")
            guid_at, tag_at = names.index("guid"), 1 - names.index("guid")
        else:
            cells = [*row[start:], ""]
            if any(cells[len(COLUMNS) :]):
                _refuse(path, f"has more than guid,tag in line {line}: {shown(cells[2])}")
            guid, tag = cells[guid_at], cells[tag_at]
            if not guid:
                _refuse(path, f"has no guid in line {line}, only {shown(tag)}")
            yield guid, tag
        is_first = False


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield the lines that are not blank: number and bare cells, two or more."""
    text, separator, skipped = _text(path)
    stream = io.StringIO(text, newline="")
    reader = csv.reader(stream, delimiter=separator, skipinitialspace=True)
    line = 1 + skipped
    try:
        for row in islice(reader, skipped, None):
            if reader.line_num > line:
                _refuse(path, f"has a quote in line {line} that does not end there")
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield line, cells if len(cells) > 1 else [*cells, ""]
            line = reader.line_num + 1
    except csv.Error as error:
        _refuse(path, f"cannot be read in line {line}: {error}")


def _refuse(path: Path, why: str) -> NoReturn:
    raise LayoutError(f"the listing {path} {why}")

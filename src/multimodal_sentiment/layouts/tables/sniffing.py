"""What the first lines of separated cells tell: encoding, separator, and where names stand."""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from ..files.local import marked_encoding
from .columns import NAMES

SEPARATORS = (",", ";", "\t", "|")
WIDE = ("utf-16", "utf-16-le", "utf-16-be", "utf-32")  # encodings in which ASCII is not its bytes

HEAD_BYTES = 100_000


class Sniffed(NamedTuple):
    """What the first lines of a table tell.

    Attributes:
        encoding: That its first bytes tell, if they do.
        separator: Between cells.
        skipped: Lines before that of the names.
        is_spaced: Whether a space follows each separator, as in `id, text, label`.
    """

    encoding: str | None
    separator: str
    skipped: int
    is_spaced: bool


def sniff(head: bytes) -> Sniffed:
    """Return what the first lines of a table tell; `HEAD_BYTES` are enough."""
    mark = marked_encoding(head)
    text = head.decode(mark, "ignore") if mark in WIDE else head.decode("latin-1")
    text = text.removeprefix(codecs.BOM_UTF8.decode("latin-1")).lstrip("\ufeff")
    first, _, rest = text.partition("\n")
    lines = [first, *rest.splitlines()]
    for_excel = re.fullmatch(r'"?sep=(.)"?', first.rstrip("\r"), re.IGNORECASE)
    if for_excel:
        del lines[0]
    header = next((line for line in lines if line.strip()), "")
    separator = for_excel[1] if for_excel else max(SEPARATORS, key=lambda one: _suits(header, one))
    cells = header.split(separator)
    is_spaced = len(cells) > 1 and all(cell.startswith(" ") for cell in cells[1:])
    return Sniffed(mark, separator, int(bool(for_excel)), is_spaced)


def _suits(header: str, separator: str) -> tuple[int, int]:
    """Return how many of a header's names are well known if a separator divides them, and all."""
    names = [name.strip(' "\r').casefold() for name in header.split(separator)]
    known = {name for names in NAMES.values() for name in names}
    return sum(name.replace("_", "") in known for name in names), len(names)

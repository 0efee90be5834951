"""What is wrong with a source of posts as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

_ROUNDED = re.compile(r"-?\d(?:[.,]\d+)?[eE]\+\d{2,}")


class LayoutError(ValueError):
    """A source of posts cannot be read; the message says why, in one line."""


def refuse_rounded_ids(path: Path, guids: Sequence[str]) -> None:
    """Refuse ids of which a spreadsheet has left only the first digits.

    Raises:
        LayoutError: If there are such.
    """
    rounded = [guid for guid in guids if _ROUNDED.fullmatch(guid)]
    if rounded:
        raise LayoutError(
            f"{path} has {len(rounded):,} ids that a spreadsheet has rounded, such as "
            f"{rounded[0]!r}: take the original, or have the spreadsheet write the column as text"
        )

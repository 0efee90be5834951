"""What splits are called, and what the names of files and folders tell of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal

from multimodal_sentiment.posts.schema import NO_TAG

Split = Literal["train", "validation", "test", ""]

SPLITS: dict[str, Split] = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validation", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(NO_TAG, ""),
}

_NAMES = "|".join(name for name, split in SPLITS.items() if split)
# As in train.csv, dev_seen.jsonl and train-00000-of-00002.parquet.
_AT_START = re.compile(rf"({_NAMES})(?:[-_. ].*)?", re.IGNORECASE)
_AT_END = re.compile(rf".*[-_. ]({_NAMES})", re.IGNORECASE)  # as in posts_train.csv
_UNCLEAR = re.compile(r"(?:.*[-_. ])?eval(?:uation)?(?:[-_. ].*)?", re.IGNORECASE)


def split_of(path: Path) -> Split:
    """Return the split that the name of a folder, or of a file alone, begins with; or nothing."""
    named = _AT_START.fullmatch(path.name)
    return SPLITS[named[1].casefold()] if named else ""


def split_among(path: Path) -> Split:
    """Return the split that the name of a file among others begins or ends with; or nothing."""
    named = _AT_END.fullmatch(path.stem)
    return split_of(path) or (SPLITS[named[1].casefold()] if named else "")


def is_unclear(path: Path) -> bool:
    """Return whether a name means validation posts to some, and test posts to others."""
    return _UNCLEAR.fullmatch(path.stem) is not None

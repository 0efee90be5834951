"""The Hateful Memes Challenge, as it is published.

D. Kiela and others: The Hateful Memes Challenge: Detecting Hate Speech in Multimodal Memes, NeurIPS
2020. `train.jsonl` and files for development and testing have an object a line: `id`, `img` (the
path of the image), `text`, and but for some test files `label`, 1 if it is hateful. The second
phase split both in two, `dev_seen.jsonl` and `dev_unseen.jsonl`, and the same of the test; some
posts stand in both of `dev`.
"""

from __future__ import annotations

import json
from pathlib import Path

from .errors import LayoutError
from .rows.table_source import TableSource
from .source import Options
from .splits import Split
from .table import make_part

IMAGES = "img"

_KEYS = {"id", "img", "text", "label"}
# The files of each split: of several choices, the first that is there.
_FILES: dict[Split, tuple[tuple[str, ...], ...]] = {
    "train": (("train.jsonl",),),
    "validation": (("dev_seen.jsonl", "dev_unseen.jsonl"), ("dev.jsonl",)),
    "test": (("test_seen.jsonl", "test_unseen.jsonl"), ("test.jsonl",)),
}


def is_hateful_memes(path: Path) -> bool:
    """Return whether a folder holds the challenge's training file and its images."""
    if not (path / IMAGES).is_dir() or not (path / "train.jsonl").is_file():
        return False
    try:
        with (path / "train.jsonl").open(encoding="utf-8") as file:
            return set(json.loads(file.readline())) >= _KEYS
    except (OSError, ValueError, TypeError):
        return False


def open_hateful_memes(path: Path, options: Options) -> TableSource:
    """Open the challenge's files; those for development are the validation posts.

    Raises:
        LayoutError: If there is none, or one cannot be read.
    """
    files = [
        (path / name, split)
        for split, choices in _FILES.items()
        for names in [next((c for c in choices if (path / c[0]).is_file()), ())]
        for name in names
        if (path / name).is_file()
    ]
    if not files:
        raise LayoutError(f"{path} holds no train.jsonl, dev.jsonl or test.jsonl")
    parts = [make_part(file, options, split) for file, split in files]
    return TableSource(path, parts, options, "hateful_memes", "the Hateful Memes data set")

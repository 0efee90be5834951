"""The columns of posts, of their files and of examples, each in one place.

The catalog checks tables by the functions here when they are loaded and saved (`validator` in
`catalog.yml`). They are read from CSV as strings throughout, so that no text and no guid is taken
for a number; the functions then give each column its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

# What sources hold where there is no tag, in any case of letters.
NO_TAG = frozenset({"", "null", "none", "nan", "?"})

POSTS: dict[str, type] = {
    "guid": str,
    "text": str,
    "tag": str,
    "img_path": str,
    "encoding": str,
    "encoding_confidence": float,
    "problems": str,
}

FILES: dict[str, type] = {"guid": str, "file": str, "bytes": int, "sha256": str}

SPLITS: dict[str, type] = {"guid": str, "split": str}

GROUPS: dict[str, type] = {"guid": str, "group": int}

# A post's image: its file's size and digest; its stored pixels, or null; its size as stored and as
# it came; its perceptual hash.
IMAGE = {
    "image_bytes": int,
    "image_sha256": str,
    "image": bytes,
    "height": int,
    "width": int,
    "original_height": int,
    "original_width": int,
    "image_hash": str,
}


def is_tag(tag: str) -> bool:
    """Return whether this is a tag, and no word for there being none."""
    return tag.casefold() not in NO_TAG


def example_schema(metadata: Mapping[str, str]) -> pa.Schema:
    """Return the Arrow schema of examples: posts with their image.

    Args:
        metadata: The metadata of the table: how its images are stored, and were prepared.
    """
    import pyarrow as pa

    types = {str: pa.string(), float: pa.float64(), int: pa.int32(), bytes: pa.large_binary()}
    columns = POSTS | IMAGE
    return pa.schema([(name, types[kind]) for name, kind in columns.items()], metadata=metadata)


def _check(table: pd.DataFrame, columns: Mapping[str, type], rows: str) -> pd.DataFrame:
    """Return a table with each column of its type.

    Raises:
        ValueError: If a column is missing, or holds what is not of its type.
    """
    missing = [name for name in columns if name not in table]
    if missing:
        raise ValueError(
            f"the table of {rows} lacks the column {missing[0]!r}: it needs {', '.join(columns)}"
        )
    numbers = {name: kind for name, kind in columns.items() if kind is not str}
    try:
        return table.astype(numbers)
    except ValueError as error:
        raise ValueError(f"the table of {rows} has a number that is none: {error}") from error


# Each takes a table of its kind, and returns and refuses what `_check` does.
check_posts = partial(_check, columns=POSTS, rows="posts")
check_files = partial(_check, columns=FILES, rows="files")
check_declared_split = partial(_check, columns=SPLITS, rows="splits")
check_groups = partial(_check, columns=GROUPS, rows="groups")

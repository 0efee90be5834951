"""A frame of posts becomes a table that the pipelines read."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from multimodal_sentiment.files import replace_whole
from multimodal_sentiment.layouts.table_source import SPLITS
from multimodal_sentiment.layouts.tables.table import in_words
from multimodal_sentiment.posts.problems import Problem, describe_problems, write_problems

from .errors import ClassifierError
from .given_images import take_image, unwrap_image
from .inputs import frame_column, frame_columns, is_missing, read_entries

logger = logging.getLogger(__name__)

ROLES = ("guid", "text", "image", "tag", "split")
# Columns that hold nothing a frame has are left out.
_TYPES = {
    "guid": pa.string(),
    "text": pa.string(),
    "image": pa.struct({"bytes": pa.large_binary(), "path": pa.string()}),
    "tag": pa.string(),
    "split": pa.string(),
}
_POSTS_AT_ONCE = 256  # whose images are held in memory
_LARGEST_ARRAY = 178.0  # megapixels, Pillow's own limit; the pipeline has one of its own


def column_names(posts: Any) -> list[str]:
    """Return the names of a frame's columns.

    Raises:
        ClassifierError: If it is no frame.
    """
    names = frame_columns(posts)
    if names is None:
        raise ClassifierError(
            f"posts must be a frame of pandas, polars or Arrow, not {type(posts).__name__}"
        )
    return list(map(str, names))


def has_test_posts(posts: Any, columns: Mapping[str, str]) -> bool:
    """Return whether the split of some posts is `test`."""
    if "split" not in columns:
        return False
    splits = read_entries(columns["split"], frame_column(posts, columns["split"]))
    return any(SPLITS.get(str(split).strip().casefold()) == "test" for split in splits)


def write_posts(posts: Any, columns: Mapping[str, str], path: Path) -> None:
    """Write a frame's posts into a Parquet file, a batch at a time.

    An image is written as the path that it has, made whole, or as its bytes. What is no image is
    left out, and counted in the log. Texts that are bytes stay so: the pipeline decodes them.

    Args:
        posts: A frame of pandas, polars or Arrow.
        columns: The names of its columns, by role: `guid`, `text`, `image`, `tag`, `split`.
        path: The file.

    Raises:
        ClassifierError: If a column holds no entries, or what is no text in place of one.
    """
    text = columns.get("text")
    texts = read_entries(text, frame_column(posts, text)) if text else iter(())
    are_bytes = any(isinstance(text, bytes) for text in texts)
    types = _TYPES | ({"text": pa.large_binary()} if are_bytes else {})
    schema = pa.schema([(role, types[role]) for role in ROLES if role == "guid" or role in columns])
    unfit: Counter[str] = Counter()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_whole(path) as partial, pq.ParquetWriter(partial, schema) as writer:
        rows = _rows(posts, columns, unfit)
        while some := list(islice(rows, _POSTS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))
    for reason, count in unfit.most_common():
        logger.warning("%s images are left out: %s", f"{count:,}", reason)


def _rows(posts: Any, columns: Mapping[str, str], unfit: Counter[str]) -> Iterator[dict[str, Any]]:
    cells = {role: read_entries(name, frame_column(posts, name)) for role, name in columns.items()}
    cells.setdefault("guid", _numbers(posts))
    for values in zip(*cells.values(), strict=False):  # the numbers have no end
        row = dict(zip(cells, values, strict=True))
        image = row.pop("image", None)
        try:
            yield {role: _as_text(value) for role, value in row.items()} | {
                "image": _as_image(image, unfit)
            }
        except TypeError as error:
            raise ClassifierError(f"the post {row['guid']!r} has no text: {error}") from error


def _numbers(posts: Any) -> Iterator[Any]:
    """Number the rows, by the index of a frame of pandas where that tells them apart."""
    index = getattr(posts, "index", None)
    if isinstance(index, pd.Index) and index.is_unique and not index.hasnans:
        return iter(index)
    return iter(range(len(posts)))


def _as_text(value: Any) -> str | bytes | None:
    """Return a cell as the text that it is in a table.

    Raises:
        TypeError: If it is no single value.
    """
    if is_missing(value):
        return None
    if isinstance(value, np.generic):
        value = value.item()
    return value if isinstance(value, str | bytes) else in_words(value)


def _as_image(value: Any, unfit: Counter[str]) -> dict[str, Any] | None:
    value = unwrap_image(value)
    if is_missing(value) or (isinstance(value, str) and not value):
        return None
    if isinstance(value, str) and "://" in value:  # the pipeline has a word for it
        return {"bytes": None, "path": value}
    image = take_image(value, _LARGEST_ARRAY)
    if isinstance(image, Problem):
        unfit[describe_problems(write_problems([image]))] += 1
        return None
    if isinstance(image, Path):
        return {"bytes": None, "path": os.path.abspath(image)}
    return {"bytes": image, "path": None}

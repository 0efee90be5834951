"""A frame of posts becomes a table that the pipelines read."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from multimodal_sentiment.decoding import decoded_reading
from multimodal_sentiment.files import replace_whole
from multimodal_sentiment.layouts.splits import SPLITS
from multimodal_sentiment.layouts.tables.columns import column_of_ids, tell_apart
from multimodal_sentiment.layouts.tables.table import in_words
from multimodal_sentiment.posts.problems import Problem, describe_problems, write_problems

from .errors import ClassifierError
from .given_images import take_image, unwrap_image
from .inputs import class_names, frame_column, frame_columns, is_missing, read_entries, single

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
_POSTS_AT_ONCE = 256
_BYTES_AT_ONCE = 2**26  # of images that are held in memory
_REPLACED = "texts hold halves of surrogate pairs, which no file can hold: they are replaced"
_LARGEST_ARRAY = 178.0  # megapixels, Pillow's own limit; the pipeline has one of its own


def column_names(posts: Any) -> list[Any]:
    """Return the names of a frame's columns: texts mostly, or numbers.

    Raises:
        ClassifierError: If it is no frame.
    """
    names = frame_columns(posts)
    if names is None:
        advice = ": pandas.DataFrame(posts) makes one" if type(posts) in (list, dict) else ""
        raise ClassifierError(
            f"posts must be a frame of pandas, polars or Arrow, not {type(posts).__name__}{advice}"
        )
    return names


def has_test_posts(posts: Any, columns: Mapping[str, Any]) -> bool:
    """Return whether the split of some posts is `test`."""
    if "split" not in columns:
        return False
    splits = read_entries(columns["split"], frame_column(posts, columns["split"]))
    return any(SPLITS.get(str(split).strip().casefold()) == "test" for split in splits)


def write_posts(posts: Any, columns: Mapping[str, Any], path: Path) -> None:
    """Write a frame's posts into a Parquet file, a batch at a time.

    An image is written as the path that it has, made whole, or as its bytes. What is no image is
    left out, and counted in the log. Texts that are bytes stay so: the pipeline decodes them.
    Numbers of classes are written as the names that `datasets` knows for them.

    Args:
        posts: A frame of pandas, polars or Arrow.
        columns: The names of its columns, by role: `guid`, `text`, `image`, `tag`, `split`.
        path: The file.

    Raises:
        ClassifierError: If a column holds no entries, or what is no text in place of one.
    """
    texts = read_entries("text", frame_column(posts, columns["text"])) if "text" in columns else ()
    are_bytes = any(isinstance(text, bytes) for text in texts)
    types = _TYPES | ({"text": pa.large_binary()} if are_bytes else {})
    schema = pa.schema([(role, types[role]) for role in ROLES if role == "guid" or role in columns])
    unfit: Counter[str] = Counter()
    path.parent.mkdir(parents=True, exist_ok=True)
    with replace_whole(path) as partial, pq.ParquetWriter(partial, schema) as writer:
        for some in _batches(_rows(posts, columns, unfit)):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))
    for what, times in (+unfit).most_common():
        logger.warning("%s %s", f"{times:,}", what)


def _batches(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    held = 0
    for row in rows:
        batch.append(row)
        held += len((row["image"] or {}).get("bytes") or b"")
        if len(batch) == _POSTS_AT_ONCE or held > _BYTES_AT_ONCE:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def _rows(posts: Any, columns: Mapping[str, Any], unfit: Counter[str]) -> Iterator[dict[str, Any]]:
    cells = {
        role: read_entries(str(name), frame_column(posts, name)) for role, name in columns.items()
    }
    cells.setdefault("guid", _ids_of_files(posts, columns) or _numbers(posts))
    name_class = class_names(posts, columns.get("tag"))
    for values in zip(*cells.values(), strict=False):  # the numbers have no end
        row = dict(zip(cells, values, strict=True))
        image = row.pop("image", None)
        if "tag" in row:
            row["tag"] = name_class(row["tag"])
        told: dict[str, Any] = {"image": _as_image(image, unfit)}
        for role, value in row.items():
            try:
                told[role] = _as_text(value)
            except TypeError as error:
                raise ClassifierError(f"the post {row['guid']!r} has no {role}: {error}") from error
        if isinstance(text := told.get("text"), str):
            reading = decoded_reading(text)
            told["text"] = reading.text
            unfit[_REPLACED] += "lone_surrogates" in reading.problem
        yield told


def _ids_of_files(posts: Any, columns: Mapping[str, Any]) -> Iterator[Any] | None:
    """Take what names images for the ids too, where tables do."""
    name = column_of_ids(columns)
    if name is None:
        return None
    words = [  # none of what may be an image itself
        str(entry) if isinstance(entry, str | os.PathLike) else None
        for entry in read_entries("image", frame_column(posts, name))
    ]
    return iter(words) if tell_apart(words) else None


def _numbers(posts: Any) -> Iterator[Any]:
    """Number the rows, by the index of a frame of pandas where that tells them apart."""
    index = getattr(posts, "index", None)
    try:
        words = list(map(_as_text, index)) if isinstance(index, pd.Index) else []
    except TypeError:  # of several levels, say
        words = []
    return iter(words) if words and tell_apart(words) else count()


def _as_text(value: Any) -> str | bytes | None:
    """Return a cell as the text that it is in a table.

    Raises:
        TypeError: If it is no single value.
    """
    if is_missing(value):
        return None
    value = single(value)
    return value if isinstance(value, str | bytes) else in_words(value)


def _as_image(value: Any, unfit: Counter[str]) -> dict[str, Any] | None:
    value = unwrap_image(value)
    if is_missing(value) or (isinstance(value, str) and not value):
        return None
    if isinstance(value, str) and "://" in value:  # the pipeline has a word for it
        return {"bytes": None, "path": value}
    image = take_image(value, _LARGEST_ARRAY)
    if isinstance(image, Problem):
        unfit[f"images are left out: {describe_problems(write_problems([image]))}"] += 1
        return None
    if isinstance(image, Path):
        return {"bytes": None, "path": os.path.abspath(image)}
    return {"bytes": image, "path": None}

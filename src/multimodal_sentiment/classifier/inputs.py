"""Whatever stands for texts and images becomes posts, one row each.

A row is never a reason to refuse the others: what cannot be read in it is missing, and a problem
says so. Only what is no list of rows at all is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set, Sized
from dataclasses import dataclass, replace
from itertools import repeat
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from PIL import Image

from multimodal_sentiment.layouts.tables.table import in_words
from multimodal_sentiment.posts.schema import is_tag
from multimodal_sentiment.posts.tag_values import spell_as_labels

from .errors import ClassifierError

BYTES = bytes | bytearray | memoryview
_ENTRIES_AT_ONCE = 256


@dataclass(frozen=True)
class Rows:
    """Texts and images, a pair for each post.

    Attributes:
        pairs: A text and an image each, as they were given; None where there are no such.
        count: The number of rows, if it can be known before they are read.
        index: The index of the rows, where they came from pandas.
    """

    pairs: Iterator[tuple[Any, Any]]
    count: int | None
    index: pd.Index[Any] | None


def pair_rows(texts: Any, images: Any, columns: Mapping[str, Any]) -> Rows:
    """Pair texts and images, by position.

    Args:
        texts: Any iterable with an entry a post; None; or a frame of pandas, polars or Arrow that
            has a column of texts, of images or both.
        images: Any iterable with an entry a post, a frame with a column of images, or None.
        columns: The names that a frame's columns have, by role: `text`, `image`.

    Raises:
        ClassifierError: If they are no rows, not as many of one as of the other, or a frame lacks
            the column that it is given for.
    """
    names = frame_columns(texts)
    is_one = names is not None and images is None  # a frame that holds both
    given = {"texts": texts, "images": texts if is_one else images}
    for name, role in (("texts", "text"), ("images", "image")):
        if frame_columns(given[name]) is not None:
            given[name] = _of_role(given[name], role, columns)
            if given[name] is None and not is_one:
                raise ClassifierError(f"{name} is a frame without a column named {columns[role]}")
    if is_one and all(values is None for values in given.values()):
        raise ClassifierError(
            f"a frame needs a column named {columns['text']}, {columns['image']} or both: it has "
            f"{', '.join(map(str, names or ())) or 'none'}"
        )
    present = {name: values for name, values in given.items() if values is not None}
    if not present:
        raise ClassifierError("texts, images or both must be given, with one entry a post each")
    entries = {name: read_entries(name, values) for name, values in present.items()}
    counts = {name: len(v) if isinstance(v, Sized) else None for name, v in present.items()}
    known = {count for count in counts.values() if count is not None}
    if len(known) > 1:
        raise ClassifierError(
            f"there are {counts['texts']:,} texts and {counts['images']:,} images: one entry a "
            "post each is needed, None where a post has none"
        )
    iterators = [entries.get(name, repeat(None)) for name in given]
    pairs = _zip(*iterators) if len(present) > 1 else zip(*iterators, strict=False)
    return Rows(pairs, next(iter(known), None), common_index(present.values()))


def common_index(given: Iterable[Any]) -> pd.Index[Any] | None:
    """Return the index of all that comes from pandas.

    Raises:
        ClassifierError: If some have different ones: they belong to different rows.
    """
    indices = [one.index for one in given if isinstance(one, pd.Series | pd.DataFrame)]
    if any(not indices[0].equals(other) for other in indices[1:]):
        raise ClassifierError(
            "texts, images and tags have different indexes: align them, or give lists, as tolist() "
            "makes them, to pair them by position"
        )
    return indices[0] if indices else None


def check_one_post(text: Any, image: Any) -> None:
    """Refuse lists of texts or images where one of each is expected.

    Raises:
        ClassifierError: If one is given.
    """
    is_text = is_missing(text) or isinstance(single(text), str | BYTES | int | float)
    for name, value, fits in (("text", text, is_text), ("image", image, True)):
        if not fits or isinstance(value, list | tuple | Mapping | Set | pd.Series | pd.DataFrame):
            raise ClassifierError(
                f"{name} must be one, not {type(value).__name__}: explain_many takes texts and "
                "images of many posts"
            )


def read_tags(values: Any, labels: Sequence[str]) -> list[str | None]:
    """Return the label that the tag of each post means, None where there is no tag.

    Raises:
        ClassifierError: If a tag means none of the labels, or no single value.
    """
    try:
        words = [
            "" if is_missing(value) else in_words(single(value)) or ""
            for value in read_entries("tags", values)
        ]
    except TypeError as error:
        raise ClassifierError(f"a post has one tag: {error}") from error
    tags = [tag if tag in labels or is_tag(tag) else None for tag in spell_as_labels(words, labels)]
    unknown = [tag for tag in tags if tag is not None and tag not in labels]
    if unknown:
        raise ClassifierError(
            f"{len(unknown):,} posts have tags that the model does not know, such as "
            f"{unknown[0]!r}: it knows {', '.join(labels)}"
        )
    return tags


def frame_columns(values: Any) -> list[Any] | None:
    """Return the names of a frame's columns; None if it is no frame.

    Raises:
        ClassifierError: If it is yet to be computed, as lazy frames are.
    """
    if callable(getattr(values, "collect", None)):
        raise ClassifierError(f"a {type(values).__name__} holds no rows yet: give its collect()")
    names = getattr(values, "column_names", None)  # Arrow's
    if names is None and not isinstance(values, type):
        names = getattr(values, "columns", None)
    return None if names is None or isinstance(values, Mapping) else list(names)


def frame_column(frame: Any, name: Any) -> Any:
    """Return a column of a frame; None if it has none of that name.

    Of a data set that would decode its images it is their bytes and paths: one that is damaged
    would end the others, too. A stream of posts is left to open its own.

    Raises:
        ClassifierError: If it has several.
    """
    found = (frame_columns(frame) or []).count(name)
    if found > 1:
        raise ClassifierError(f"a frame has {found} columns named {name}: keep one of them")
    feature = _feature(frame, name)
    if getattr(feature, "decode", False) and hasattr(frame, "__len__"):
        frame = frame.cast_column(name, replace(feature, decode=False))
    return frame[name] if found else None


def frame_tags(frame: Any, name: Any) -> list[Any] | None:
    """Return the tags in a column of a frame; None if it has none of that name."""
    tags = frame_column(frame, name)
    return None if tags is None else list(map(class_names(frame, name), read_entries("tags", tags)))


def class_names(frame: Any, column: Any) -> Callable[[Any], Any]:
    """Return what names a class by its number, where the posts are a data set that knows names.

    Such a data set has -1 for a post without a class.
    """
    names: list[str] = getattr(_feature(frame, column), "names", None) or []

    def name(value: Any) -> Any:
        number = single(value)
        if not names or not isinstance(number, int):
            return value
        return None if number == -1 else names[number] if 0 <= number < len(names) else value

    return name


def _feature(frame: Any, column: Any) -> Any:
    """Return what a data set knows of a column; None if it is no data set."""
    features = getattr(frame, "features", None)  # or a column of that name
    return features.get(column) if isinstance(features, Mapping) else None


def single(value: Any) -> Any:
    """Return a number or text of NumPy's or torch's as Python has it."""
    is_scalar = getattr(value, "ndim", None) == 0 and hasattr(value, "item")
    return value.item() if is_scalar else value


def read_entries(name: str, values: Any) -> Iterator[Any]:
    """Return the entries of whatever holds one a post.

    Raises:
        ClassifierError: If it holds none, or is one entry alone.
    """
    needed = f"{name} must be a list with one entry a post"
    if isinstance(values, str | BYTES | os.PathLike | Image.Image) or hasattr(values, "read"):
        raise ClassifierError(f"{needed}, not one alone")
    if isinstance(values, Mapping | Set) or not isinstance(values, Iterable):
        raise ClassifierError(f"{needed}, not {type(values).__name__}")
    if isinstance(values, pa.Array | pa.ChunkedArray):
        values = _arrow_entries(values)
    elif hasattr(values, "to_pylist"):  # Arrow's, of another library
        values = values.to_pylist()
    try:
        return iter(values)
    except TypeError as error:  # an array without dimensions
        raise ClassifierError(f"{needed}: {error}") from error


def _arrow_entries(values: pa.Array | pa.ChunkedArray) -> Iterator[Any]:
    """Yield Arrow's entries as Python has them, a few at a time: images take much memory."""
    for start in range(0, len(values), _ENTRIES_AT_ONCE):
        yield from values.slice(start, _ENTRIES_AT_ONCE).to_pylist()


def _of_role(frame: Any, role: str, columns: Mapping[str, Any]) -> Any:
    """Return a frame's column of a role, by its name or else by the role's; None if it has none."""
    column = frame_column(frame, columns[role])
    return frame_column(frame, role) if column is None else column


def _zip(texts: Iterator[Any], images: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
    """Pair two iterators that should end together."""
    try:
        yield from zip(texts, images, strict=True)
    except ValueError as error:
        if not str(error).startswith("zip()"):
            raise
        raise ClassifierError(
            "there are not as many texts as images: one entry a post each is needed, None where a "
            "post has none"
        ) from error


def is_missing(value: Any) -> bool:
    """Return whether a value stands for nothing: None, NaN, NA."""
    if value is None or value is np.ma.masked:
        return True
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))

"""Whatever stands for texts and images becomes posts, one row each.

A row is never a reason to refuse the others: what cannot be read in it is missing, and a problem
says so. Only what is no list of rows at all is refused.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Set, Sized
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from multimodal_sentiment.decoding import has_control_characters
from multimodal_sentiment.layouts.files import LARGEST
from multimodal_sentiment.posts.problems import Problem, problem

from .errors import ClassifierError

_BYTES = bytes | bytearray | memoryview
_AS_PNG = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})
_AS_TIFF = frozenset({"F", "I", "CMYK"})
_LINKS = ("http://", "https://", "ftp://", "data:")
_CHANNELS = (1, 3, 4)
_LONGEST_REASON = 80  # characters


@dataclass(frozen=True)
class Rows:
    """Texts and images, a pair for each post.

    Attributes:
        pairs: A text and an image each, as they were given; None where there are no such.
        count: How many there are, if that can be known before they are read.
        index: Of the rows, where they came from pandas.
    """

    pairs: Iterator[tuple[Any, Any]]
    count: int | None
    index: pd.Index[Any] | None


def pair_rows(texts: Any, images: Any) -> Rows:
    """Pair texts and images, by position.

    Args:
        texts: Any iterable with an entry a post; None; or a frame of pandas, polars or Arrow that
            has a column `text`, `image` or both.
        images: Any iterable with an entry a post, or None.

    Raises:
        ClassifierError: If they are no rows, or not as many of one as of the other.
    """
    given = {"texts": texts, "images": images}
    if (columns := frame_columns(texts)) is not None:
        given["texts"] = frame_column(texts, "text")
        if images is None:
            given["images"] = frame_column(texts, "image")
        if all(values is None for values in given.values()):
            raise ClassifierError(
                "a frame needs a column named text, image or both: it has "
                f"{', '.join(map(str, columns)) or 'none'}"
            )
    if frame_columns(images) is not None:
        given["images"] = frame_column(images, "image")
        if given["images"] is None:
            raise ClassifierError("images is a frame without a column named image")
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
    return Rows(pairs, next(iter(known), None), _index(list(present.values())))


def check_one_post(text: Any, image: Any) -> None:
    """Refuse lists of texts or images where one of each is expected.

    Raises:
        ClassifierError: If one is given.
    """
    if not (is_missing(text) or isinstance(text, str | _BYTES)):
        raise ClassifierError(
            f"text must be one string, bytes or None, not {type(text).__name__}: "
            "explain_many takes texts and images of many posts"
        )
    if isinstance(image, list | tuple | Mapping | Set | pd.Series | pd.DataFrame):
        raise ClassifierError(
            f"image must be one path, file, array or Pillow image, not {type(image).__name__}: "
            "explain_many takes texts and images of many posts"
        )


def read_text(value: Any) -> tuple[str | bytes, list[Problem]]:
    """Return a post's text, or bytes that are yet to be decoded, and what is wrong with it."""
    if is_missing(value):
        return "", [problem("no_text")]
    if not isinstance(value, str | _BYTES):
        return "", [problem("text_unreadable", f"{type(value).__name__} is no text")]
    if len(value) > LARGEST["text"]:
        return "", [problem("text_too_large", f"{len(value) / 1e6:.1f}")]
    if not isinstance(value, str):
        return bytes(value), []
    text, problems = str(value), []
    try:
        text.encode()
    except UnicodeEncodeError:  # halves of surrogate pairs; two that fit are one character
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if lost := text.count("\ufffd") - value.count("\ufffd"):
            problems.append(problem("lone_surrogates", lost))
    if has_control_characters(text):
        problems.append(problem("control_characters"))
    return text, problems or ([] if text.strip() else [problem("empty_text")])


def take_image(value: Any, max_megapixels: float) -> bytes | Path | Problem:  # noqa: PLR0911
    """Return an image as the bytes of a file, or the path of one, or why there is neither.

    An open file, and an image that is decoded on demand, can be read by one thread at a time: the
    one that calls this.

    Args:
        value: A path, bytes, an open file, an array, a Pillow image, or nothing.
        max_megapixels: A larger one is not looked at.
    """
    value = unwrap_image(value)
    if is_missing(value) or (isinstance(value, str) and not value):
        return problem("no_image")
    try:
        if isinstance(value, _BYTES):
            return bytes(value)
        if isinstance(value, str | os.PathLike):
            if isinstance(value, str) and value.lower().startswith(_LINKS):
                return problem("image_unreadable", "links are not followed: fetch it first")
            return Path(value).expanduser()
        if isinstance(value, Image.Image):
            return _encode(value, max_megapixels)
        if callable(getattr(value, "read", None)):
            return _read_open_file(value)
        if hasattr(value, "__array__"):
            return _encode_array(np.asarray(value), max_megapixels)
    except MemoryError:
        raise
    except Exception as error:  # whatever a stranger's object may raise
        return _unreadable(error)
    return problem("image_unreadable", f"{type(value).__name__} is no image")


def unwrap_image(value: Any) -> Any:
    """Return the bytes or the path of an image as the data sets of a hub have it; others stay."""
    if isinstance(value, Mapping) and value.keys() & {"bytes", "path"}:
        return value.get("bytes") or value.get("path")
    return value


def read_image(source: bytes | Path | Problem) -> bytes | Problem:
    """Return the bytes of what `take_image` returned, or why they cannot be had."""
    if not isinstance(source, Path):
        if isinstance(source, bytes) and len(source) > LARGEST["image"]:
            return problem("image_too_large", f"{len(source) / 1e6:.1f}")
        return source
    try:
        about = source.stat()
        if not stat.S_ISREG(about.st_mode):  # what is no file may have no end
            return problem("image_unreadable", "not a file")
        if about.st_size > LARGEST["image"]:
            return problem("image_too_large", f"{about.st_size / 1e6:.1f}")
        return source.read_bytes()
    except (OSError, ValueError) as error:  # the second: a NUL in the path
        return _unreadable(error)


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


def frame_column(frame: Any, name: str) -> Any:
    """Return a column of a frame; None if it has none of that name.

    Raises:
        ClassifierError: If it has several.
    """
    found = (frame_columns(frame) or []).count(name)
    if found > 1:
        raise ClassifierError(f"a frame has {found} columns named {name}: keep one of them")
    return frame[name] if found else None


def read_entries(name: str, values: Any) -> Iterator[Any]:
    """Return the entries of whatever holds one a post.

    Raises:
        ClassifierError: If it holds none, or is one entry alone.
    """
    alone = isinstance(values, str | _BYTES | os.PathLike | Image.Image)
    if alone or hasattr(values, "read"):
        raise ClassifierError(f"{name} must be a list with one entry a post, not one alone")
    if isinstance(values, Mapping | Set) or not isinstance(values, Iterable):
        raise ClassifierError(
            f"{name} must be a list with one entry a post, not {type(values).__name__}"
        )
    if callable(to_list := getattr(values, "to_pylist", None)):  # Arrow's entries are wrapped
        values = to_list()
    try:
        return iter(values)
    except TypeError as error:  # an array without dimensions
        raise ClassifierError(f"{name} must be a list with one entry a post: {error}") from error


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


def _index(given: list[Any]) -> pd.Index[Any] | None:
    """Return the index of the rows.

    Raises:
        ClassifierError: If texts and images have different ones: they belong to different rows.
    """
    indices = [values.index for values in given if isinstance(values, pd.Series)]
    if len(indices) > 1 and not indices[0].equals(indices[1]):
        raise ClassifierError(
            "texts and images are Series with different indexes: align them, or give "
            "texts.tolist() and images.tolist() to pair them by position"
        )
    return indices[0] if indices else None


def is_missing(value: Any) -> bool:
    """Return whether a value stands for nothing: None, NaN, NA."""
    if value is None or value is np.ma.masked:
        return True
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _read_open_file(file: Any) -> bytes | Problem:
    if callable(getattr(file, "seekable", None)) and file.seekable():
        file.seek(0)  # it may stand for several rows
    content = file.read(LARGEST["image"] + 1)
    if not isinstance(content, _BYTES):
        return problem("image_unreadable", "a file that is open as text: open it with mode rb")
    return bytes(content)


def _encode_array(array: np.ndarray, max_megapixels: float) -> bytes | Problem:
    plane = 2  # dimensions of a grey image
    shaped = array.ndim == plane or (array.ndim == plane + 1 and array.shape[2] in _CHANNELS)
    if array.dtype != np.uint8 or not shaped or not array.size:
        return problem(
            "image_unreadable",
            f"an array of {array.dtype} and shape {array.shape}: give uint8 of shape "
            "(height, width, 3)",
        )
    if array.ndim > plane and array.shape[2] == 1:
        array = array[:, :, 0]
    return _encode(Image.fromarray(array), max_megapixels)


def _encode(image: Image.Image, max_megapixels: float) -> bytes | Problem:
    """Return an image as a file that holds it unchanged, with what says which side is up."""
    if image.width * image.height > max_megapixels * 1e6:
        return problem("image_broken", f"claims over {max_megapixels:g} megapixels")
    buffer = io.BytesIO()
    drawn = image if image.mode in _AS_PNG | _AS_TIFF else image.convert("RGB")
    if drawn.mode in _AS_TIFF:
        drawn.save(buffer, "TIFF", exif=image.getexif())
    else:
        drawn.save(buffer, "PNG", exif=image.getexif(), compress_level=0)
    return buffer.getvalue()


def _unreadable(error: Exception) -> Problem:
    said = getattr(error, "strerror", None) or " ".join(str(error).split())
    return problem("image_unreadable", said[:_LONGEST_REASON] or type(error).__name__)

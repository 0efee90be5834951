"""Whatever stands for an image becomes the bytes of a file, or a problem that says why not."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from multimodal_sentiment.layouts.files.local import LARGEST, too_large
from multimodal_sentiment.posts.problems import Problem, problem
from multimodal_sentiment.wording import reason

from .inputs import BYTES, is_missing

_AS_PNG = frozenset({"1", "L", "LA", "I;16", "P", "RGB", "RGBA"})
_AS_TIFF = frozenset({"F", "I", "CMYK"})
_LINKS = ("http://", "https://", "ftp://", "data:")
_CHANNELS = (1, 3, 4)
_LONGEST_REASON = 80  # characters


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
        if isinstance(value, BYTES):
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
            return too_large("image", len(source))
        return source
    try:
        about = source.stat()
        if not stat.S_ISREG(about.st_mode):  # what is no file may have no end
            return problem("image_unreadable", "not a file")
        if about.st_size > LARGEST["image"]:
            return too_large("image", about.st_size)
        return source.read_bytes()
    except (OSError, ValueError) as error:  # the second: a NUL in the path
        return _unreadable(error)


def _read_open_file(file: Any) -> bytes | Problem:
    if callable(getattr(file, "seekable", None)) and file.seekable():
        file.seek(0)  # it may stand for several rows
    content = file.read(LARGEST["image"] + 1)
    if not isinstance(content, BYTES):
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
    """Return an image as a file that holds it unchanged, with what says which side is up.

    If that file were larger than those that are read, it holds the image at half its width and
    height, which is far more than a model sees.
    """
    if image.width * image.height > max_megapixels * 1e6:
        return problem("image_broken", f"claims over {max_megapixels:g} megapixels")
    drawn = image if image.mode in _AS_PNG | _AS_TIFF else image.convert("RGB")
    payload = _as_file(drawn, image.getexif())
    if len(payload) > LARGEST["image"]:
        half = -(-drawn.width // 2), -(-drawn.height // 2)
        payload = _as_file(drawn.resize(half, Image.Resampling.BOX), image.getexif())
    return payload


def _as_file(image: Image.Image, exif: Image.Exif) -> bytes:
    buffer = io.BytesIO()
    if image.mode in _AS_TIFF:
        image.save(buffer, "TIFF", exif=exif)
    else:
        image.save(buffer, "PNG", exif=exif, compress_level=0)
    return buffer.getvalue()


def _unreadable(error: Exception) -> Problem:
    return problem("image_unreadable", reason(error)[:_LONGEST_REASON])

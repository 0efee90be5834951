"""From the bytes of an image file to its pixels, and the hash that tells near duplicates.

Whatever the bytes are, `decode_image` returns the whole image or raises a `BrokenImageError`. One
exception: a JPEG that lacks its end, but of whose rows 99% are there, is returned with a problem.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Literal, NamedTuple

import imagehash
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageStat, UnidentifiedImageError

from multimodal_sentiment.wording import one_line

from .cut_jpegs import last_row, with_end
from .metadata import HEIC_BRANDS, START_OF_JPEG, without_metadata
from .problems import Problem, problem

Storage = Literal["pixels", "jpeg"]

FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "BMP", "GIF", "TIFF")
JPEG_QUALITY = 90
_MUCH_METADATA = 2**20  # bytes; less is left to Pillow, which finds more ways to say what is up
_LONGEST_REASON = 80  # characters

# Under this standard deviation of its grey levels (of 255) an image shows nothing: the hash of a
# blank image says only that it is blank.
FLAT = 1.0

# Larger images are decoded one at a time, so that a few huge ones do not fill the memory.
_LARGE_MEGAPIXELS = 8
_one_large_image = threading.Lock()

# Pillow warns of what is handled here: sizes by our own limit, oddities by decoding or refusing.
warnings.filterwarnings("ignore", module=r"PIL\.")


class BrokenImageError(ValueError):
    """The bytes are no image, or not all of one; the message says which in a few words."""

    @property
    def problem(self) -> Problem:
        """What is to be noted for the post."""
        return problem("image_broken", self)


@dataclass(frozen=True)
class DecodedImage:
    """A decoded image.

    Attributes:
        pixels: Red, green and blue, of shape (height, width, 3), uint8.
        original_height: The height of the upright image before it was cut or made smaller.
        original_width: The same.
        problem: Its problem, if it has one.
    """

    pixels: NDArray[np.uint8]
    original_height: int
    original_width: int
    problem: Problem | None = None

    @property
    def perceptual_hash(self) -> str:
        """64 bits in hexadecimal that similar images share; empty for an image without structure.

        The signs of the lowest frequencies of a cosine transform (`imagehash.phash`).
        """
        grey = Image.fromarray(self.pixels).convert("L")
        return "" if ImageStat.Stat(grey).stddev[0] < FLAT else str(imagehash.phash(grey))


def decode_image(
    payload: bytes, *, short_side: int, max_aspect_ratio: float, max_megapixels: float
) -> DecodedImage:
    """Decode the first frame of an image: upright, RGB on white, bounded.

    The format is told by the content. Metadata does not count, but for its orientation.

    Args:
        payload: The image file's bytes.
        short_side: Larger images are reduced to this many pixels on their shorter side.
        max_aspect_ratio: An image longer than this times its shorter side is cut about its centre.
        max_megapixels: An image that claims more is refused before anything is decoded.

    Raises:
        BrokenImageError: If the bytes are not one complete image of a known format.
    """
    bounds = _Bounds(short_side, max_aspect_ratio, max_megapixels)
    is_jpeg = payload.startswith(START_OF_JPEG)
    lean = without_metadata(payload)
    # Of a JPEG, Pillow reads metadata in a time that grows with the square of its size.
    if is_jpeg or len(payload) - len(lean) > _MUCH_METADATA:
        payload = lean
    try:
        return _decode(payload, bounds)
    except BrokenImageError as error:
        if is_jpeg:
            try:
                return _decode(with_end(payload), bounds, is_cut=True)
            except BrokenImageError:  # which may be of its new end
                raise error from None
        if lean is payload:
            raise
        return _decode(lean, bounds)


def claimed_megapixels(payload: bytes) -> float:
    """Return how many megapixels an image says that it has, without decoding it.

    It is 0 if the image cannot be opened, and infinite beyond what Pillow opens at all.
    """
    try:
        with _opened(without_metadata(payload), math.inf) as image:
            return image.width * image.height / 1e6
    except BrokenImageError as error:
        return math.inf if isinstance(error.__cause__, Image.DecompressionBombError) else 0.0


def pack(image: DecodedImage, storage: Storage) -> bytes:
    """Return an image's pixels as they are stored: raw, or as a JPEG file."""
    if storage == "pixels":
        return image.pixels.tobytes()
    buffer = io.BytesIO()
    Image.fromarray(image.pixels).save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()


def unpack(
    stored: bytes | memoryview, storage: Storage, height: int, width: int
) -> NDArray[np.uint8]:
    """Return the pixels that `pack` was given, of shape (height, width, 3), uint8.

    Raw pixels are a view of what is stored, not a copy.
    """
    if storage == "pixels":
        return np.frombuffer(stored, np.uint8).reshape(height, width, 3)
    with Image.open(io.BytesIO(stored), formats=["JPEG"]) as image:
        return np.asarray(image.convert("RGB"))


class _Bounds(NamedTuple):
    """See `decode_image`."""

    short_side: int
    max_aspect_ratio: float
    max_megapixels: float


def _decode(payload: bytes, bounds: _Bounds, *, is_cut: bool = False) -> DecodedImage:
    """Decode a file; one that is known to be cut must still hold most of its rows."""
    with _opened(payload, bounds.max_megapixels) as image:
        width, height = image.size
        # A JPEG can be decoded at 1/2, 1/4 or 1/8 of its size, much faster. Down to three times the
        # final size, that changes less than saving the result as a JPEG would (measured on photos:
        # 51 against 34 dB). Other formats ignore the call.
        reduction = min(width, height) / (3 * bounds.short_side)
        if reduction > 1 and not is_cut:
            image.draft(None, (round(width / reduction), round(height / reduction)))
        large = image.width * image.height > _LARGE_MEGAPIXELS * 1e6
        with _one_large_image if large else nullcontext():
            image.load()
            cut = _cut(image) if is_cut else None
            turn = _turn(image)
            upright = _as_rgb(image)
            if turn is not None:
                upright = upright.transpose(turn)
            if turn in _SIDEWAYS:
                width, height = height, width
            return DecodedImage(
                np.asarray(_bounded(upright, height, width, bounds)),
                original_height=height,
                original_width=width,
                problem=cut,
            )


@contextmanager
def _opened(payload: bytes, max_megapixels: float) -> Iterator[Image.Image]:
    """Open a file; whatever is wrong with it within, it is broken."""
    try:
        formats = ("HEIF",) if _is_heic(payload) else FORMATS
        with Image.open(io.BytesIO(payload), formats=formats) as image:
            if image.width * image.height > max_megapixels * 1e6:
                raise Image.DecompressionBombError
            yield image
    except Image.DecompressionBombError as error:
        raise BrokenImageError(f"claims over {max_megapixels:g} megapixels") from error
    except (MemoryError, BrokenImageError):  # the first is no fault of the image
        raise
    except Exception as error:  # Pillow meets broken bytes with nearly any exception
        raise BrokenImageError(_reason(payload, error)) from error


def _is_heic(payload: bytes) -> bool:
    """Return whether a file is HEIC, which an optional library reads.

    Raises:
        BrokenImageError: If it is, and the library is not installed.
    """
    if payload[4:8] != b"ftyp" or payload[8:12] not in HEIC_BRANDS or b"avif" in payload[8:64]:
        return False
    try:
        import pillow_heif
    except ImportError as error:
        raise BrokenImageError("HEIC: reading it needs the extra [heic]") from error
    pillow_heif.register_heif_opener()
    return True


def _cut(image: Image.Image) -> Problem:
    """Return the problem of a JPEG that lacks its end, but few rows.

    Raises:
        BrokenImageError: If it lacks more.
    """
    row = last_row(image)
    if row is None:
        raise BrokenImageError("truncated")
    return problem("image_cut", row, image.height)


_TURNS = {  # what undoes each EXIF orientation
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_TURNS[orientation] for orientation in (5, 6, 7, 8)}


def _turn(image: Image.Image) -> Image.Transpose | None:
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged metadata is no reason to lose the image
        return None


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):  # no fixed range: its own extremes become black and white
        levels = np.nan_to_num(np.asarray(image, np.float32)).astype(np.float64)
        levels -= levels.min()
        levels *= 255 / (levels.max() or 1)  # one level: black
        return Image.fromarray(levels.astype(np.uint8)).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _bounded(image: Image.Image, height: int, width: int, bounds: _Bounds) -> Image.Image:
    """Cut and reduce an image whose original size was (height, width).

    The sizes that come out are those of torchvision's `Resize(short_side)`, and so is the filter.
    `model/pipeline.py` and `publishing/answer_page.py` do the same again, since they are copied
    beside a model and run where this package is not installed.
    """
    short_side = bounds.short_side
    longest = int(min(height, width) * bounds.max_aspect_ratio)
    kept_height, kept_width = min(height, longest), min(width, longest)
    top, left = (height - kept_height) // 2, (width - kept_width) // 2
    box = (left, top, left + kept_width, top + kept_height)
    shorter = min(height, width)
    if shorter <= short_side:
        return image.crop(box)
    size = (int(short_side * kept_width / shorter), int(short_side * kept_height / shorter))
    drafted_x, drafted_y = image.width / width, image.height / height
    box_in_image = (box[0] * drafted_x, box[1] * drafted_y, box[2] * drafted_x, box[3] * drafted_y)
    return image.resize(size, Image.Resampling.BILINEAR, box_in_image)


def _reason(payload: bytes, error: Exception) -> str:
    if not payload:
        return "empty file"
    if isinstance(error, UnidentifiedImageError):
        return "not a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF"
    if "truncated" in str(error).lower():
        return "truncated"
    return one_line(error)[:_LONGEST_REASON]

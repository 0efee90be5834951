"""Metadata never costs an image: not by its size, and not by what is wrong with it."""

from __future__ import annotations

import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import ExifTags, Image

from multimodal_sentiment.posts.imaging import FORMATS, DecodedImage, decode_image
from multimodal_sentiment.posts.metadata import without_metadata

from ..pictures import chunk, encoded, scene

MB = 2**20


def decode(payload: bytes) -> DecodedImage:
    return decode_image(payload, short_side=64, max_aspect_ratio=3, max_megapixels=20)


def png(*chunks: bytes, at: int = 33) -> bytes:
    """A PNG with chunks before its pixels, or elsewhere."""
    payload = encoded(scene(), "PNG")
    return payload[:at] + b"".join(chunks) + payload[at:]


def comment(size: int, kind: bytes = b"zTXt", head: bytes = b"C\0\0") -> bytes:
    """A chunk that comes to so many bytes when it is decompressed."""
    return chunk(kind, head + zlib.compress(bytes(size)))


def segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg(marker: int, *contents: bytes) -> bytes:
    """A JPEG with segments before its pixels."""
    payload = encoded(scene(), "JPEG")
    return payload[:2] + b"".join(segment(marker, data) for data in contents) + payload[2:]


def gif(label: bytes, data: bytes) -> bytes:
    """A GIF with an extension before its pixels."""
    payload = encoded(scene(), "GIF")
    at = 13 + 3 * 2 ** ((payload[10] & 7) + 1)
    blocks = (data[start : start + 255] for start in range(0, len(data), 255))
    extension = b"!" + label + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"
    return payload[:at] + extension + payload[at:]


def webp(kind: bytes, data: bytes) -> bytes:
    """A WebP with a chunk behind its pixels."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"  # or it has no place for chunks
    body = encoded(scene(), "WEBP", exif=exif)[12:] + kind + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def avif(**options: bytes) -> bytes:
    return encoded(scene(), "AVIF", **options)


def tiff(tag: int, kind: int, count: int, value: int) -> bytes:
    """An uncompressed TIFF with one more tag in its directory."""
    data = np.asarray(scene()).tobytes()
    pixels = {256: 60, 257: 40, 258: 8, 259: 1, 262: 2, 273: 8, 277: 3, 278: 40, 279: len(data)}
    entries = [(number, 4, 1, given) for number, given in pixels.items()]
    entries = sorted([*entries, (tag, kind, count, value)])
    directory = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    start = struct.pack("<4sI", b"II*\0", 8 + len(data))
    return start + data + struct.pack("<H", len(entries)) + directory + bytes(4)


EXIF = b"Exif\0\0II*\0\x08\0\0\0\0\0" + bytes(65_000)
XMP = b"http://ns.adobe.com/xmp/extension/\0" + bytes(65_000)
PROFILE = [b"ICC_PROFILE\0" + bytes([n, 255]) + bytes(65_000) for n in range(1, 256)]
UNCLOSED = b"Photoshop 3.0\x008BIM\3\xed\xff"

FAT: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a comment of 2 MB": ("PNG", lambda: png(comment(2 * MB))),
    "a comment of 20 MB": ("PNG", lambda: png(comment(20 * MB))),
    "an international one": ("PNG", lambda: png(comment(10 * MB, b"iTXt", b"C\0\1\0\0\0"))),
    "80 comments of 1 MB": ("PNG", lambda: png(*[comment(MB)] * 80)),
    "a plain comment": ("PNG", lambda: png(chunk(b"tEXt", b"C\0" + b"c" * 70 * MB))),
    "a comment at the end": ("PNG", lambda: png(comment(3 * MB), at=-12)),
    "a comment squeezed unknown": ("PNG", lambda: png(chunk(b"zTXt", b"C\0\7words"))),
    "a wrong checksum": ("PNG", lambda: png(chunk(b"tEXt", b"C\0words")[:-1] + b"!")),
    "a colour profile": ("PNG", lambda: png(comment(10 * MB, b"iCCP"))),
    "a profile squeezed unknown": ("PNG", lambda: png(chunk(b"iCCP", b"p\0\7words"))),
    "a gamma cut short": ("PNG", lambda: png(chunk(b"gAMA", b"a"))),
    "a size cut short": ("PNG", lambda: png(chunk(b"pHYs", b"a"))),
    "colours cut short": ("PNG", lambda: png(chunk(b"cHRM", b"a"))),
    "EXIF of 5 MB": ("PNG", lambda: png(chunk(b"eXIf", b"II*\0" + b"\xff" * 5 * MB))),
    "300 segments of EXIF": ("JPEG", lambda: jpeg(0xE1, *[EXIF] * 300)),
    "100 segments of XMP": ("JPEG", lambda: jpeg(0xE1, *[XMP] * 100)),
    "a profile in 255 segments": ("JPEG", lambda: jpeg(0xE2, *PROFILE)),
    "a profile cut short": ("JPEG", lambda: jpeg(0xE2, b"ICC_PROFILE\0")),
    "100 comments": ("JPEG", lambda: jpeg(0xFE, *[bytes(65_000)] * 100)),
    "JFIF cut short": ("JPEG", lambda: jpeg(0xE0, b"JFIF")),
    "Adobe's mark cut short": ("JPEG", lambda: jpeg(0xEE, b"Adobe")),
    "Photoshop's cut short": ("JPEG", lambda: jpeg(0xED, UNCLOSED)),
    "pictures that are none": ("JPEG", lambda: jpeg(0xE2, b"MPF\0II*\0\xff\xff\xff\xff")),
    "a comment of 5 MB, GIF": ("GIF", lambda: gif(b"\xfe", bytes(5 * MB))),
    "an application's 5 MB": ("GIF", lambda: gif(b"\xff", b"XMP DataXMP" + bytes(5 * MB))),
    "XMP of 10 MB": ("WEBP", lambda: webp(b"XMP ", bytes(10 * MB))),
    "EXIF of 10 MB": ("WEBP", lambda: webp(b"EXIF", bytes(10 * MB))),
    "an unknown chunk": ("WEBP", lambda: webp(b"UNKN", bytes(10 * MB))),
    "EXIF of 5 MB, AVIF": ("AVIF", lambda: avif(exif=b"Exif\0\0II*\0" + bytes(5 * MB))),
    "XMP of 5 MB": ("AVIF", lambda: avif(xmp=bytes(5 * MB))),
    "a description of 10 MB": ("TIFF", lambda: encoded(scene(), "TIFF", description="d" * 10 * MB)),
    "a description nowhere": ("TIFF", lambda: tiff(270, 2, 100, 10**9)),
    "a description of 1 GB": ("TIFF", lambda: tiff(270, 2, 2**30, 8)),
    "XMP nowhere": ("TIFF", lambda: tiff(700, 1, 5000, 2**32 - 1)),
    "a profile, TIFF": ("TIFF", lambda: encoded(scene(), "TIFF", icc_profile=bytes(10 * MB))),
}


@pytest.mark.fault("image", "metadata that is huge or damaged", "the picture, in little memory")
@pytest.mark.parametrize("name", FAT)
def test_it_costs_no_picture_little_memory_and_little_time(name: str) -> None:
    kind, make = FAT[name]
    payload = make()
    tracemalloc.start()
    began = time.process_time()
    try:
        image = decode(payload)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert image.problem is None
    np.testing.assert_array_equal(image.pixels, decode(encoded(scene(), kind)).pixels)
    assert peak < 2 * len(payload) + 90 * MB  # Pillow reads up to 64 MB of compressed texts
    assert time.process_time() - began < 5


@pytest.mark.parametrize("kind", FORMATS)
def test_what_has_no_metadata_is_not_copied(kind: str) -> None:
    payload = encoded(scene(), kind)
    assert without_metadata(payload) is payload


def test_of_many_segments_of_exif_the_first_stays() -> None:
    first = b"Exif\0\0II*\0first"
    lean = without_metadata(jpeg(0xE1, first, *[EXIF] * 20))
    assert first in lean
    assert len(lean) < len(encoded(scene(), "JPEG")) + 100


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_what_turns_an_image_upright_stays(kind: str) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "words"
    lean = without_metadata(encoded(scene(), kind, exif=exif))
    assert decode(lean).pixels.shape == (60, 40, 3)


@pytest.mark.parametrize("colours", ["RGB", "CMYK", "L"])
def test_what_says_in_which_colours_a_jpeg_is_stays(colours: str) -> None:
    options: dict[str, Any] = {"keep_rgb": True} if colours == "RGB" else {}
    payload = encoded(scene().convert(colours), "JPEG", comment=b"words", **options)
    lean = without_metadata(payload)
    assert b"words" in payload and b"words" not in lean
    with Image.open(io.BytesIO(payload)) as one, Image.open(io.BytesIO(lean)) as other:
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))

"""Pictures, and files of them, sound and made up."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image, ImageDraw


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def picture(width: int = 60, height: int = 40, mode: str = "RGB") -> Image.Image:
    """A smooth one."""
    y, x = np.mgrid[0:height, 0:width]
    pixels = np.stack([255 * x / width, 255 * y / height, 128 + 100 * np.sin(x / 9)], -1)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


def patches(seed: int, width: int = 60, height: int = 40) -> Image.Image:
    """One of its own, so that its post has no twin."""
    colours = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(colours).resize((width, height))


def scene(width: int = 60, height: int = 40) -> Image.Image:
    """A smooth picture whose quarters differ, so that every turn of it can be told."""
    image = picture(width, height)
    ImageDraw.Draw(image).rectangle([2, 2, width // 3, height // 4], fill="red")
    return image


def chunk(kind: bytes, data: bytes) -> bytes:
    """A part of a PNG."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_that_claims(width: int, height: int) -> bytes:
    """A PNG of some size that holds next to nothing."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )

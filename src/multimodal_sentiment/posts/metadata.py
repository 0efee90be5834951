"""Image files without what is written beside their pixels.

An image is not lost because its comment is long, its colour profile damaged, or its EXIF spread
over a thousand segments: Pillow refuses some of these files, and reads others for minutes. Kept is
what decides on the pixels, and which side of them is up. It takes no more memory than one copy of
the file.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Literal

START_OF_JPEG = b"\xff\xd8"
# What ISO's media files are called that hold an image of HEIC.
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
_START_OF_PNG = b"\x89PNG\r\n\x1a\n"
_STARTS_OF_TIFF: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}

# JPEG's markers (ITU T.81, table B.1).
_FILL, _START_OF_SCAN, _APP0, _APP15, _COMMENT = 0xFF, 0xDA, 0xE0, 0xEF, 0xFE
_STANDALONE = (0x01, *range(0xD0, 0xD9))  # without a segment
# How a segment of metadata begins that counts, and how long it must be for that: JFIF and Adobe say
# in which colours the pixels are, Exif and XMP which side is up.
_COLOURS = {_APP0: (b"JFIF\0", 14), 0xEE: (b"Adobe", 12)}
_ORIENTATIONS = (b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0")

_PIXEL_CHUNKS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
_EXIF_CHUNK = b"eXIf"

# TIFF's tags (TIFF 6.0, appendix A) of layout, colours, compression and orientation.
_PIXEL_TAGS = {
    *range(256, 260), 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320, *range(322, 326),
    332, 338, 339, 347, *range(512, 522), *range(529, 533),
}  # fmt: skip


def without_metadata(payload: bytes) -> bytes:
    """Return a JPEG, PNG or TIFF file without its metadata, but for its orientation.

    What is of another format, or has nothing to leave out, comes back as it is.
    """
    if payload.startswith(START_OF_JPEG):
        return _joined(payload, _jpeg_parts(payload))
    if payload.startswith(_START_OF_PNG):
        return _joined(payload, _png_parts(payload))
    order = _STARTS_OF_TIFF.get(payload[:4])
    return _lean_tiff(payload, order) if order else payload


def _joined(payload: bytes, parts: Iterator[tuple[int, int]]) -> bytes:
    """Return the parts of a payload, each given by its start and its end."""
    kept = list(parts)
    if sum(end - start for start, end in kept) == len(payload):
        return payload
    view = memoryview(payload)
    return b"".join(view[start:end] for start, end in kept)


def _jpeg_parts(payload: bytes) -> Iterator[tuple[int, int]]:
    """Find the segments to keep, and all that follows the first start of a scan."""
    at = len(START_OF_JPEG)
    yield 0, at
    orientations = set(_ORIENTATIONS)  # the first of each is kept
    while at + 4 <= len(payload) and payload[at] == _FILL:
        marker = payload[at + 1]
        if marker == _START_OF_SCAN:
            break
        if marker == _FILL:
            end = at + 1
        elif marker in _STANDALONE:
            end = at + 2
        else:
            end = at + 2 + int.from_bytes(payload[at + 2 : at + 4])
        if not _APP0 <= marker <= _APP15 and marker != _COMMENT:
            yield at, min(end, len(payload))
        elif marker in _COLOURS:
            sign, shortest = _COLOURS[marker]
            if payload.startswith(sign, at + 4) and end - at - 4 >= shortest:
                yield at, min(end, len(payload))
        else:
            found = {sign for sign in orientations if payload.startswith(sign, at + 4)}
            orientations -= found
            if found:
                yield at, min(end, len(payload))
        at = end
    yield min(at, len(payload)), len(payload)


def _png_parts(payload: bytes) -> Iterator[tuple[int, int]]:
    """Find the chunks to keep."""
    at = len(_START_OF_PNG)
    yield 0, at
    while at + 8 <= len(payload):
        kind = payload[at + 4 : at + 8]
        end = min(at + 12 + int.from_bytes(payload[at : at + 4]), len(payload))
        if kind in _PIXEL_CHUNKS or (kind == _EXIF_CHUNK and _is_sound(payload, at, end)):
            yield at, end
        at = end


def _is_sound(payload: bytes, start: int, end: int) -> bool:
    """Return whether a chunk's checksum is right."""
    content = memoryview(payload)[start + 4 : end - 4]
    return zlib.crc32(content) == int.from_bytes(payload[end - 4 : end])


def _lean_tiff(payload: bytes, order: Literal["little", "big"]) -> bytes:
    """Return a TIFF whose first directory names pixels alone, and is the last one."""
    at = int.from_bytes(payload[4:8], order)
    count = int.from_bytes(payload[at : at + 2], order)
    end = at + 2 + 12 * count
    entries = [payload[start : start + 12] for start in range(at + 2, end, 12)]
    kept = [entry for entry in entries if int.from_bytes(entry[:2], order) in _PIXEL_TAGS]
    if len(kept) == count:
        return payload
    directory = len(kept).to_bytes(2, order) + b"".join(kept)
    return payload[:at] + directory.ljust(end + 4 - at, b"\0") + payload[end + 4 :]

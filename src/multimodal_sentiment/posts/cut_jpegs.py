"""JPEG files whose end is missing: how they are decoded all the same, and how much is there.

libjpeg decodes what a file holds, if the mark of its end follows, and fills up what is missing with
one grey. A progressive file has all its rows early; what is missing there is sharpness.
"""

from __future__ import annotations

import math
import re

import numpy as np
from PIL import Image

# A JPEG with fewer of its rows is broken. A hundredth is hardly seen, and lies at an edge that the
# central square of a model's input leaves out of most photos.
LEAST_ROWS = 0.99

_END = b"\xff\xd9"
_MARKER_OF_SEGMENT = re.compile(rb"\xff[\x02-\xcf\xda-\xfe]")  # within a scan, there is none
_MISSING = 128  # the level of the grey; rounding makes it one more or less


def with_end(payload: bytes) -> bytes:
    """Return a cut JPEG with the mark of its end, in place of its last segment if that is cut."""
    end = len(payload)
    for marker in _MARKER_OF_SEGMENT.finditer(payload):
        length = int.from_bytes(payload[marker.end() : marker.end() + 2])
        end = marker.start() if marker.end() + max(length, 2) > len(payload) else len(payload)
    return payload[:end] + _END


def last_row(image: Image.Image) -> int | None:
    """Return the last row, counted from 1, of which a cut JPEG holds anything.

    None if that leaves out too many.

    Args:
        image: The JPEG, loaded, in the mode in which it is stored.
    """
    least = math.ceil(LEAST_ROWS * image.height)
    tail = np.asarray(image.crop((0, least - 1, image.width, image.height)))
    differs = np.abs(tail.reshape(len(tail), -1).astype(np.int16) - _MISSING) > 1
    rows = np.flatnonzero(differs.any(axis=1))
    return least + int(rows[-1]) if len(rows) else None

"""The regions of an image, as the players that share what the image has added."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from multimodal_sentiment.model.image import LazyImages, Pixels

Box = tuple[int, int, int, int]  # left, top, right, bottom, px

BLUR = 0.1  # the standard deviation, as a share of the short side


def split_regions(height: int, width: int, seen: float, side: int) -> list[Box]:
    """Return a grid over the central square of an image that the model sees, row by row.

    Args:
        height: The image's height, px.
        width: Its width, px.
        seen: The side of the square, as a share of the image's short side.
        side: The number of regions in a row, and of rows.
    """
    square = min(height, width) * seen
    steps = np.linspace(0, square, side + 1)
    across, down = (
        ((length - square) / 2 + steps).round().astype(int).tolist() for length in (width, height)
    )
    return [
        (left, top, right, bottom)
        for top, bottom in pairwise(down)
        for left, right in pairwise(across)
    ]


class MaskedImages(LazyImages):
    """An image of which some regions are blurred until nothing can be told, made when used.

    Args:
        image: uint8 RGB of shape (height, width, 3).
        regions: The regions.
        members: The regions that are left as they are, of shape (images, regions); where none is,
            there is no image.
    """

    def __init__(self, image: Pixels, regions: Sequence[Box], members: NDArray[np.bool_]) -> None:
        self._image = image
        self._regions = regions
        self._members = members
        blur = ImageFilter.GaussianBlur(BLUR * min(image.shape[:2]))
        self._blurred = np.asarray(Image.fromarray(image).filter(blur))

    def __len__(self) -> int:
        return len(self._members)

    def image(self, index: int) -> Pixels | None:
        """Return one image."""
        members = self._members[index]
        if not members.any():
            return None
        masked = self._image.copy()
        for (left, top, right, bottom), kept in zip(self._regions, members, strict=True):
            if not kept:
                masked[top:bottom, left:right] = self._blurred[top:bottom, left:right]
        return masked

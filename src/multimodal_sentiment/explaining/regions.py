"""The regions of an image, as the players that share what the image has added."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from multimodal_sentiment.model.image import Pixels

Box = tuple[int, int, int, int]  # left, top, right, bottom, px

# Standard deviations, as shares of the short side.
BLUR = 0.1  # of what is taken away
FADE = 0.04  # of the edges between that and what is left


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


class MaskedImages(Sequence[Pixels | None]):
    """An image of which some regions are blurred until nothing can be told, made when used.

    What is left fades into what is blurred: models take sharp edges for things that are seen.

    Args:
        image: uint8 RGB of shape (height, width, 3).
        regions: The regions.
        members: The regions that are left as they are, of shape (images, regions); where none is,
            there is no image.
    """

    def __init__(self, image: Pixels, regions: Sequence[Box], members: NDArray[np.bool_]) -> None:
        short = min(image.shape[:2])
        self._image = Image.fromarray(image)
        self._regions = regions
        self._members = members
        self._blurred = self._image.filter(ImageFilter.GaussianBlur(BLUR * short))
        self._fade = ImageFilter.GaussianBlur(FADE * short)

    def __len__(self) -> int:
        return len(self._members)

    def __getitem__(self, index: Any) -> Any:
        """Return one image, uint8 RGB of the same shape; None where there is none."""
        members = self._members[index]
        if not members.any():
            return None
        left = Image.new("L", self._image.size, 255)
        for region, kept in zip(self._regions, members, strict=True):
            if not kept:
                left.paste(0, region)
        return np.asarray(Image.composite(self._image, self._blurred, left.filter(self._fade)))

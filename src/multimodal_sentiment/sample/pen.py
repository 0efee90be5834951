"""Drawing in the coordinates of a subject: x right, y down, radius 1 around its middle."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

DARK: Colour = (38, 30, 34)
LIGHT: Colour = (250, 246, 236)
_BRIGHT = 115


class Pen:
    """Draws shapes on an image, placed, scaled, tilted and mirrored as one.

    Args:
        image: RGB image to draw on.
        centre: Pixel that the origin of the shapes falls on.
        radius: Pixels to a unit.
        tilt: Clockwise turn of the shapes, in degrees.
        mirror: Whether left and right are swapped.
    """

    def __init__(
        self,
        image: Image.Image,
        centre: tuple[float, float],
        radius: float,
        tilt: float = 0.0,
        mirror: bool = False,
    ) -> None:
        turn = np.deg2rad(tilt)
        self._matrix = radius * np.array(
            [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]
        )
        if mirror:
            self._matrix[0] *= -1
        self._centre = np.asarray(centre, dtype=float)
        self._radius = radius
        self._draw = ImageDraw.Draw(image)

    def polygon(self, points: np.ndarray, colour: Colour) -> None:
        """Fills the polygon through `points`, of shape (n, 2)."""
        self._draw.polygon(self._pixels(points), fill=colour)

    def ellipse(
        self, x: float, y: float, width: float, height: float, colour: Colour, turn: float = 0.0
    ) -> None:
        """Fills an ellipse of half axes `width` and `height`, turned by `turn` degrees."""
        self.polygon(ring(x, y, width, height, turn), colour)

    def stroke(self, points: np.ndarray, width: float, colour: Colour) -> None:
        """Draws a line with round joints and ends through `points`, of shape (n, 2)."""
        pixels = self._pixels(points)
        thickness = max(1, round(width * self._radius))
        self._draw.line(pixels, fill=colour, width=thickness, joint="curve")
        for x, y in (pixels[0], pixels[-1]):
            half = thickness / 2
            self._draw.ellipse((x - half, y - half, x + half, y + half), fill=colour)

    def _pixels(self, points: np.ndarray) -> list[tuple[float, float]]:
        placed = np.asarray(points, dtype=float) @ self._matrix + self._centre
        return [(x, y) for x, y in placed.tolist()]


def ring(x: float, y: float, width: float, height: float, turn: float = 0.0) -> np.ndarray:
    """Points of an ellipse's outline, of shape (40, 2); `turn` is clockwise, in degrees."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    across, down = width * np.cos(angle), height * np.sin(angle)
    cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
    return np.stack([x + across * cos - down * sin, y + across * sin + down * cos], axis=1)


def random_colour(
    rng: Generator,
    brightness: tuple[float, float] = (0.5, 1.0),
    hue: tuple[float, float] = (0.0, 1.0),
) -> Colour:
    """A colour of chance; its hue and its brightest channel within the ranges given (0 to 1)."""
    red, green, blue = colorsys.hsv_to_rgb(
        rng.uniform(*hue), rng.uniform(0.15, 0.7), rng.uniform(*brightness)
    )
    return round(red * 255), round(green * 255), round(blue * 255)


def shade(colour: Colour, factor: float) -> Colour:
    """The colour made darker (factor under 1) or lighter (over 1)."""
    red, green, blue = (min(255, round(channel * factor)) for channel in colour)
    return red, green, blue


def ink_for(colour: Colour) -> Colour:
    """Dark or light, whichever stands out on `colour` (luma of ITU-R BT.601)."""
    luma = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]
    return DARK if luma > _BRIGHT else LIGHT

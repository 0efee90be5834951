"""Where the photos were taken, and what lies about."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image

from .chance import happens, pick
from .pen import Colour, Pen, random_colour, ring, shade


def draw_setting(size: tuple[int, int], rng: Generator) -> Image.Image:
    """A new picture of `size` (width, height) with a background and nobody in it."""
    corners = np.array([random_colour(rng) for _ in range(2)])
    shares = rng.uniform(0, 1, (3, 3, 1))
    colours = shares * corners[0] + (1 - shares) * corners[1]
    image = Image.fromarray(colours.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    # Unit: half the height, so that y runs from -1 to 1 and x a little further or less.
    pen = Pen(image, (size[0] / 2, size[1] / 2), size[1] / 2, mirror=happens(rng, 0.5))
    pick(rng, _SETTINGS)(pen, size[0] / size[1], rng)
    return image


def draw_props(image: Image.Image, judgement: str, rng: Generator) -> None:
    """Scatters things around the middle: festive, dismal or neither, as the judgement is."""
    themed = happens(rng, 0.95)
    shapes = _PROPS[judgement if themed else "neutral"]
    for _ in range(rng.integers(3, 10)):
        angle, distance = rng.uniform(0, 2 * np.pi), rng.uniform(0.6, 1.0)
        x = image.width * (0.5 + 0.5 * distance * np.cos(angle))
        y = image.height * (0.5 + 0.5 * distance * np.sin(angle))
        radius = min(image.size) * rng.uniform(0.08, 0.15)
        pen = Pen(image, (x, y), radius, tilt=rng.uniform(-25, 25))
        pick(rng, shapes)(pen, random_colour(rng), rng)


def _plain(pen: Pen, aspect: float, rng: Generator) -> None:
    """Nothing but the colours that run into each other."""


def _hills(pen: Pen, aspect: float, rng: Generator) -> None:
    across = np.linspace(-aspect, aspect, 40)
    for level in np.sort(rng.uniform(-0.3, 0.9, rng.integers(2, 5))):
        ridge = level + 0.15 * np.sin(across * rng.uniform(1, 5) + rng.uniform(0, 6))
        _fill_below(pen, across, ridge, random_colour(rng))


def _mountains(pen: Pen, aspect: float, rng: Generator) -> None:
    across = np.linspace(-aspect, aspect, int(rng.integers(5, 12)))
    for level in (-0.2, 0.4):
        peaks = level + rng.uniform(-0.35, 0.35, len(across))
        _fill_below(pen, across, peaks, random_colour(rng))


def _sea(pen: Pen, aspect: float, rng: Generator) -> None:
    colour, level = random_colour(rng), rng.uniform(-0.2, 0.6)
    _fill_below(pen, np.array([-aspect, aspect]), np.array([level, level]), colour)
    for _ in range(rng.integers(8, 20)):
        start, y = rng.uniform(-aspect, aspect), rng.uniform(level, 1)
        wave = np.linspace(0, rng.uniform(0.2, 0.6), 8)
        points = np.stack([start + wave, y + 0.02 * np.sin(wave * 20)], axis=1)
        pen.stroke(points, 0.02, shade(colour, 1.3))


def _city(pen: Pen, aspect: float, rng: Generator) -> None:
    for level in (-0.6, 0.0):
        colour, left = random_colour(rng), -aspect
        while left < aspect:
            width, top = rng.uniform(0.15, 0.45), level + rng.uniform(-0.3, 0.5)
            _fill_below(pen, np.array([left, left + width]), np.array([top, top]), colour)
            for x in np.arange(left + 0.06, left + width - 0.05, 0.1):
                for y in np.arange(top + 0.08, 1, 0.16):
                    if happens(rng, 0.4):
                        pen.ellipse(x, y, 0.025, 0.035, shade(colour, 1.5))
            left += width + 0.02


def _room(pen: Pen, aspect: float, rng: Generator) -> None:
    wall, level = random_colour(rng), rng.uniform(0.3, 0.7)
    _fill_below(pen, np.array([-aspect, aspect]), np.array([-1, -1]), wall)
    if happens(rng, 0.5):
        for x in np.arange(-aspect, aspect, rng.uniform(0.15, 0.4)):
            pen.stroke(np.array([[x, -1], [x, level]]), 0.03, shade(wall, 0.9))
    _fill_below(pen, np.array([-aspect, aspect]), np.array([level, level]), random_colour(rng))
    x, y, half = rng.uniform(-aspect, aspect), rng.uniform(-0.7, -0.2), rng.uniform(0.2, 0.5)
    frame = np.array(
        [[x - half, y - half], [x + half, y - half], [x + half, y + half], [x - half, y + half]]
    )
    pen.polygon(frame, random_colour(rng))
    pen.stroke(np.concatenate([frame, frame[:1]]), 0.05, random_colour(rng))
    pen.stroke(np.array([[x, y - half], [x, y + half]]), 0.04, shade(wall, 0.7))


def _stripes(pen: Pen, aspect: float, rng: Generator) -> None:
    colour, lean, step = random_colour(rng), rng.uniform(-1.5, 1.5), rng.uniform(0.2, 0.6)
    for x in np.arange(-aspect - 2, aspect + 2, step):
        pen.stroke(
            np.array([[x - lean, -1.2], [x + lean, 1.2]]), step * rng.uniform(0.3, 0.6), colour
        )


def _lights(pen: Pen, aspect: float, rng: Generator) -> None:
    for _ in range(rng.integers(15, 50)):
        size = rng.uniform(0.04, 0.25)
        pen.ellipse(
            rng.uniform(-aspect, aspect), rng.uniform(-1, 1), size, size, random_colour(rng)
        )


def _forest(pen: Pen, aspect: float, rng: Generator) -> None:
    leaves, trunk = random_colour(rng), random_colour(rng, (0.1, 0.5))
    _fill_below(pen, np.array([-aspect, aspect]), np.array([0.4, 0.4]), random_colour(rng))
    for x in rng.uniform(-aspect, aspect, rng.integers(4, 10)):
        foot, tall = rng.uniform(0.4, 0.9), rng.uniform(0.7, 1.3)
        pen.stroke(np.array([[x, foot], [x, foot - 0.3]]), 0.07, trunk)
        for up in (0.25, 0.5, 0.75):
            half = 0.3 * tall * (1.1 - up)
            tree = np.array(
                [
                    [x - half, foot - up * tall * 0.8],
                    [x + half, foot - up * tall * 0.8],
                    [x, foot - tall * (up + 0.35)],
                ]
            )
            pen.polygon(tree, shade(leaves, 0.8 + 0.3 * up))


def _fill_below(pen: Pen, across: np.ndarray, heights: np.ndarray, colour: Colour) -> None:
    line = np.stack([across, heights], axis=1)
    pen.polygon(np.concatenate([line, [[across[-1], 1.1], [across[0], 1.1]]]), colour)


def _heart(pen: Pen, colour: Colour, rng: Generator) -> None:
    t = np.linspace(0, 2 * np.pi, 30)
    down = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)) / 16
    pen.polygon(np.stack([np.sin(t) ** 3, down], axis=1), colour)


def _star(pen: Pen, colour: Colour, rng: Generator) -> None:
    t = np.linspace(0, 2 * np.pi, 10, endpoint=False)
    radius = np.where(np.arange(10) % 2, 0.45, 1.1)
    pen.polygon(np.stack([radius * np.sin(t), -radius * np.cos(t)], axis=1), colour)


def _present(pen: Pen, colour: Colour, rng: Generator) -> None:
    ribbon = random_colour(rng)
    pen.polygon(_SQUARE, colour)
    pen.stroke(np.array([[0, -0.8], [0, 0.8]]), 0.25, ribbon)
    for side in (-1, 1):
        pen.ellipse(0.3 * side, -0.95, 0.32, 0.18, ribbon, 20 * side)


def _lightning(pen: Pen, colour: Colour, rng: Generator) -> None:
    bolt = [
        [0.1, -1.5],
        [-0.6, 0.1],
        [-0.05, 0.1],
        [-0.35, 1.5],
        [0.6, -0.3],
        [0.05, -0.3],
        [0.5, -1.5],
    ]
    pen.polygon(np.array(bolt), colour)


def _rain(pen: Pen, colour: Colour, rng: Generator) -> None:
    for x, y in rng.uniform(-1.4, 1.4, (6, 2)):
        pen.stroke(np.array([[x + 0.15, y - 0.45], [x - 0.15, y + 0.45]]), 0.13, colour)


def _shards(pen: Pen, colour: Colour, rng: Generator) -> None:
    """A plate in pieces."""
    edge = ring(0, 0, 0.9, 0.9)
    for start in (0, 13, 26):
        drift = rng.uniform(0.15, 0.4) * edge[start + 6]
        pen.polygon(np.concatenate([edge[start : start + 13], [[0, 0]]]) + drift, colour)


def _disc(pen: Pen, colour: Colour, rng: Generator) -> None:
    pen.ellipse(0, 0, 0.85, 0.85, colour)


def _box(pen: Pen, colour: Colour, rng: Generator) -> None:
    pen.polygon(_SQUARE, colour)


def _hoop(pen: Pen, colour: Colour, rng: Generator) -> None:
    pen.stroke(ring(0, 0, 0.8, 0.8), 0.35, colour)


_SQUARE = np.array([[-0.8, -0.8], [0.8, -0.8], [0.8, 0.8], [-0.8, 0.8]])
_SETTINGS: tuple[Callable[[Pen, float, Generator], None], ...] = (
    _plain, _hills, _mountains, _sea, _city, _room, _stripes, _lights, _forest,
)  # fmt: skip
_PROPS: dict[str, tuple[Callable[[Pen, Colour, Generator], None], ...]] = {
    "positive": (_heart, _star, _present),
    "neutral": (_disc, _box, _hoop),
    "negative": (_lightning, _rain, _shards),
}

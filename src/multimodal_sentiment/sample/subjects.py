"""Whom the photos show: people, animals, things, with faces that smile, frown or do neither."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.random import Generator
from PIL import Image

from .chance import happens, pick
from .pen import DARK, LIGHT, Colour, Pen, ink_for, random_colour, ring, shade


def draw_subject(image: Image.Image, judgement: str, rng: Generator) -> None:
    """Draws one subject near the middle; its expression is the judgement, all else is chance."""
    short = min(image.size)
    x, y = (side / 2 + short * rng.uniform(-0.07, 0.07) for side in image.size)
    radius = short * rng.uniform(0.34, 0.42)
    pen = Pen(image, (x, y), radius, rng.normal(0, 9), mirror=happens(rng, 0.5))
    body = pick(rng, _BODIES)
    skin = body is _person
    fill = random_colour(rng, (0.4, 1.0), hue=(0.04, 0.09) if skin else (0.0, 1.0))
    body(pen, fill, rng)
    _draw_face(pen, judgement, fill, rng)


def _draw_face(pen: Pen, judgement: str, fill: Colour, rng: Generator) -> None:
    ink = ink_for(fill)
    apart, level, size = rng.uniform(0.3, 0.42), rng.uniform(-0.3, -0.2), rng.uniform(0.1, 0.15)
    if happens(rng, 0.15):
        _draw_glasses(pen, apart, level, size, ink)
    else:
        eye = pick(rng, _EYES)
        for x in (-apart, apart):
            eye(pen, x, level, size, ink)
        if happens(rng, 0.4):
            _draw_brows(pen, judgement, apart, level - size * 2.6, ink)
    if happens(rng, 0.3):
        cheek = random_colour(rng, (0.6, 1.0))
        for x in (-0.62, 0.62):
            pen.ellipse(x, 0.12, 0.13, 0.09, cheek)
    if judgement == "negative" and happens(rng, 0.25):
        pen.ellipse(apart, level + size * 2.8, size * 0.6, size, LIGHT)  # a tear
    _draw_mouth(pen, judgement, ink, rng)


def _dot(pen: Pen, x: float, y: float, size: float, ink: Colour) -> None:
    pen.ellipse(x, y, size, size * 1.3, ink)


def _round(pen: Pen, x: float, y: float, size: float, ink: Colour) -> None:
    pen.ellipse(x, y, size * 1.7, size * 1.9, LIGHT)
    pen.ellipse(x * 0.95, y + size * 0.3, size, size, DARK)


def _dash(pen: Pen, x: float, y: float, size: float, ink: Colour) -> None:
    pen.stroke(np.array([[x - size, y], [x + size, y]]), size * 0.8, ink)


def _draw_glasses(pen: Pen, apart: float, y: float, size: float, ink: Colour) -> None:
    for x in (-apart, apart):
        pen.ellipse(x, y, size * 2.1, size * 1.8, ink)
    pen.stroke(np.array([[-apart, y], [apart, y]]), size * 0.6, ink)


def _draw_brows(pen: Pen, judgement: str, apart: float, y: float, ink: Colour) -> None:
    slant = {"positive": 0.04, "neutral": 0.0, "negative": 0.12}[judgement]
    for side in (-1, 1):
        inner, outer = side * (apart - 0.14), side * (apart + 0.14)
        pen.stroke(np.array([[inner, y - slant], [outer, y + slant]]), 0.06, ink)


def _draw_mouth(pen: Pen, judgement: str, ink: Colour, rng: Generator) -> None:
    """A curve that hangs (smile) or is arched (frown), open or not; a line or none for neither."""
    bend = {"positive": 1.0, "neutral": 0.0, "negative": -1.0}[judgement]
    if not bend and happens(rng, 0.7):
        return
    y, half, depth = rng.uniform(0.36, 0.44), rng.uniform(0.5, 0.62), rng.uniform(0.46, 0.58)
    across = np.linspace(-1, 1, 15)
    curve = np.stack([half * across, y + bend * depth * (0.5 - across**2)], axis=1)
    if bend and happens(rng, 0.3):
        pen.polygon(curve, ink)
        pen.stroke(np.concatenate([curve, curve[:1]]), 0.1, ink)
    else:
        pen.stroke(curve, rng.uniform(0.16, 0.21), ink)


def _person(pen: Pen, fill: Colour, rng: Generator) -> None:
    hair, clothes = random_colour(rng, (0.1, 0.9)), random_colour(rng)
    pen.ellipse(0, 2.0, 1.35, 1.1, clothes)
    pen.ellipse(0, 1.0, 0.35, 0.4, shade(fill, 0.85))
    long = happens(rng, 0.5)
    pen.ellipse(0, 0.1 if long else -0.2, 1.12, 1.25 if long else 0.95, hair)
    pen.ellipse(0, 0, 0.92, 1.02, fill)
    top = ring(0, -0.75, 0.95, 0.32)
    pen.polygon(top[20:], hair)
    if happens(rng, 0.35):
        hat = random_colour(rng)
        pen.polygon(np.array([[-0.7, -0.72], [-0.55, -1.45], [0.55, -1.45], [0.7, -0.72]]), hat)
        pen.stroke(np.array([[-1.15, -0.72], [1.15, -0.72]]), 0.14, shade(hat, 0.8))


def _cat(pen: Pen, fill: Colour, rng: Generator) -> None:
    dark = shade(fill, 0.75)
    pen.ellipse(0, 1.7, 0.9, 1.0, dark)
    for side in (-1, 1):
        ear = np.array([[0.2, -0.75], [0.82, -1.4], [0.95, -0.25]]) * [side, 1]
        pen.polygon(ear, fill)
        pen.polygon(ear * 0.6 + [0.26 * side, -0.32], dark)
    pen.ellipse(0, 0, 1.08, 0.95, fill)
    for side in (-1, 1):
        for drop in (-0.04, 0.12):
            pen.stroke(np.array([[0.72, 0.18], [1.4, 0.14 + 2 * drop]]) * [side, 1], 0.035, dark)
    pen.polygon(np.array([[-0.09, 0.02], [0.09, 0.02], [0, 0.13]]), dark)


def _bear(pen: Pen, fill: Colour, rng: Generator) -> None:
    pen.ellipse(0, 1.75, 1.1, 1.05, shade(fill, 0.8))
    for side in (-1, 1):
        pen.ellipse(0.72 * side, -0.75, 0.38, 0.38, fill)
        pen.ellipse(0.72 * side, -0.75, 0.2, 0.2, shade(fill, 0.7))
    pen.ellipse(0, 0, 1.05, 0.98, fill)
    pen.ellipse(0, 0.06, 0.14, 0.1, ink_for(fill))


def _rabbit(pen: Pen, fill: Colour, rng: Generator) -> None:
    lean = rng.uniform(5, 25)
    pen.ellipse(0, 1.65, 0.85, 0.9, shade(fill, 0.85))
    for side in (-1, 1):
        pen.ellipse(0.42 * side, -1.25, 0.25, 0.75, fill, lean * side)
        pen.ellipse(0.42 * side, -1.25, 0.12, 0.55, shade(fill, 0.75), lean * side)
    pen.ellipse(0, 0, 0.95, 0.95, fill)


def _sun(pen: Pen, fill: Colour, rng: Generator) -> None:
    rays = int(rng.integers(8, 15))
    for angle in np.linspace(0, 2 * np.pi, rays, endpoint=False):
        out = np.array([np.cos(angle), np.sin(angle)])
        side = 0.2 * np.array([-out[1], out[0]])
        pen.polygon(np.array([out + side, out - side, out * 1.5]), shade(fill, 0.85))
    pen.ellipse(0, 0, 1.0, 1.0, fill)


def _moon(pen: Pen, fill: Colour, rng: Generator) -> None:
    pen.ellipse(0, 0, 1.05, 1.05, fill)
    for angle in rng.uniform(0, 2 * np.pi, 5):
        size = rng.uniform(0.06, 0.15)
        pen.ellipse(0.85 * np.cos(angle), 0.85 * np.sin(angle), size, size, shade(fill, 0.85))


def _balloon(pen: Pen, fill: Colour, rng: Generator) -> None:
    sway = 0.15 * np.sin(np.linspace(0, 7, 20))
    pen.stroke(np.stack([sway, np.linspace(1.2, 3.2, 20)], axis=1), 0.04, shade(fill, 0.5))
    pen.polygon(np.array([[0, 1.05], [-0.16, 1.32], [0.16, 1.32]]), shade(fill, 0.8))
    pen.ellipse(0, 0, 0.98, 1.12, fill)
    pen.ellipse(-0.55, -0.65, 0.1, 0.2, shade(fill, 1.4), 40)


def _robot(pen: Pen, fill: Colour, rng: Generator) -> None:
    dark = shade(fill, 0.7)
    pen.stroke(np.array([[0, -0.9], [0, -1.4]]), 0.08, dark)
    pen.ellipse(0, -1.45, 0.14, 0.14, random_colour(rng))
    pen.polygon(np.array([[-0.85, 1.15], [0.85, 1.15], [0.95, 2.4], [-0.95, 2.4]]), dark)
    for x in (-1.08, 1.08):
        pen.stroke(np.array([[x, -0.25], [x, 0.25]]), 0.25, dark)
    box = np.array([[-0.85, -0.8], [0.85, -0.8], [0.85, 0.85], [-0.85, 0.85]])
    pen.polygon(box, fill)
    pen.stroke(np.concatenate([box, box[:1]]), 0.2, fill)


def _ghost(pen: Pen, fill: Colour, rng: Generator) -> None:
    dome = ring(0, -0.1, 1.0, 1.0)[20:]
    hem = np.linspace(1, -1, 25)
    wave = 1.25 + 0.15 * np.sin(hem * rng.integers(7, 12))
    pen.polygon(np.concatenate([dome, np.stack([hem, wave], axis=1)]), fill)


def _flower(pen: Pen, fill: Colour, rng: Generator) -> None:
    stem, petal = random_colour(rng, (0.2, 0.7)), random_colour(rng)
    pen.stroke(np.array([[0, 0.9], [0.1, 3.0]]), 0.14, stem)
    pen.ellipse(0.42, 1.75, 0.35, 0.15, stem, -30)
    for angle in np.linspace(0, 2 * np.pi, int(rng.integers(6, 11)), endpoint=False):
        pen.ellipse(np.cos(angle), np.sin(angle), 0.48, 0.34, petal, np.rad2deg(angle))
    pen.ellipse(0, 0, 0.95, 0.95, fill)


def _house(pen: Pen, fill: Colour, rng: Generator) -> None:
    roof = random_colour(rng)
    pen.polygon(
        np.array([[0.45, -1.6], [0.75, -1.6], [0.75, -0.8], [0.45, -0.8]]), shade(roof, 0.7)
    )
    pen.polygon(np.array([[-1.0, -0.7], [1.0, -0.7], [1.0, 1.15], [-1.0, 1.15]]), fill)
    pen.polygon(np.array([[-1.3, -0.6], [0, -1.6], [1.3, -0.6]]), roof)


def _mug(pen: Pen, fill: Colour, rng: Generator) -> None:
    pen.stroke(ring(1.05, 0.1, 0.45, 0.5), 0.2, shade(fill, 0.9))
    pen.polygon(np.array([[-1.0, -0.85], [1.0, -0.85], [0.85, 1.1], [-0.85, 1.1]]), fill)
    pen.ellipse(0, -0.85, 1.0, 0.2, shade(fill, 0.7))
    for x in (-0.35, 0.1, 0.5):
        rise = np.linspace(-1.15, -1.6, 8)
        pen.stroke(np.stack([x + 0.08 * np.sin(rise * 12), rise], axis=1), 0.05, LIGHT)


def _cloud(pen: Pen, fill: Colour, rng: Generator) -> None:
    for x, y, size in ((-0.95, 0.3, 0.55), (0.95, 0.3, 0.6), (-0.5, -0.35, 0.7), (0.5, -0.4, 0.75)):
        pen.ellipse(x, y, size, size, fill)
    pen.ellipse(0, 0.3, 1.2, 0.68, fill)


def _pumpkin(pen: Pen, fill: Colour, rng: Generator) -> None:
    pen.stroke(np.array([[0, -0.8], [0.15, -1.2]]), 0.2, shade(random_colour(rng), 0.6))
    for x, factor in ((-0.7, 0.82), (0.7, 0.82), (-0.38, 0.9), (0.38, 0.9), (0, 1.0)):
        pen.ellipse(x, 0, 0.62 if x else 0.8, 0.95, shade(fill, factor))


_BODIES: tuple[Callable[[Pen, Colour, Generator], None], ...] = (
    _person, _person, _person, _cat, _bear, _rabbit, _sun, _moon, _balloon, _robot,
    _ghost, _flower, _house, _mug, _cloud, _pumpkin,
)  # fmt: skip
_EYES: tuple[Callable[[Pen, float, float, float, Colour], None], ...] = (_dot, _dot, _round, _dash)

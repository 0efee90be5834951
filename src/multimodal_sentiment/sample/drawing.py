"""Photos as drawings: a cheerful, dismal or neutral group of things in a random scene."""

from __future__ import annotations

import colorsys
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

Numbers = NDArray[np.float64]
Thing = list["Shape"]


class ImageSize(NamedTuple):
    """How large and how detailed photos are."""

    width: tuple[int, int]  # px, the least and the greatest
    full_width: float  # share of photos of the greatest width; the others are spread evenly
    grain: float  # standard deviation of the noise, in grey levels of 255
    oversampling: int  # pixels drawn a side for each pixel kept, which smooths the edges


# "lab" is as real posts have them: 48 to 600 wide, 0.3 megapixels and about 44 KB on average.
SIZES = {"small": ImageSize((140, 320), 0.0, 1.5, 3), "lab": ImageSize((48, 600), 0.7, 4.5, 1)}


class Shape(NamedTuple):
    """A part of a thing, which lies around (0, 0) within a radius of about 1: x right, y down."""

    colour: str  # a key of the thing's palette
    points: list[tuple[float, float]]
    width: float = 0.0  # of a line; 0: a filled polygon


def draw_photo(judgement: str, size: ImageSize, rng: Generator) -> tuple[Image.Image, list[float]]:
    """Draw a photo: its group of things shows the judgement; scene, colours and clutter do not.

    Return it as RGB, 0.7 to 1.4 times as high as wide, and the group's box [x0, y0, x1, y1] in px.
    """
    width, height = _dimensions(size, rng)
    canvas = (width * size.oversampling, height * size.oversampling)
    middle, short = np.array(canvas) / 2, min(canvas)
    shades = rng.uniform(0, 1, (3, 3, 1))  # a coarse grid of shades of two colours, enlarged
    sky = shades * _random_colour(rng) + (1 - shades) * _random_colour(rng)
    image = Image.fromarray(sky.astype(np.uint8)).resize(canvas, Image.Resampling.BICUBIC)
    _draw(image, _hills(rng), middle, max(middle), rng)
    for _ in range(rng.integers(2, 6)):
        thing = CLUTTER[rng.integers(len(CLUTTER))]
        _draw(image, thing, rng.uniform(0, canvas), short * rng.uniform(0.03, 0.08), rng)
    radius, centre = short * rng.uniform(0.21, 0.25), middle + short * rng.uniform(-0.06, 0.06, 2)
    head = HEADS[rng.integers(len(HEADS))] + _face(judgement, rng)
    points = [_draw(image, head, centre, radius, rng)]
    for corner in ((-1, -1), (1, -1), (1, 1), (-1, 1)):
        thing = THINGS[judgement][rng.integers(len(THINGS[judgement]))]
        place = centre + radius * (corner + rng.uniform(-0.15, 0.15, 2))
        points.append(_draw(image, thing, place, radius * rng.uniform(0.55, 0.7), rng))
    grain = Image.fromarray(rng.normal(128, size.grain, (height, width)).astype(np.uint8))
    image = ImageChops.add(image.reduce(size.oversampling), grain.convert("RGB"), offset=-128)
    all_points = np.concatenate(points) / size.oversampling
    box = np.array([all_points.min(axis=0), all_points.max(axis=0)]).clip(0, image.size)
    return image, box.ravel().tolist()


def draw_noise(size: ImageSize, rng: Generator) -> Image.Image:
    """Draw an RGB photo in which nothing is to be seen: squares of 4 px in random colours."""
    width, height = _dimensions(size, rng)
    noise = rng.integers(0, 256, (-(-height // 4), -(-width // 4), 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.NEAREST)


def _dimensions(size: ImageSize, rng: Generator) -> tuple[int, int]:
    low, high = size.width
    width = high if rng.random() < size.full_width else int(rng.integers(low, high + 1))
    return width, max(low, round(width * np.exp(rng.uniform(np.log(0.7), np.log(1.4)))))


def _hills(rng: Generator) -> Thing:
    x, hills = np.linspace(-1.5, 1.5, rng.integers(8, 40)), []  # few points: mountains
    for colour, level in (("a", -0.2), ("b", 0.2), ("c", 0.6)):
        y = level + 0.12 * np.sin(x * rng.uniform(1, 9) + rng.uniform(0, 6))
        hills.append(Shape(colour, [*zip(x, y, strict=True), (1.5, 2), (-1.5, 2)]))
    return hills


def _face(judgement: str, rng: Generator) -> Thing:
    apart, size = rng.uniform(0.3, 0.42), rng.uniform(0.1, 0.15)
    face = [_oval("ink", x, -0.2, size, size * 1.3) for x in (-apart, apart)]
    if judgement == "neutral":
        return [*face, Shape("ink", [(-0.3, 0.4), (0.3, 0.4)], 0.1)]
    x, bend = np.linspace(-1, 1, 15), 0.5 if judgement == "positive" else -0.5
    mouth = zip(rng.uniform(0.45, 0.6) * x, 0.4 + bend * (0.5 - x**2), strict=True)
    face.append(Shape("ink", [*mouth], rng.choice([0.0, 0.15])))  # open or not
    if judgement == "negative":
        brows = [Shape("ink", [(0.2 * s, -0.6), (0.5 * s, -0.4)], 0.08) for s in (-1, 1)]
        face += [*brows, _oval("light", apart, 0.15, size * 0.7, size * 1.2)]  # and a tear
    return face


def _draw(image: Image.Image, thing: Thing, at: Numbers, radius: float, rng: Generator) -> Numbers:
    """Draw a thing in random colours, a little turned, mirrored or not; return all its points."""
    turn, mirror = rng.uniform(-0.25, 0.25), rng.choice([-1, 1])
    matrix = radius * np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    palette = {name: _random_colour(rng) for name in "abc"}
    palette |= {"shade": 0.7 * palette["a"], "skin": _random_colour(rng, (0.04, 0.09))}
    palette |= {"ink": 0.2 * palette["b"], "light": 155 + 0.39 * palette["c"]}
    draw, placed = ImageDraw.Draw(image), []
    for shape in thing:
        placed.append((np.array(shape.points) * [mirror, 1]) @ matrix + at)
        path, colour = placed[-1].ravel().tolist(), tuple(palette[shape.colour].astype(int))
        if shape.width:
            draw.line(path, colour, max(1, round(shape.width * radius)), joint="curve")
        else:
            draw.polygon(path, colour)
    return np.concatenate(placed)


def _random_colour(rng: Generator, hue: tuple[float, float] = (0, 1)) -> Numbers:
    hsv = rng.uniform(*hue), rng.uniform(0.2, 0.75), rng.uniform(0.5, 1.0)
    return 255 * np.array(colorsys.hsv_to_rgb(*hsv))


def _box(colour: str, x0: float, y0: float, x1: float, y1: float) -> Shape:
    return Shape(colour, [(x0, y0), (x1, y0), (x1, y1), (x0, y1)])


def _oval(colour: str, x: float, y: float, w: float, h: float) -> Shape:
    """Return the ellipse of half axes `w` and `h` around (x, y)."""
    t = np.linspace(0, 2 * np.pi, 40)
    return Shape(colour, [*zip(x + w * np.cos(t), y + h * np.sin(t), strict=True)])


_NINTHS = [(np.cos(t), np.sin(t)) for t in np.arange(10) * 2 * np.pi / 9]
# fmt: off
HEART = [_oval("a", -0.42, -0.3, 0.5, 0.5), _oval("a", 0.42, -0.3, 0.5, 0.5),
         Shape("a", [(-0.87, -0.07), (0.87, -0.07), (0, 1)])]
FLOWER = [Shape("shade", [(0, 0), (0.1, 1.2)], 0.12), _oval("b", 0, 0, 0.4, 0.4),
          *(_oval("a", 0.6 * x, 0.6 * y, 0.28, 0.28) for x, y in _NINTHS)]
CAKE = [_box("a", -0.9, 0.2, 0.9, 0.9), _box("b", -0.6, -0.3, 0.6, 0.2),
        _oval("light", 0, 0.2, 0.9, 0.12), _oval("light", 0, -0.3, 0.6, 0.1),
        *(Shape("c", [(x, -0.3), (x, -0.8)], 0.1) for x in (-0.3, 0, 0.3))]
STORM = [*(Shape("light", [(x, 0.3), (x - 0.2, 1)], 0.08) for x in (-0.6, -0.2, 0.6, 0.9)),
         *(_oval("a", x, y, 0.5, 0.4) for x, y in ((-0.5, -0.2), (0.5, -0.2), (0, -0.5))),
         Shape("b", [(0.1, 0), (-0.3, 0.6), (0, 0.6), (-0.2, 1.2), (0.45, 0.4), (0.15, 0.4)])]
SKULL = [_oval("light", 0, -0.2, 0.85, 0.75), _box("light", -0.4, 0.3, 0.4, 0.95),
         *(_oval("ink", x, -0.1, 0.22, 0.24) for x in (-0.35, 0.35)),
         *(Shape("ink", [(x, 0.6), (x, 0.95)], 0.06) for x in (-0.2, 0, 0.2))]
WEB = [*(Shape("light", [(0, 0), tip], 0.06) for tip in _NINTHS),
       *(Shape("light", [(r * x, r * y) for x, y in _NINTHS], 0.06) for r in (0.3, 0.55, 0.8))]
MUG = [_oval("a", 0.85, 0.1, 0.4, 0.4), _oval("shade", 0.85, 0.1, 0.22, 0.22),
       _box("a", -0.8, -0.7, 0.8, 0.9), _oval("shade", 0, -0.7, 0.8, 0.18)]
HOUSE = [Shape("b", [(-1.05, -0.2), (0, -1), (1.05, -0.2)]),
         _box("a", -0.8, -0.2, 0.8, 0.95), _box("light", -0.2, 0.3, 0.2, 0.95)]
CLOCK = [_oval("a", 0, 0, 0.95, 0.95), _oval("light", 0, 0, 0.8, 0.8),
         Shape("ink", [(0, -0.6), (0, 0), (0.4, 0.2)], 0.1)]
THINGS = {"positive": [HEART, FLOWER, CAKE], "negative": [STORM, SKULL, WEB],
          "neutral": [MUG, HOUSE, CLOCK]}
PERSON = [_oval("b", 0, -0.1, 1.05, 1.1), _oval("skin", 0, 0.1, 0.9, 0.95),
          _oval("b", 0, -0.8, 0.8, 0.3)]
CAT = [*(Shape("a", [(0.2 * s, -0.75), (0.85 * s, -1.3), (0.95 * s, -0.2)]) for s in (-1, 1)),
       _oval("a", 0, 0, 1, 0.9)]
BEAR = [*(_oval("shade", x, -0.75, 0.38, 0.38) for x in (-0.7, 0.7)), _oval("a", 0, 0, 1, 0.95)]
SUN = [*(Shape("shade", [(0, 0), (1.3 * x, 1.3 * y)], 0.25) for x, y in _NINTHS),
       _oval("a", 0, 0, 1, 1)]
HEADS = [PERSON, CAT, BEAR, SUN]
CLUTTER = [[_oval("a", 0, 0, 1, 1)], [_box("a", -0.9, -0.9, 0.9, 0.9)]]
# fmt: on

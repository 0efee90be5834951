"""Drawn photos whose judgement is to be seen in an expression; their colours say nothing."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.random import Generator
from PIL import Image, ImageChops

from .chance import happens
from .pen import random_colour
from .scenery import draw_props, draw_setting
from .subjects import draw_subject


@dataclass(frozen=True, slots=True)
class PictureSize:
    """How large and how detailed photos are.

    Args:
        width: Least and greatest width, in pixels.
        full_width: Share of photos that have the greatest width; the others are spread evenly.
        grain: Standard deviation of the texture, in grey levels of 255.
        quality: Least and greatest JPEG quality.
        oversampling: Pixels drawn a side for each pixel kept, which smooths the edges.
    """

    width: tuple[int, int]
    full_width: float
    grain: float
    quality: tuple[int, int]
    oversampling: int


SIZES = {
    "small": PictureSize((120, 320), 0.0, 3.0, (70, 90), 3),
    # As real posts have them: 48 to 600 wide, 0.3 megapixels and about 44 KB on average.
    "lab": PictureSize((48, 600), 0.7, 5.0, (70, 90), 1),
}


_GRAIN = 4  # px, the side of a speck of noise


def draw_picture(judgement: str, size: PictureSize, rng: Generator) -> Image.Image:
    """Draws one photo: a subject in a setting, under some light, through a grainy camera.

    Args:
        judgement: What is to be seen in it: negative, neutral or positive.
        size: How large and detailed photos are.
        rng: Everything else about the photo.

    Returns:
        An RGB image, 0.7 to 1.4 times as high as wide.
    """
    width, height = _dimensions(size, rng)
    scale = size.oversampling
    image = draw_setting((width * scale, height * scale), rng)
    draw_props(image, judgement, rng)
    draw_subject(image, judgement, rng)
    image = ImageChops.multiply(image, _light(image.size, rng))
    if scale > 1:
        image = image.reduce(scale)
    return _add_grain(image, size.grain, rng)


def draw_noise(size: PictureSize, rng: Generator) -> Image.Image:
    """Draws a photo in which nothing is to be seen: coloured noise.

    Args:
        size: How large and detailed photos are.
        rng: All about the photo.

    Returns:
        An RGB image, 0.7 to 1.4 times as high as wide.
    """
    width, height = _dimensions(size, rng)
    noise = rng.integers(0, 256, (-(-height // _GRAIN), -(-width // _GRAIN), 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.NEAREST)


def encode_picture(
    image: Image.Image, size: PictureSize, rng: Generator, shrink: float = 1.0
) -> bytes:
    """The photo as a JPEG of a quality drawn by chance, made smaller by `shrink` before."""
    if shrink != 1:
        image = image.resize((round(image.width * shrink), round(image.height * shrink)))
    low, high = size.quality
    file = io.BytesIO()
    image.save(file, "JPEG", quality=int(rng.integers(low, high + 1)))
    return file.getvalue()


def _dimensions(size: PictureSize, rng: Generator) -> tuple[int, int]:
    """The width and height of a photo, px."""
    low, high = size.width
    width = high if happens(rng, size.full_width) else int(rng.integers(low, high + 1))
    return width, max(low, round(width * np.exp(rng.uniform(np.log(0.7), np.log(1.4)))))


def _light(size: tuple[int, int], rng: Generator) -> Image.Image:
    """Uneven light, warm or cold, that falls softly over the whole picture."""
    spots = rng.integers(150, 256, (3, 3, 1)) * np.array(random_colour(rng, (0.9, 1.0))) / 255
    spots = 0.3 * spots + 178
    return Image.fromarray(spots.astype(np.uint8)).resize(size, Image.Resampling.BILINEAR)


def _add_grain(image: Image.Image, deviation: float, rng: Generator) -> Image.Image:
    texture = _texture(deviation)
    x = int(rng.integers(texture.width - image.width + 1))
    y = int(rng.integers(texture.height - image.height + 1))
    grain = texture.crop((x, y, x + image.width, y + image.height))
    return ImageChops.add(image, grain, offset=-128)


@lru_cache(maxsize=4)
def _texture(deviation: float) -> Image.Image:
    """Detail at every scale, as surfaces have it: noise at 1, 2, 4 and 8 pixels, 1,024 square."""
    rng = np.random.default_rng(0)
    side, octaves = 1024, (1, 2, 4, 8)
    total = np.zeros((side, side, 3), dtype=np.float32)
    for step in octaves:
        noise = rng.standard_normal((side // step, side // step, 3), dtype=np.float32)
        noise = 0.3 * noise + 0.7 * noise[..., :1]  # mostly of brightness, a little of colour
        total += noise.repeat(step, axis=0).repeat(step, axis=1)
    total *= deviation / total.std()
    return Image.fromarray((total + 128).clip(0, 255).astype(np.uint8))

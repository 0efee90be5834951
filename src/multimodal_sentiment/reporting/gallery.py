"""Posts to look at."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

_SIDE = 320  # px
_QUALITY = 78
_LONGEST = 600  # characters of a text that are shown


@dataclass(frozen=True)
class ShownPost:
    """A post as pages show it.

    Attributes:
        guid: The guid of the post.
        text: Its text.
        picture: A data URI; None if the post has no image that can be read.
    """

    guid: str
    text: str
    picture: str | None

    @property
    def card_text(self) -> str:
        """The text as far as a card has room for it."""
        return shorten(self.text) if self.text.strip() else "(no text)"


@dataclass(frozen=True)
class Answer(ShownPost):
    """A post and its answer.

    Attributes:
        true: Its tag.
        predicted: The answer.
        probabilities: The probability of each label.
        problems: What is wrong with the post, in words.
        explanation: Text and picture as HTML that shows what decided; empty if that is not known.
    """

    true: str
    predicted: str
    probabilities: dict[str, float]
    problems: str
    explanation: str = ""


@dataclass(frozen=True)
class ComparedPost(ShownPost):
    """A post, and what several models answered.

    Attributes:
        tag: The one that it has.
        answers: By the name of a model, the probabilities of each label.
    """

    tag: str
    answers: dict[str, dict[str, float]]

    @property
    def said(self) -> dict[str, str]:
        """The answer of each model."""
        return {
            name: max(shares, key=lambda label: shares[label])
            for name, shares in self.answers.items()
        }


def shorten(text: str, least: int = 0) -> str:
    """Cut a text to what a card has room for, but show its first `least` characters."""
    shown = max(least, _LONGEST)
    return text if len(text) <= shown else f"{text[:shown]}…"


def thumbnail(pixels: np.ndarray | None) -> str | None:
    """Return a small JPEG of an image, as a data URI.

    Args:
        pixels: uint8 RGB of shape (height, width, 3); None, which is returned, for no image.
    """
    if pixels is None:
        return None
    image = Image.fromarray(pixels)
    image.thumbnail((_SIDE, _SIDE))
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"

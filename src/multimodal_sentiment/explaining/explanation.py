"""What an explanation holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple


class Word(NamedTuple):
    """A word of a text, or a few that stand together.

    Attributes:
        start: Its first character's place in the text.
        end: The place after its last character.
        weight: The part of the probability of the answer that it added, -1 to 1.
    """

    start: int
    end: int
    weight: float


class Region(NamedTuple):
    """A rectangle of an image.

    Attributes:
        box: Its left, top, right and bottom edges, as shares of the image's width and height.
        weight: The part of the probability of the answer that it added, -1 to 1.
    """

    box: tuple[float, float, float, float]
    weight: float


@dataclass(frozen=True)
class Explanation:
    """An answer, and what its words and regions added to its probability.

    All weights are in one unit, that of the probability. Those of the words add up to
    `text_contribution`, those of the regions to `image_contribution`, and the two contributions to
    `confidence - baseline`. A negative weight spoke against the answer.

    Attributes:
        predicted: The answer.
        confidence: Its probability.
        baseline: The probability that the model gives it when it sees neither text nor image.
        text_contribution: The part that the text added; None if the model does not read texts.
        image_contribution: The part that the image added; None if the model looks at no images.
        text: The post's text.
        words: Its words, in their order; they cover all of the text but the gaps between them.
        photo: A small JPEG of the image, as a data URI; None if there is no image to see.
        regions: The regions of what the model sees of the image, row by row.
        problems: The problems of the post, in words.
    """

    predicted: str
    confidence: float
    baseline: float
    text_contribution: float | None
    image_contribution: float | None
    text: str
    words: tuple[Word, ...] = ()
    photo: str | None = None
    regions: tuple[Region, ...] = ()
    problems: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values that JSON can hold; `from_dict` reads them."""
        plain = asdict(self)
        plain["words"] = [word._asdict() for word in self.words]
        plain["regions"] = [
            {"box": list(region.box), "weight": region.weight} for region in self.regions
        ]
        return plain

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> Explanation:
        """Return the explanation that `to_dict` has made plain."""
        words = tuple(Word(**word) for word in plain["words"])
        regions = tuple(
            Region(tuple(region["box"]), region["weight"]) for region in plain["regions"]
        )
        return cls(**{**plain, "words": words, "regions": regions})

    def _repr_html_(self) -> str:
        """Return it as notebooks show it."""
        from .page_part import render

        return render(self)

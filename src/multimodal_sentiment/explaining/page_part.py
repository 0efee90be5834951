"""An explanation as a part of a page: in the report and in notebooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.reporting import shorten
from multimodal_sentiment.reporting.templating import render as fill
from multimodal_sentiment.reporting.templating import signed_points

if TYPE_CHECKING:
    from .explanation import Explanation, Region

# Colours are those of the figures (Okabe and Ito's blue and vermillion), so thin that text stays
# legible on a white page and on a black one. Lines tell for and against apart without colours.
_FOR, _AGAINST = "0, 114, 178", "213, 94, 0"
_FULL = 0.1  # the weight of the strongest shade; a scale that is the same in all explanations
_LEAST = 0.005  # what adds less, half a point, is not marked
_PUNCTUATION = ".,;:!?…\"'“”‘’«»()[]"
_MOST_LISTED = 8  # words, and regions, in the list of numbers


def render(explanation: Explanation, *, legend: bool = True) -> str:
    """Return an explanation as HTML that needs no style sheet, no script and no network.

    The text with its words shaded, the photo with its regions shaded, what each modality added, and
    the strongest words and regions in numbers. What comes from the post is escaped.

    Args:
        explanation: The explanation.
        legend: Whether to say what the shades and numbers mean; a page with many explanations says
            it once.
    """
    words = sorted(explanation.words, key=lambda word: -abs(word.weight))
    regions = sorted(explanation.regions, key=lambda region: -abs(region.weight))
    added = {"text": explanation.text_contribution, "photo": explanation.image_contribution}
    return fill(
        "explanation.html",
        explanation=explanation,
        legend=legend,
        contributions={name: value for name, value in added.items() if value is not None},
        points=signed_points,
        pieces=list(_pieces(explanation)),
        tiles=[_tile(region) for region in explanation.regions if _is_marked(region.weight)],
        seen=_seen(explanation),
        marks={"for": _mark(_FULL), "against": _mark(-_FULL)},
        words=[
            (shorten(_bare(explanation.text[word.start : word.end])), word.weight)
            for word in words[:_MOST_LISTED]
        ],
        regions=[(place(region, explanation), region.weight) for region in regions[:_MOST_LISTED]],
    )


def place(region: Region, explanation: Explanation) -> str:
    """Return where a region lies among those of an explanation, as in "row 2, column 3"."""
    rows = sorted({other.box[1] for other in explanation.regions})
    columns = sorted({other.box[0] for other in explanation.regions})
    return f"row {rows.index(region.box[1]) + 1}, column {columns.index(region.box[0]) + 1}"


def _pieces(explanation: Explanation) -> Iterator[dict[str, Any]]:
    """Yield the text in pieces: its words, shaded, and what stands between them.

    A text that is long is cut where no further word is shaded, and within pieces that are long.
    """
    marked = [word for word in explanation.words if _is_marked(word.weight)]
    text = shorten(explanation.text, marked[-1].end if marked else 0)
    at = 0
    for word in marked:
        yield {"text": shorten(text[at : word.start]), "style": "", "weight": 0.0}
        shaded = shorten(text[word.start : word.end])
        yield {"text": shaded, "style": _mark(word.weight), "weight": word.weight}
        at = word.end
    yield {"text": text[at:], "style": "", "weight": 0.0}


def _tile(region: Region) -> dict[str, Any]:
    border = f"border:2px {_line(region.weight, _strength(region.weight))};"
    style = f"{_place_box(*region.box)}{_shade(region.weight)}{border}"
    return {"style": style, "weight": region.weight}


def _seen(explanation: Explanation) -> str:
    """Return the style of the frame around what the model sees of the photo."""
    if not explanation.regions:
        return ""
    first, last = explanation.regions[0].box, explanation.regions[-1].box  # they are row by row
    return _place_box(*first[:2], *last[2:])


def _place_box(left: float, top: float, right: float, bottom: float) -> str:
    return (
        f"left:{100 * left:.2f}%;top:{100 * top:.2f}%;width:{100 * (right - left):.2f}%;"
        f"height:{100 * (bottom - top):.2f}%;"
    )


def _bare(word: str) -> str:
    """Return a word without the punctuation around it, unless there is nothing else."""
    return word.strip(_PUNCTUATION) or word


def _is_marked(weight: float) -> bool:
    return abs(weight) >= _LEAST


def _mark(weight: float) -> str:
    return f"{_shade(weight)}border-bottom:2px {_line(weight, 1)};"


def _shade(weight: float) -> str:
    colour = _FOR if weight > 0 else _AGAINST
    return f"background-color:rgba({colour},{0.08 + 0.42 * _strength(weight):.2f});"


def _line(weight: float, opacity: float) -> str:
    colour, kind = (_FOR, "solid") if weight > 0 else (_AGAINST, "dashed")
    return f"{kind} rgba({colour},{opacity:.2f})"


def _strength(weight: float) -> float:
    return min(abs(weight) / _FULL, 1)

"""Write the report of an inference run: the new posts beside those that the model was judged on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import charts
from .gallery import ShownPost
from .templating import render

_MOST_CATEGORIES = 8
_SIDES = ("validation", "new")


@dataclass(frozen=True)
class NewPost(ShownPost):
    """A post that is little like the validation posts.

    Attributes:
        predicted: The answer.
        confidence: The probability of the answer.
        modality: Whether its text or its image is furthest from what is known.
        times: How far that is, by what is usual among validation posts.
        problems: What is wrong with the post, in words.
    """

    predicted: str
    confidence: float
    modality: str
    times: float
    problems: str


def write_inference_page(
    *,
    drift: Mapping[str, Any],
    test: Mapping[str, Any] | None = None,
    ingestion: Mapping[str, Any],
    unlike: Sequence[NewPost],
) -> str:
    """The report of an inference run.

    Args:
        drift: How the new posts compare, as the monitoring writes it.
        test: How good the model is on the new posts that carry a tag, if some do.
        ingestion: The ingestion report of the new posts.
        unlike: The posts that are least like the validation posts.

    Returns:
        HTML that asks for nothing from any network, and runs nothing.
    """
    return render(
        "inference_report.html",
        drift=drift,
        test=test,
        ingestion=ingestion,
        predicted=_predicted_tags(drift),
        shares={it["name"]: _commonest(it["shares"]) for it in _with(drift, "shares")},
        distributions={
            it["name"]: charts.distributions(it["what"], it["sentence"], it["quantiles"])
            for it in _with(drift, "quantiles")
        },
        unlike=unlike,
    )


def _predicted_tags(drift: Mapping[str, Any]) -> charts.DotPlot | None:
    if not drift["posts"]:
        return None
    shares = [
        charts.Estimate(label, tag["share"], tag["interval"], f"{tag['posts']:,} posts", "first")
        for label, tag in drift["predicted_tags"].items()
    ]
    return charts.dot_plot("share", shares)


def _with(drift: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    return [it for it in drift["comparisons"] if it.get(key)]


def _commonest(shares: Mapping[str, Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    """Return the commonest categories, the commonest first."""
    names = sorted(
        shares, key=lambda name: (-max(shares[name][it]["share"] for it in _SIDES), name)
    )
    return {name: shares[name] for name in names[:_MOST_CATEGORIES]}

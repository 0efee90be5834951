"""What corrected tags change, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from multimodal_sentiment.wording import counted

from . import charts

CAVEAT = (
    "The figures under the corrected tags flatter the model: a person looked again at posts that "
    "models had doubted, and not at those on which models and tags agree, where tags may be wrong "
    "as well. The figures under the original tags are the ones to compare with others."
)


class Corrections(NamedTuple):
    """What is said of corrected tags.

    Attributes:
        words: The number of corrections, and what came of them.
        plot: Accuracy and macro-F1 under either tags, where validation posts were corrected.
        caveat: Why the second flatter.
        sha256: The SHA-256 of the corrections.
    """

    words: str
    plot: charts.DotPlot | None
    caveat: str
    sha256: str


def describe_corrections(metrics: Mapping[str, Any]) -> Corrections | None:
    """Say how many tags were corrected, and how good the model is under either; None if none was.

    Args:
        metrics: The metrics as the evaluation writes them.
    """
    corrections = metrics["protocol"].get("corrections")
    if not corrections or not corrections["posts"]:
        return None
    words = (
        f"{counted(corrections['posts'], 'corrected tag')}: {corrections['training']:,} of training posts, "
        f"from which the model has learnt as corrected, and {corrections['validation']:,} of "
        "validation posts. The figures above are those under the original tags, which are kept."
    )
    under = metrics.get("corrected")
    if not under:
        return Corrections(words, None, CAVEAT, corrections["sha256"])
    estimates = [
        charts.Estimate(
            f"{tags} tags",
            scores[measure],
            scores["intervals"][measure],
            measure.replace("_f1", "-F1"),
        )
        for measure in ("accuracy", "macro_f1")
        for tags, scores in (("original", metrics), ("corrected", under))
    ]
    plot = charts.dot_plot("score", estimates)
    return Corrections(words, plot, CAVEAT, corrections["sha256"])

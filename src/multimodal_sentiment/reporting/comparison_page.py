"""The comparison of variants, as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from multimodal_sentiment.commands import run_command

from . import charts
from .gallery import ComparedPost
from .key_points import Tone
from .names import MEASURES, name_baselines, name_variants
from .templating import render

_TONES: dict[str, Tone] = {"better": "good", "worse": "bad", "no different": "unsure"}
_VERDICTS = {  # in words, and in classes of the style sheet
    "better": ("better, surely", "sure-better"),
    "worse": ("worse, surely", "sure-worse"),
    "no different": ("no difference that matters", ""),
    "cannot tell": ("cannot tell", ""),
}
_LEAST_POSTS = 10  # of a part of the posts that is drawn


def write_comparison_page(
    *,
    data: str,
    version: str,
    comparison: Mapping[str, Any],
    verdicts: Sequence[str],
    history: pd.DataFrame,
    disagreements: Sequence[tuple[str, Sequence[ComparedPost]]],
) -> str:
    """Write the page of a comparison.

    Args:
        data: The name of the posts.
        version: The version, which says when it was made.
        comparison: The result of `judge_comparison`.
        verdicts: On the accuracy of each pair.
        history: The histories of the trainings.
        disagreements: The title of what they show, and posts that one of two variants answers
            rightly, and the other wrongly.

    Returns:
        HTML that asks for nothing from any network.
    """
    names = _names(comparison)
    first = verdicts[0] if verdicts else ""
    return render(
        "comparison.html",
        title=f"Which is better on {data}?",
        version=version,
        comparison=comparison,
        names=names,
        tone=_TONES.get(first, "unsure"),
        scores=_scores(comparison, names),
        pairs=_differences(comparison, names, verdicts),
        slices=_slices(comparison["slices"], names),
        small={
            part: judged["n"]
            for part, judged in comparison["slices"].items()
            if judged["n"] < _LEAST_POSTS
        },
        curves=_curves(history, names),
        disagreements=disagreements,
        styles=charts.label_styles(_labels(comparison)),
        steps=_next_steps(comparison, verdicts),
    )


def _next_steps(comparison: Mapping[str, Any], verdicts: Sequence[str]) -> list[tuple[str, str]]:
    """Say what to try after a comparison: why, and the command; without one, a page to open."""
    steps = []
    if "cannot tell" in verdicts and comparison["protocol"]["folds"] is None:
        steps.append(
            (
                "The saved validation posts cannot tell all pairs apart. Judge every post, by "
                "models that have not seen it:",
                f"{run_command()} --pipeline=comparison --params comparison.folds=5",
            )
        )
    steps.append(
        (
            "Some tags may be wrong. Look at those that models doubt, on the page "
            "second_look.html; with the file that it gives, train on the corrected tags:",
            f"{run_command()} --pipeline=training --params corrections=FILE",
        )
    )
    return steps


def _names(comparison: Mapping[str, Any]) -> dict[str, str]:
    table = comparison["table"]
    majority = comparison.get("majority") or "the commonest tag"
    baselines = {name: it for name, it in table.items() if "method" in it and name != "majority"}
    always = {"majority": f"always answering {majority}"}
    return name_variants(table) | name_baselines(baselines) | always


def _labels(comparison: Mapping[str, Any]) -> list[str]:
    return list(next(iter(comparison["table"].values()))["per_class"])


def _scores(comparison: Mapping[str, Any], names: Mapping[str, str]) -> list[charts.DotPlot]:
    return [
        charts.dot_plot(
            title,
            [
                charts.Estimate(
                    names[name],
                    score[measure],
                    score["intervals"][measure],
                    _spread(score["spread"][measure], score["seeds"]),
                    "" if "method" in score else "first",
                )
                for name, score in comparison["table"].items()
            ],
        )
        for measure, title in MEASURES.items()
    ]


def _spread(spread: float | None, seeds: int) -> str:
    return "" if spread is None else f"{seeds} seeds, spread {100 * spread:.1f} points"


def _differences(
    comparison: Mapping[str, Any], names: Mapping[str, str], verdicts: Sequence[str]
) -> charts.DotPlot | None:
    """Draw the pairs, then each variant against the baselines, on one axis with 0 on it."""
    pairs, simple = comparison["pairs"], comparison["against_baselines"]
    said = [*(_VERDICTS[verdict] for verdict in verdicts), *[("", "")] * len(simple)]
    estimates = [
        charts.Estimate(
            f"{names[pair['first']]} against {names[pair['second']]}",
            pair["accuracy"]["difference"],
            pair["accuracy"]["interval"],
            note,
            style,
        )
        for pair, (note, style) in zip([*pairs, *simple], said, strict=True)
    ]
    return charts.differences("points of accuracy", estimates) if estimates else None


def _slices(
    slices: Mapping[str, Any], names: Mapping[str, str]
) -> list[tuple[str, charts.DotPlot]]:
    return [
        (
            f"{part}, {judged['n']:,} posts",
            charts.dot_plot(
                "accuracy",
                [
                    charts.Estimate(
                        names[name],
                        score["accuracy"],
                        score["intervals"]["accuracy"],
                        style="" if name in ("majority", "tfidf") else "first",
                    )
                    for name, score in judged["variants"].items()
                ],
            ),
        )
        for part, judged in slices.items()
        if judged["n"] >= _LEAST_POSTS
    ]


def _curves(history: pd.DataFrame, names: Mapping[str, str]) -> list[charts.Chart]:
    drawn = [
        charts.member_curves(names[str(variant)], own)
        for variant, own in history.groupby("variant", sort=False)
    ]
    return [chart for chart in drawn if chart]

"""How sure answers are, and what they were owed to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from multimodal_sentiment.wording import exact_percent, least_confidence, rounded_percent

from .axes import count_axis, linear_axis
from .canvas import Chart
from .dots import signed

GOOD_CALIBRATION = 0.05  # the expected calibration error that counts as good, or less
_STEPS = 20  # of confidence
_MOST_POINTS = 1500
_DECIDED = ("text", "image", "both", "neither")


def reliability(calibration: Mapping[str, Any]) -> Chart:
    """Draw how many answers of each confidence are right, where there are any.

    Args:
        calibration: `before` and `after`, each with the `expected_calibration_error` and `bins` of
            confidence: records of `low`, `high`, `n`, `confidence` and `accuracy`.
    """
    chart = Chart(
        linear_axis(0, 1, "confidence of the answer", exact_percent),
        linear_axis(0, 1, "share of right answers", exact_percent),
    )
    chart.line([0, 1], [0, 1], "rule")
    legend, scaled = [], calibration.get("temperature") != 1
    after = calibration["after"]
    for name, style, part in (
        ("before calibration", "second", calibration["before"]),
        ("calibrated" if scaled else "as it is", "first", after),
    ):
        if not scaled and style == "second":  # the two are the same
            continue
        filled = [row for row in part.get("bins", []) if row["n"]]
        xs, ys = [row["confidence"] for row in filled], [row["accuracy"] for row in filled]
        if filled:
            chart.line(xs, ys, f"line {style}")
        for x, y, row in zip(xs, ys, filled, strict=True):
            hint = f"confidence {x:.0%}: {rounded_percent(y)} of {row['n']:,} answers right"
            chart.points([x], [y], style, hint)
        error = 100 * part["expected_calibration_error"]
        legend.append((style, f"{name}: off by {error:.1f} points on average"))
    return chart.described(
        "Does confidence mean what it says?",
        "On the dotted line, of the answers given with 70% confidence 70% are right. Below it, the "
        "model is too sure; above it, too modest. Off by "
        f"{100 * GOOD_CALIBRATION:g} points or less on average is good.",
        "Confidence against the share of right answers, in steps of confidence.",
        legend[::-1],
    )


def coverage(abstention: Mapping[str, Any]) -> Chart:
    """Draw how right the surest answers are, for any share of the posts that is kept.

    Args:
        abstention: `curve` (as `accuracy_by_coverage` gives it), `target`, and `trusted`, the step
            from which on one may trust answers, or None.
    """
    curve = abstention["curve"]
    bounds = [bound for step in curve for bound in step["accuracy_interval"]]
    low = max(0.0, min(*bounds, abstention["target"]) - 0.03)
    chart = Chart(
        linear_axis(0, 1, "share of the posts that it answers", exact_percent),
        linear_axis(low, 1, "share of right answers", exact_percent),
    )
    xs = [step["coverage"] for step in curve]
    lows, highs = zip(*(step["accuracy_interval"] for step in curve), strict=True)
    chart.band(xs, lows, highs, "first")
    chart.line([0, 1], [abstention["target"]] * 2, "rule")
    chart.line(xs, [step["accuracy"] for step in curve], "line first")
    for x, step in zip(xs, curve, strict=True):
        hint = (
            f"{rounded_percent(x)} of posts, confidence "
            f"{least_confidence(step['confidence'])} or more: "
            f"{step['accuracy']:.1%} right"
        )
        chart.points([x], [step["accuracy"]], "first", hint)
    trusted = abstention["trusted"]
    if trusted:
        lines = ["confidence", f"{least_confidence(trusted['confidence'])} or more"]
        chart.rule(trusted["coverage"], "limit", lines)
    last = curve[-1]
    return chart.described(
        "How right are its surest answers?",
        "To the left it answers only what it is surest of, and leaves the rest to a person. The "
        f"dotted line is the target, {exact_percent(abstention['target'])}.",
        f"Accuracy against coverage: {last['accuracy']:.1%} of all answers are right, of the "
        f"surest {rounded_percent(curve[0]['coverage'])} {curve[0]['accuracy']:.1%}.",
        [("first", "accuracy, with its interval")],
    )


def confidences(confidence: ArrayLike, right: ArrayLike) -> Chart:
    """Draw how confident right and wrong answers are.

    Args:
        confidence: Probability of each answer, of shape (n,).
        right: Whether it is the true one, of shape (n,).
    """
    sure, correct = np.asarray(confidence, dtype=float), np.asarray(right, dtype=bool)
    edges = np.linspace(0, 1, _STEPS + 1)
    counts = np.stack([np.histogram(sure[chosen], edges)[0] for chosen in (correct, ~correct)])
    chart = Chart(
        linear_axis(0, 1, "confidence of the answer", exact_percent),
        count_axis(0, float(counts.sum(axis=0).max()) * 1.04, "posts"),
    )
    for low, high, hits, misses in zip(edges, edges[1:], *counts, strict=False):
        span = f"{low:.0%} to {high:.0%}"
        chart.boxes([(low, high, 0, hits)], "bar first", f"{span}: {hits:,} right")
        above = (low, high, hits, hits + misses)
        chart.boxes([above], "bar second", f"{span}: {misses:,} wrong")
    return chart.described(
        "Where is it wrong?",
        "Right and wrong answers by confidence, one upon the other. A good model is seldom wrong "
        "where it is sure.",
        f"Confidence of {int(correct.sum()):,} right and {int((~correct).sum()):,} wrong answers.",
        [
            ("first", f"right ({rounded_percent(correct.mean())})"),
            ("second", f"wrong ({rounded_percent((~correct).mean())})"),
        ],
    )


def contributions(predictions: pd.DataFrame) -> Chart | None:
    """Draw what text and image added to the probability of each answer.

    Args:
        predictions: One row a post; of a model of text and image with the Shapley values
            `text_contribution` and `image_contribution`, -1 to 1, and `decided_by`, which is
            `text`, `image`, `both` or `neither`. A model of one modality has nothing to weigh.
    """
    columns = {"text_contribution": "text", "image_contribution": "image", "decided_by": "by"}
    posts = predictions.reindex(columns=list(columns)).dropna().rename(columns=columns)
    if posts.empty:
        return None
    drawn = posts.iloc[:: -(-len(posts) // _MOST_POINTS)]
    reach = float(posts[["text", "image"]].abs().to_numpy().max()) + 0.03
    span = (-reach, reach)
    chart = Chart(
        linear_axis(*span, "added by the text (points of probability)", signed),
        linear_axis(*span, "added by the photo", signed),
        height=320,
    )
    chart.line([0, 0], span, "zero")
    chart.line(span, [0, 0], "zero")
    legend = []
    for name in _DECIDED:
        own = drawn[drawn["by"] == name]
        share = (posts["by"] == name).mean()
        if share:
            chart.points(own["text"], own["image"], f"small {name}")
            who = {"image": "the photo", "text": "the text", "both": "both equally"}.get(name, name)
            legend.append((name, f"{who} added most ({rounded_percent(share)})"))
    part = f" Drawn are {len(drawn):,} of {len(posts):,}." if len(drawn) < len(posts) else ""
    return chart.described(
        "What decided each answer?",
        "One dot a post: how much its text and its photo raised or lowered the probability of the "
        f"answer.{part}",
        "What text and photo added to each answer: " + ", ".join(name for _, name in legend) + ".",
        legend,
    )

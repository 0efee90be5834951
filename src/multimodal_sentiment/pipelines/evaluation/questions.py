"""What people ask beside the accuracy: better than what, by what, on which posts, how surely."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from multimodal_sentiment.assessment import (
    FEWEST_GROUPS,
    accuracy_by_coverage,
    compare_answers,
    judge_part,
    least_trusted_confidence,
)
from multimodal_sentiment.posts.problems import felt_problems
from multimodal_sentiment.posts.scripts import script_of
from multimodal_sentiment.types import Json


def judge_modalities(
    predictions: pd.DataFrame,
    groups: pd.Series[int],
    labels: list[str],
    *,
    margin: float,
    **drawing: Any,
) -> Json | None:
    """Judge what the same model answers when it sees the text alone, and the image alone.

    A model that learnt from texts alone might do better than this one does without its images: that
    is for the comparison to say.

    Returns:
        `text_alone` and `image_alone`, each with its `score` (accuracy) and `score_interval`, and
        with what `compare_answers` says of the model that sees both; None of a model of one
        modality.
    """
    views = ["text_alone", "image_alone"]
    if not set(views) <= set(predictions):
        return None
    true = predictions["tag"]
    answers = {name: predictions[name] for name in ("predicted", *views)}
    pairs = compare_answers(true, answers, groups, labels, margin=margin, **drawing)
    everyone = np.ones(len(predictions), dtype=bool)
    judged = {}
    for view, pair in zip(views, pairs, strict=True):
        score = judge_part(everyone, true, predictions[view], groups, labels, **drawing)
        own = {"score": score["accuracy"], "score_interval": score["accuracy_interval"]}
        judged[view] = own | pair
    return judged


def judge_scripts(
    predictions: pd.DataFrame,
    texts: pd.Series[str],
    groups: pd.Series[int],
    labels: list[str],
    *,
    baselines: Mapping[str, ArrayLike],
    **drawing: Any,
) -> Json:
    """Judge the posts of each script that enough of them are written in, the commonest first."""
    scripts = texts.map(script_of).to_numpy()
    parts = {str(script): scripts == script for script in np.unique(scripts)}
    judged = _judge_parts(parts, predictions, groups, labels, baselines, drawing)
    return dict(sorted(judged.items(), key=lambda item: -item[1]["n"]))


def judge_parts(
    predictions: pd.DataFrame,
    groups: pd.Series[int],
    labels: list[str],
    *,
    modality: str,
    baselines: Mapping[str, ArrayLike],
    **drawing: Any,
) -> Json:
    """Judge the posts that lack something, and those of which text and image say different things.

    Args:
        predictions: Of the validation posts.
        groups: Each post's group, of shape (n,).
        labels: Every label a tag may be.
        modality: What the model reads: what is wrong with the rest of a post does not count.
        baselines: By the name of a baseline, its answers, of shape (n,).
        drawing: `samples`, `level` and `seed` of the bootstrap over groups.

    Returns:
        Per part, of those with posts enough (twins count once), `n`, `accuracy`,
        `accuracy_interval`, and the accuracy of each of the `baselines`.
    """
    felt = predictions["problems"].fillna("").map(lambda entry: felt_problems(entry, modality))
    parts = {"something is wrong with the post": felt != ""}
    if "text_alone" in predictions:
        alike = predictions["text_alone"] == predictions["image_alone"]
        # A modality that a post lacks has contributed exactly nothing.
        has_text = predictions["text_contribution"] != 0
        has_image = predictions["image_contribution"] != 0
        parts |= {
            "text and photo agree": alike & has_text & has_image,
            "text and photo disagree": ~alike & has_text & has_image,
            "there is no text": ~has_text,
            "there is no photo": ~has_image,
        }
    masks = {name: mask.to_numpy() for name, mask in parts.items()}
    return _judge_parts(masks, predictions, groups, labels, baselines, drawing)


def judge_abstention(
    predictions: pd.DataFrame,
    groups: pd.Series[int],
    labels: list[str],
    *,
    target: float,
    **drawing: Any,
) -> Json:
    """Say how right the surest answers are, and from which confidence on they can be trusted.

    Nothing is applied: it is for those who read it.

    Returns:
        `target`; `curve`, by `accuracy_by_coverage`; `trusted`, the step of it from which on
        answers are right as often as the target, surely, with the `accuracy_below` it; None if
        there is no such confidence; and `claimed`, the `n`, `accuracy` and `accuracy_interval` of
        the answers whose `confidence` is the target or more, and under `least_sure` the `n` and
        `accuracy` of those of them that are `below` the middle between the target and 1.
    """
    true, predicted, confidence = (predictions[name] for name in ("tag", "predicted", "confidence"))
    right = true == predicted
    least = least_trusted_confidence(
        right, confidence, groups, target=target, level=drawing["level"]
    )
    curve = accuracy_by_coverage(true, predicted, confidence, groups, labels, **drawing)
    trusted = next((step for step in curve if step["confidence"] == least), None)
    if trusted:
        below = right[confidence < trusted["confidence"]]
        trusted = trusted | {"accuracy_below": float(below.mean()) if len(below) else None}
    claims = confidence >= target
    claimed: Json = {"confidence": target, "n": int(claims.sum())}
    if claims.any():
        claimed |= judge_part(claims, true, predicted, groups, labels, **drawing)
        below = (target + 1) / 2
        least_sure = right[claims & (confidence < below)]
        claimed["least_sure"] = {
            "below": below,
            "n": len(least_sure),
            "accuracy": float(least_sure.mean()) if len(least_sure) else None,
        }
    return {"target": target, "trusted": trusted, "claimed": claimed, "curve": curve}


def count_corrections(
    corrections: pd.DataFrame, train_posts: pd.DataFrame, validation_posts: pd.DataFrame
) -> Json:
    """Count corrected tags: `posts`, `training`, `validation`, and the `sha256` of their file."""
    guids = corrections["guid"]
    return {
        "posts": len(corrections),
        "training": int(guids.isin(train_posts["guid"]).sum()),
        "validation": int(guids.isin(validation_posts["guid"]).sum()),
        "sha256": str(corrections["sha256"].iloc[0]) if len(corrections) else None,
    }


def _judge_parts(
    parts: dict[str, np.ndarray],
    predictions: pd.DataFrame,
    groups: pd.Series[int],
    labels: list[str],
    baselines: Mapping[str, ArrayLike],
    drawing: dict[str, Any],
) -> Json:
    true, predicted = predictions["tag"], predictions["predicted"]
    judged = {}
    for name, chosen in parts.items():
        if groups[chosen].nunique() < FEWEST_GROUPS:
            continue
        simple = {
            baseline: float((true[chosen] == np.asarray(answers)[chosen]).mean())
            for baseline, answers in baselines.items()
        }
        scores = judge_part(chosen, true, predicted, groups, labels, **drawing)
        judged[name] = scores | {"baselines": simple}
    return judged

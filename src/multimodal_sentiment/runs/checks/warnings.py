"""Says before the first node what a run can do, though hardly as it was meant."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.config_loader import flatten

from .compute import TRAINED, trained_variants

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

    from multimodal_sentiment.parameters import Parameters

logger = logging.getLogger(__name__)

_EVALUATION = "params:evaluation"
_EVALUATED, _COMPARED, _SEARCHED = "metrics", "comparison", "search"
_OF_GRADIENT_DESCENT = ("training.", "model.fusion.")
_OF_SOLVED_HEADS = (
    "training.seed", "training.class_weights", "training.learning_rate.text",
    "training.learning_rate.image", "training.resume", "model.fusion.kind",
)  # fmt: skip


def warn_of_enlarged_images(
    pipeline: Pipeline, parameters: Parameters, seen: Sequence[tuple[str, int]]
) -> None:
    """Warn of a model that is to see images larger than they are stored.

    Args:
        pipeline: The pipeline that will run.
        parameters: All parameters.
        seen: The pretrained encoders of images that the run needs: the name of each, and the length
            of an image's shorter side as it sees it, px.
    """
    image, stored = parameters.model.image, parameters.preparation.short_side
    sides = [(f"{name} sees images of", side) for name, side in seen]
    trains = bool(TRAINED & pipeline.all_outputs())
    if trains and "image" in parameters.model.modalities and image.encoder is None:
        name = "resize" if image.resize else "size"
        sides.append((f"model.image.{name} is", image.resize or image.size or 0))
    for what, side in sides:
        if side > stored:
            logger.warning(
                "%s %d px, but preparation.short_side keeps %d px of an image's shorter side: "
                "larger images lose detail, and are enlarged again: set it to %d",
                what,
                side,
                stored,
                side,
            )


def warn_of_few_draws(pipeline: Pipeline, parameters: Parameters) -> None:
    """Warn where no difference could be sure, however large it is.

    Of n draws a p-value is 1 / (n + 1) at least, and 2 / (n + 1) if it has two sides, as those of
    models have. Holm's method multiplies the least of a family by their number.
    """
    judged = {_EVALUATED, _COMPARED, _SEARCHED} & pipeline.all_outputs()
    if _EVALUATION not in pipeline.inputs() or not judged:
        return
    from multimodal_sentiment.parameters import BASELINES

    comparison, evaluation = parameters.comparison, parameters.evaluation
    largest = max(len(comparison.compared_pairs), len(BASELINES) * len(comparison.compared))
    least = {_EVALUATED: 2 * len(BASELINES), _COMPARED: 2 * largest, _SEARCHED: 1}
    most = max(least[name] for name in judged)
    draws, level = evaluation.bootstrap_samples, evaluation.confidence_level
    p_value = most / (draws + 1)
    if p_value >= 1 - level:
        logger.warning(
            "evaluation.bootstrap_samples is %s: p-values are %.2g at least, as they are "
            "corrected, and no difference can be sure at a confidence_level of %g: take %s or more",
            f"{draws:,}",
            p_value,
            level,
            f"{math.ceil(most / (1 - level)):,}",
        )


def warn_of_unread(
    pipeline: Pipeline, parameters: Parameters, given: Mapping[str, Any] | None
) -> None:
    """Warn of parameters of the command that count for training by gradient descent alone.

    Args:
        pipeline: The pipeline that will run.
        parameters: All parameters.
        given: Those of the command.
    """
    unread = [
        name
        for name, _ in flatten(given or {})
        if name.startswith(_OF_GRADIENT_DESCENT) and name not in _OF_SOLVED_HEADS
    ]
    variants = trained_variants(pipeline, parameters) if unread else []
    if variants and all(variant.model.has_solved_heads for variant in variants):
        logger.warning(
            "%s: not read, as linear heads are solved exactly (model.fusion.kind is pool); other "
            "kinds train by gradient descent, and so does --env=pretrained",
            ", ".join(unread),
        )

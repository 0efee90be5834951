"""A check before the first node whether the model reads the parameters that a run was given."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.config_loader import flatten

from .compute import trained_variants

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)

_OF_GRADIENT_DESCENT = ("training.", "model.fusion.")
_OF_SOLVED_HEADS = (
    "training.seed", "training.class_weights", "training.learning_rate.text",
    "training.learning_rate.image", "training.resume", "model.fusion.kind",
)  # fmt: skip


def warn_of_unread(
    pipeline: Pipeline, request: Mapping[str, Any], parameters: Mapping[str, Any]
) -> None:
    """Warn of parameters of the command that count for training by gradient descent alone.

    Args:
        pipeline: The pipeline that will run.
        request: The run that Kedro was asked for.
        parameters: All parameters.
    """
    unread = [
        name
        for name, _ in flatten(request.get("runtime_params") or {})
        if name.startswith(_OF_GRADIENT_DESCENT) and name not in _OF_SOLVED_HEADS
    ]
    if not unread:
        return
    from multimodal_sentiment.parameters import Parameters

    variants = trained_variants(pipeline, Parameters.model_validate(parameters))
    if variants and all(variant.model.has_solved_heads for variant in variants):
        logger.warning(
            "%s: not read, as linear heads are solved exactly (model.fusion.kind is pool); other "
            "kinds train by gradient descent, and so does --env=pretrained",
            ", ".join(unread),
        )

"""A check before the first node whether the bootstrap draws often enough to tell things apart."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline

logger = logging.getLogger(__name__)

_EVALUATION = "params:evaluation"
_EVALUATED, _COMPARED, _SEARCHED = "metrics", "comparison", "search"


def warn_of_few_draws(pipeline: Pipeline, parameters: Mapping[str, Any]) -> None:
    """Warn where no difference could be sure, however large it is.

    Of n draws a p-value is 1 / (n + 1) at least, and 2 / (n + 1) if it has two sides, as those of
    models have. Holm's method multiplies the least of a family by their number.
    """
    judged = {_EVALUATED, _COMPARED, _SEARCHED} & pipeline.all_outputs()
    if _EVALUATION not in pipeline.inputs() or not judged:
        return
    from multimodal_sentiment.parameters import BASELINES, Parameters

    whole = Parameters.model_validate(parameters)
    comparison, evaluation = whole.comparison, whole.evaluation
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

"""A bootstrap that can tell nothing apart is said so before the first node."""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

import pytest

from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipelines.comparing import pipeline as comparing
from multimodal_sentiment.pipelines.evaluation import pipeline as evaluation
from multimodal_sentiment.pipelines.prediction import pipeline as prediction
from multimodal_sentiment.pipelines.searching import pipeline as searching
from multimodal_sentiment.runs.checks.warnings import warn_of_few_draws


@pytest.mark.parametrize(
    ("pipeline", "draws", "level", "said"),
    [
        # Three variants against two baselines: 6 * 2 / 101 = 0.119.
        (comparing, 100, 0.95, "is 100: p-values are 0.12 at least"),
        (comparing, 200, 0.95, "a confidence_level of 0.95: take 240 or more"),
        (comparing, 240, 0.95, ""),
        (comparing, 2000, 0.999, "is 2,000: p-values are 0.006 at least"),
        (comparing, 2000, 0.99, ""),
        (evaluation, 100, 0.95, ""),  # two baselines: 2 * 2 / 101 = 0.0396
        (evaluation, 100, 0.99, "p-values are 0.04 at least"),
        (searching, 100, 0.98, ""),  # one side, corrected within the draws: 1 / 101
        (searching, 100, 0.995, "p-values are 0.0099 at least"),
        (prediction, 100, 0.999, ""),
    ],
)
def test_too_few_draws_for_any_difference_are_said(
    settings: dict[str, Any],
    caplog: pytest.LogCaptureFixture,
    pipeline: ModuleType,
    draws: int,
    level: float,
    said: str,
) -> None:
    asked = {"bootstrap_samples": draws, "confidence_level": level}
    changed = settings | {"evaluation": settings["evaluation"] | asked}
    caplog.set_level(logging.WARNING, logger="multimodal_sentiment")
    warn_of_few_draws(pipeline.create_pipeline(), Parameters.model_validate(changed))

    assert len(caplog.messages) == bool(said)
    assert said in caplog.text

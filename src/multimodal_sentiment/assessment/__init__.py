"""How good a classifier is, and how sure that is: arrays in, numbers out, no model known."""

from __future__ import annotations

from .baselines import Baseline, majority_baseline, tfidf_baseline
from .calibration import (
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)
from .comparison import compare_variants, holm, mcnemar
from .contribution import modality_contributions
from .intervals import bootstrap_intervals
from .metrics import (
    class_indices,
    classification_metrics,
    confusion,
)

__all__ = [
    "Baseline",
    "bootstrap_intervals",
    "class_indices",
    "classification_metrics",
    "compare_variants",
    "confusion",
    "expected_calibration_error",
    "fit_temperature",
    "holm",
    "majority_baseline",
    "mcnemar",
    "modality_contributions",
    "reliability",
    "softmax",
    "tfidf_baseline",
]

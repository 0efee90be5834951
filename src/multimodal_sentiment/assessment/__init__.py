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
from .doubts import contradicting_twins, doubtful_tags
from .intervals import bootstrap_intervals
from .metrics import (
    class_indices,
    classification_metrics,
    confusion,
)
from .variants import judge_slices, judge_variants
from .verdict import put_in_words

__all__ = [
    "Baseline",
    "bootstrap_intervals",
    "class_indices",
    "classification_metrics",
    "compare_variants",
    "confusion",
    "contradicting_twins",
    "doubtful_tags",
    "expected_calibration_error",
    "fit_temperature",
    "holm",
    "judge_slices",
    "judge_variants",
    "majority_baseline",
    "mcnemar",
    "modality_contributions",
    "put_in_words",
    "reliability",
    "softmax",
    "tfidf_baseline",
]

"""How good a classifier is, and how sure that is: arrays in, numbers out, no model known."""

from __future__ import annotations

from .baselines import Baseline, majority_baseline, tfidf_baseline
from .bootstrap import bootstrap_intervals
from .calibration import (
    choose_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)
from .label_errors import contradicting_duplicates, doubtful_tags
from .metrics import (
    class_indices,
    classification_metrics,
    confusion,
)
from .paired_tests import compare_variants, holm, mcnemar
from .shapley import modality_contributions
from .succession import compare_with_former
from .summary import summarise_comparison
from .variants import judge_slices, judge_variants

__all__ = [
    "Baseline",
    "bootstrap_intervals",
    "choose_temperature",
    "class_indices",
    "classification_metrics",
    "compare_variants",
    "compare_with_former",
    "confusion",
    "contradicting_duplicates",
    "doubtful_tags",
    "expected_calibration_error",
    "fit_temperature",
    "holm",
    "judge_slices",
    "judge_variants",
    "majority_baseline",
    "mcnemar",
    "modality_contributions",
    "reliability",
    "softmax",
    "summarise_comparison",
    "tfidf_baseline",
]

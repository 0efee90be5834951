"""How good a classifier is, and how sure that is: arrays in, numbers out, no model known."""

from __future__ import annotations

from .abstention import accuracy_by_coverage, least_trusted_confidence
from .baselines import Baseline, majority_baseline, tfidf_baseline
from .bootstrap import FEWEST_GROUPS
from .calibration import (
    choose_temperature,
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)
from .contributions import modality_contributions
from .judging import compare_answers, judge_part, judge_predictions, judge_without
from .label_errors import contradicting_duplicates, doubtful_tags
from .metrics import confusion
from .paired_tests import compare_variants, holm
from .selection import compare_settings, is_greater_better, objective_score
from .succession import compare_with_former
from .summary import added_modality, judge_difference, say_p_value, summarise_comparison
from .variants import judge_slices, judge_variants

__all__ = [
    "FEWEST_GROUPS",
    "Baseline",
    "accuracy_by_coverage",
    "added_modality",
    "choose_temperature",
    "compare_answers",
    "compare_settings",
    "compare_variants",
    "compare_with_former",
    "confusion",
    "contradicting_duplicates",
    "doubtful_tags",
    "expected_calibration_error",
    "fit_temperature",
    "holm",
    "is_greater_better",
    "judge_difference",
    "judge_part",
    "judge_predictions",
    "judge_slices",
    "judge_variants",
    "judge_without",
    "least_trusted_confidence",
    "majority_baseline",
    "modality_contributions",
    "objective_score",
    "reliability",
    "say_p_value",
    "softmax",
    "summarise_comparison",
    "tfidf_baseline",
]

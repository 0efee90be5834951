"""Figures for Kedro-Viz: arrays, frames and dictionaries in, Plotly figures out; no model known."""

from __future__ import annotations

from .comparison import differences, slices, variants
from .posts import class_balance, encodings, image_sizes, text_lengths
from .results import (
    confidence_by_correctness,
    confusion_matrix,
    modality_contributions,
    per_class_f1,
    reliability,
)
from .search import search_history, search_importances
from .training import learning_curves

__all__ = [
    "class_balance",
    "confidence_by_correctness",
    "confusion_matrix",
    "differences",
    "encodings",
    "image_sizes",
    "learning_curves",
    "modality_contributions",
    "per_class_f1",
    "reliability",
    "search_history",
    "search_importances",
    "slices",
    "text_lengths",
    "variants",
]

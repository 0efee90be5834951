"""Figures for Kedro-Viz: the charts of the pages, and others, as Plotly has them."""

from __future__ import annotations

from .drawing import draw
from .figures import (
    class_balance,
    confusion_matrix,
    differences,
    encodings,
    per_class_f1,
    search_importances,
    slices,
    variants,
)

__all__ = [
    "class_balance",
    "confusion_matrix",
    "differences",
    "draw",
    "encodings",
    "per_class_f1",
    "search_importances",
    "slices",
    "variants",
]

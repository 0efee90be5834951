"""How unlike new posts are to those that a model was judged on: tables in, numbers and words out.

The posts that a model has not learnt from, its validation posts, stand for what it knows: it has
seen them as it sees new posts, from outside. A bounded summary of them travels with the model.
"""

from __future__ import annotations

from .drift import NO_ACCURACY, compare_posts, count_tags, nothing_compared
from .observations import CATEGORIES, NUMBERS, OBSERVED, distinct_posts, observe_posts
from .unlikeness import least_like
from .validation_summary import (
    MOST_POSTS,
    SUMMARY_FILES,
    ValidationSummary,
    draw_projections,
    read_summary,
    summarise,
    write_summary,
)

__all__ = [
    "CATEGORIES",
    "MOST_POSTS",
    "NO_ACCURACY",
    "NUMBERS",
    "OBSERVED",
    "SUMMARY_FILES",
    "ValidationSummary",
    "compare_posts",
    "count_tags",
    "distinct_posts",
    "draw_projections",
    "least_like",
    "nothing_compared",
    "observe_posts",
    "read_summary",
    "summarise",
    "write_summary",
]

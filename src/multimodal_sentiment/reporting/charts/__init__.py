"""Charts of the pages that people read: arrays, frames and dictionaries in."""

from .canvas import Chart
from .colours import NO_TAG, group_by_tag, label_styles
from .dots import DotPlot, Estimate, differences, dot_plot, score_plots
from .posts import distributions, image_sizes, text_lengths
from .results import GOOD_CALIBRATION, confidences, contributions, coverage, reliability
from .searching import search_history
from .training import member_curves, training_curves

__all__ = [
    "GOOD_CALIBRATION",
    "NO_TAG",
    "Chart",
    "DotPlot",
    "Estimate",
    "confidences",
    "contributions",
    "coverage",
    "differences",
    "distributions",
    "dot_plot",
    "group_by_tag",
    "image_sizes",
    "label_styles",
    "member_curves",
    "reliability",
    "score_plots",
    "search_history",
    "text_lengths",
    "training_curves",
]

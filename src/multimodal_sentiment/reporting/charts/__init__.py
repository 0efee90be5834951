"""Charts of the pages that people read: plain arrays in, SVG geometry out, no script."""

from .canvas import Chart
from .colours import label_styles
from .dots import DotPlot, Estimate, differences, dot_plot
from .posts import image_sizes, text_lengths
from .results import GOOD_CALIBRATION, confidences, contributions, coverage, reliability
from .searching import search_history
from .training import member_curves, training_curves

__all__ = [
    "GOOD_CALIBRATION",
    "Chart",
    "DotPlot",
    "Estimate",
    "confidences",
    "contributions",
    "coverage",
    "differences",
    "dot_plot",
    "image_sizes",
    "label_styles",
    "member_curves",
    "reliability",
    "search_history",
    "text_lengths",
    "training_curves",
]

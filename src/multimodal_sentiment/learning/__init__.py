"""Fits models: one of them, or many for a comparison or a search."""

from .cross_validation import KeptTrials, run_trials
from .fit import fit_classifier
from .trials import Trial

__all__ = ["KeptTrials", "Trial", "fit_classifier", "run_trials"]

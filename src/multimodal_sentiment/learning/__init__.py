"""Fits models: one of them, or many for a comparison or a search."""

from .fit import fit_classifier
from .fold_training import FoldTraining
from .kept_trainings import KeptTrainings, run_trainings

__all__ = ["FoldTraining", "KeptTrainings", "fit_classifier", "run_trainings"]

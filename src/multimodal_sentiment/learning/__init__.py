"""Fitting a model to posts, and asking it about others."""

from .attribution import explain_examples
from .cross_validation import Trial, run_trials
from .dataset import PostDataset, digest, preparation_of, rows_of
from .fit import fit_classifier
from .posts import TrainingPosts
from .predict import name_answers, predict_examples, predict_logits

__all__ = [
    "PostDataset",
    "TrainingPosts",
    "Trial",
    "digest",
    "explain_examples",
    "fit_classifier",
    "name_answers",
    "predict_examples",
    "predict_logits",
    "preparation_of",
    "rows_of",
    "run_trials",
]

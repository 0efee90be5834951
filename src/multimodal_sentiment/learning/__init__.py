"""Fitting a model to posts, and asking it about others."""

from .data import PostDataset, digest, preparation_of, rows_of
from .explanation import explain_examples
from .fitting import fit_classifier
from .members import Member, fit_members
from .posts import TrainingPosts
from .prediction import name_answers, predict_examples, predict_logits

__all__ = [
    "Member",
    "PostDataset",
    "TrainingPosts",
    "digest",
    "explain_examples",
    "fit_classifier",
    "fit_members",
    "name_answers",
    "predict_examples",
    "predict_logits",
    "preparation_of",
    "rows_of",
]

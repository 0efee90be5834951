"""Fitting a model to posts, and asking it about others."""

from transformers.utils import logging as transformers_logging

from .data import PostDataset, digest, rows_of
from .fitting import fit_classifier
from .posts import TrainingPosts
from .prediction import predict_examples, predict_logits

# Its bars for reading and writing weights say nothing that our own log does not.
transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()

__all__ = [
    "PostDataset",
    "TrainingPosts",
    "digest",
    "fit_classifier",
    "predict_examples",
    "predict_logits",
    "rows_of",
]

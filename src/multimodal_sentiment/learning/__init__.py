"""Fitting a model to posts, and predicting others."""

from .attribution import explain_posts
from .cross_validation import KeptTrials, run_trials
from .dataset import PostDataset, preparation_of, rows_of
from .fingerprint import digest
from .fit import fit_classifier
from .frozen import check_features, encode_examples
from .labelled_posts import LabelledPosts, check_counts
from .observation import (
    observe_examples,
    read_projected,
    tabulate_projected,
    with_validation_summary,
)
from .predict import label_predictions, predict_examples, predict_logits
from .projection import explain_and_project, explain_examples
from .trials import Trial

__all__ = [
    "KeptTrials",
    "LabelledPosts",
    "PostDataset",
    "Trial",
    "check_counts",
    "check_features",
    "digest",
    "encode_examples",
    "explain_and_project",
    "explain_examples",
    "explain_posts",
    "fit_classifier",
    "label_predictions",
    "observe_examples",
    "predict_examples",
    "predict_logits",
    "preparation_of",
    "read_projected",
    "rows_of",
    "run_trials",
    "tabulate_projected",
    "with_validation_summary",
]

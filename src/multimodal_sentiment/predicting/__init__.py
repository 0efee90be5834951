"""What a model makes of posts: features, predictions, and what these rest on."""

from .attribution import explain_posts
from .encode import encode_examples
from .feature_table import check_features
from .observation import (
    observe_examples,
    read_projected,
    tabulate_projected,
    with_validation_summary,
)
from .predict import label_predictions, predict_examples, predict_logits
from .projection import explain_and_project, explain_examples

__all__ = [
    "check_features",
    "encode_examples",
    "explain_and_project",
    "explain_examples",
    "explain_posts",
    "label_predictions",
    "observe_examples",
    "predict_examples",
    "predict_logits",
    "read_projected",
    "tabulate_projected",
    "with_validation_summary",
]

"""What a model makes of posts: features, predictions, and what these rest on."""

from .attribution import predict_with_contributions
from .encode import encode_examples
from .feature_table import check_features
from .observation import (
    observe_examples,
    read_projected,
    tabulate_projected,
    with_validation_summary,
)
from .predict import label_predictions, predict_logits
from .projection import predict_and_project, predict_examples

__all__ = [
    "check_features",
    "encode_examples",
    "label_predictions",
    "observe_examples",
    "predict_and_project",
    "predict_examples",
    "predict_logits",
    "predict_with_contributions",
    "read_projected",
    "tabulate_projected",
    "with_validation_summary",
]

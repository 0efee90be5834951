"""The model is judged on validation posts, which chose nothing."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .against_former_model import judge_succession
from .nodes import evaluate_predictions, plot_evaluation, predict_validation


def create_pipeline() -> Pipeline:
    """Create the steps that predict the validation posts, judge the answers and draw them."""
    return Pipeline(
        [
            Node(
                predict_validation,
                inputs=[
                    "fusion_model",
                    "validation_posts",
                    "labelled.examples",
                    "labelled.features",
                    "params:compute",
                    "params:cluster",
                ],
                outputs="validation_predictions",
                name="predict_validation",
                namespace="evaluation",
            ),
            Node(
                evaluate_predictions,
                inputs=[
                    "validation_predictions",
                    "fusion_model",
                    "train_posts",
                    "validation_posts",
                    "duplicate_groups",
                    "labelled.corrections",
                    "labelled.manifest",
                    "params:splitting",
                    "params:evaluation",
                    "params:comparison",
                ],
                outputs="metrics",
                name="evaluate_predictions",
                namespace="evaluation",
            ),
            Node(
                plot_evaluation,
                inputs=["validation_predictions", "metrics"],
                outputs=[
                    "confusion_matrix",
                    "per_class_f1",
                    "reliability",
                    "confidence",
                    "modality_contributions",
                ],
                name="plot_evaluation",
                namespace="evaluation",
            ),
            Node(
                judge_succession,
                inputs=[
                    "validation_predictions",
                    "fusion_model",
                    "former_model",
                    "labelled.examples",
                    "labelled.features",
                    "duplicate_groups",
                    "params:evaluation",
                    "params:comparison",
                    "params:compute",
                ],
                outputs="against_former_model",
                name="judge_succession",
                namespace="evaluation",
            ),
        ]
    )

"""What a training run did and how well, on one page that can be sent to a colleague."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import explain_answers, write_model_card, write_report


def create_pipeline(with_test: bool = False) -> Pipeline:
    """Create the steps that explain some answers, and write the report and the model's card.

    Args:
        with_test: Whether the report also shows how good the model is on the posts to be predicted.
    """
    return Pipeline(
        [
            Node(
                explain_answers,
                inputs=[
                    "fusion_model",
                    "labelled.examples",
                    "validation_predictions",
                    "metrics",
                    "params:explaining",
                    "params:compute",
                ],
                outputs="explanations",
                name="explain_answers",
                namespace="reporting",
            ),
            Node(
                write_report,
                inputs={
                    "fusion_model": "fusion_model",
                    "examples": "labelled.examples",
                    "train_posts": "train_posts",
                    "predictions": "validation_predictions",
                    "explanations": "explanations",
                    "metrics": "metrics",
                    "ingestion_report": "labelled.ingestion_report",
                    "training_history": "training_history",
                    "raw": "params:raw",
                    "reporting": "params:reporting",
                    **({"test_metrics": "test_metrics"} if with_test else {}),
                },
                outputs="report",
                name="write_report",
                namespace="reporting",
            ),
            Node(
                write_model_card,
                inputs=["fusion_model", "metrics", "labelled.ingestion_report", "training_history"],
                outputs="model_card",
                name="write_model_card",
                namespace="reporting",
            ),
        ]
    )

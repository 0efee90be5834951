"""What a training run did and how well, on one page that can be sent to a colleague."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .explanations import explain_answers
from .nodes import write_model_card, write_report


def create_pipeline() -> Pipeline:
    """Some answers explained, the report, and the model's card."""
    return Pipeline(
        [
            Node(
                explain_answers,
                inputs=[
                    "fusion_model",
                    "labelled.examples",
                    "validation_predictions",
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
                    "class_balance": "labelled.class_balance",
                    "encodings": "labelled.encodings",
                    "text_lengths": "labelled.text_lengths",
                    "image_sizes": "labelled.image_sizes",
                    "learning_curves": "learning_curves",
                    "confusion_matrix": "confusion_matrix",
                    "per_class_f1": "per_class_f1",
                    "reliability": "reliability",
                    "confidence": "confidence",
                    "modality_contributions": "modality_contributions",
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

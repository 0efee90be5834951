"""Refuses to describe one model by the answers and numbers of another."""

from __future__ import annotations

import math

from multimodal_sentiment.types import Frame, Json, SentimentClassifier


def refuse_other_model(
    fusion_model: SentimentClassifier, metrics: Json, predictions: Frame | None = None
) -> None:
    """Refuse metrics and predictions of another model, as after another was promoted.

    Of a model without a version, and of metrics that name none, nobody can tell.

    Args:
        fusion_model: The model.
        metrics: How good it is.
        predictions: What the metrics judge: the model's answers for the validation posts.

    Raises:
        ValueError: If the metrics are of another version, or of other predictions.
    """
    judged = metrics.get("protocol", {}).get("model", {}).get("version")
    if judged and fusion_model.version and judged != fusion_model.version:
        raise ValueError(
            f"metrics and validation_predictions are of fusion_model {judged}, not of "
            f"{fusion_model.version}: report on that one with --load-versions=fusion_model:"
            f"{judged}, or name that model's folder with --params model_folder=FOLDER, or judge "
            "this one first with --pipeline=evaluation"
        )
    if predictions is None:
        return
    accuracy = float((predictions["tag"] == predictions["predicted"]).mean())
    # Predictions do not say whose they are.
    if len(predictions) != metrics["n"] or not math.isclose(accuracy, metrics["accuracy"]):
        raise ValueError(
            "validation_predictions are not those that metrics judge: read both in one version, "
            "with --load-versions=metrics:VERSION,validation_predictions:VERSION, or judge the "
            "model anew with --pipeline=evaluation"
        )

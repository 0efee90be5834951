"""Refuses to describe one model by the answers and numbers of another."""

from __future__ import annotations

from multimodal_sentiment.types import Json, SentimentClassifier


def refuse_other_model(fusion_model: SentimentClassifier, metrics: Json) -> None:
    """Refuse metrics of another model, as after another was promoted or fitted without evaluation.

    Of a model without a version, and of metrics that name none, nobody can tell.

    Raises:
        ValueError: If the metrics are of another version.
    """
    judged = metrics.get("protocol", {}).get("model", {}).get("version")
    if judged and fusion_model.version and judged != fusion_model.version:
        raise ValueError(
            f"metrics and validation_predictions are of fusion_model {judged}, not of "
            f"{fusion_model.version}: report on that one with --load-versions=fusion_model:"
            f"{judged}, or judge this one first with --pipeline=evaluation"
        )

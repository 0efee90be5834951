"""The model is compared with the one that answered before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from multimodal_sentiment.parameters import (
    ComparisonParameters,
    ComputeParameters,
    EvaluationParameters,
)
from multimodal_sentiment.types import Examples, Frame, Json, SentimentClassifier

if TYPE_CHECKING:
    import numpy as np


def judge_succession(
    predictions: Frame,
    fusion_model: SentimentClassifier,
    former_model: SentimentClassifier | None,
    examples: Examples,
    features: Examples,
    duplicate_groups: Frame,
    evaluation: EvaluationParameters,
    comparison: ComparisonParameters,
    compute: ComputeParameters,
) -> Json:
    """Compare the model with the former one on the validation posts that neither has learnt from.

    Args:
        predictions: The model's, of the validation posts.
        fusion_model: The model.
        former_model: The one that answers, promoted or else the newest, if there is one.
        examples: The posts.
        features: The features of the posts under the encoders that are frozen.
        duplicate_groups: `guid, group`.
        evaluation: The parameters of the judgement.
        comparison: The parameters that say which difference does not matter.
        compute: The device and precision.

    Returns:
        `former`, its version, and what `compare_with_former` returns,
    """
    from multimodal_sentiment.assessment import compare_with_former
    from multimodal_sentiment.batches import rows_of
    from multimodal_sentiment.posts.tag_values import spell_as_labels
    from multimodal_sentiment.predicting import predict_examples

    def refusal(reason: str) -> Json:
        former = former_model and former_model.version
        return {"former": former, "n": 0, "verdict": "not compared", "sentence": reason}

    if former_model is None:
        return refusal("There is no model before this one to compare it with.")
    if reason := _reason_against(former_model, fusion_model, examples):
        return refusal(reason)
    name = f"the model {former_model.version}"
    rows = rows_of(predictions["guid"], examples)
    new = _are_new_to(former_model, fusion_model, examples, rows)
    if new is None:
        return refusal(
            f"The new model cannot be compared with {name}, which does not say what it learnt from."
        )
    known = predictions[new]
    answers = predict_examples(former_model, examples, rows[new], compute, features)["predicted"]
    judged = compare_with_former(
        known["tag"],
        known["predicted"],
        spell_as_labels(answers, fusion_model.labels),
        duplicate_groups.set_index("guid")["group"].loc[known["guid"]],
        list(fusion_model.labels),
        name=name,
        margin=comparison.margin,
        **evaluation.drawing,
    )
    return {"former": former_model.version} | judged


def _reason_against(
    former: SentimentClassifier, model: SentimentClassifier, examples: Examples
) -> str | None:
    """Return why a model cannot be compared with another, if anything speaks against it."""
    from multimodal_sentiment.batches import prepared_otherwise
    from multimodal_sentiment.posts.tag_values import spell_as_labels

    if former.version == model.version or _was_trained_later(former, model):
        return (
            f"The model that answers, {former.version}, is no former one to compare this one, "
            f"{model.version}, with."
        )
    refused = f"The new model cannot be compared with the model {former.version}, which"
    if sorted(spell_as_labels(former.labels, model.labels)) != sorted(model.labels):
        return f"{refused} has other labels."
    if prepared_otherwise(former.config, examples):
        return f"{refused} was trained on pictures prepared otherwise."
    return None


def _was_trained_later(former: SentimentClassifier, model: SentimentClassifier) -> bool:
    """Return whether the model that answers is the later one, as versions that are times say.

    So it may be where a step judges an earlier version again.
    """
    from multimodal_sentiment.datasets.promotion import is_timestamp

    versions = [str(model.version), str(former.version)]
    return all(map(is_timestamp, versions)) and versions == sorted(versions)


def _are_new_to(
    former: SentimentClassifier, model: SentimentClassifier, examples: Examples, rows: np.ndarray
) -> np.ndarray | None:
    """Return which validation posts neither model has learnt from, nor from a twin of them.

    None if nobody can tell.
    """
    import numpy as np

    from multimodal_sentiment.posts.content_keys import content_keys

    if former.learnt_keys is None:
        same = former.config.training.get("posts_sha256") == model.config.training["posts_sha256"]
        return np.ones(len(rows), dtype=bool) if same else None
    columns = examples.select(["text", "image_hash"]).take(rows).to_pydict()
    keys = content_keys(columns["text"], columns["image_hash"])
    learnt = [known for known in (former.learnt_keys, model.learnt_keys) if known is not None]
    return ~np.asarray(np.isin(keys, np.concatenate(learnt)).any(axis=1))

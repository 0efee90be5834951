"""Posts to be predicted that carry tags after all: a test set, on which the model is judged."""

from __future__ import annotations

import logging

from multimodal_sentiment.parameters import EvaluationParameters, TwinsParameters
from multimodal_sentiment.types import Examples, Figure, Frame, Json, SentimentClassifier

logger = logging.getLogger(__name__)


def judge_test_posts(
    predictions: Frame,
    matched_model: SentimentClassifier,
    examples: Examples,
    evaluation: EvaluationParameters,
    twins: TwinsParameters,
) -> Json:
    """Measure how good the model is on the posts that carry a tag, and how sure that is.

    Tags that the model has never seen are counted and not judged: nothing can be right of them.

    Args:
        predictions: The predictions of all posts, with their `tag` where they have one.
        matched_model: The model that made them.
        examples: The posts, in the order of the predictions.
        evaluation: The parameters of the judgement.
        twins: Which posts count as one in the intervals.

    Returns:
        `posts`, `untagged` and `unknown_tags` (posts by tag); `n`, 0 if there is nothing to judge;
        else the scores as in `metrics`, `twins_in_training` (None if the model does not say what it
        has learnt from), `model` (its version) and `confidence_level`.
    """
    import numpy as np

    from multimodal_sentiment.assessment import judge_predictions, judge_without
    from multimodal_sentiment.posts.content_keys import content_keys
    from multimodal_sentiment.posts.near_duplicates import group_posts

    labels = list(matched_model.labels)
    tags = predictions["tag"]
    unknown = tags[(tags != "") & ~tags.isin(labels)].value_counts()
    known = tags.isin(labels).to_numpy()
    counts: Json = {
        "posts": len(predictions),
        "untagged": int((tags == "").sum()),
        "unknown_tags": {str(tag): int(count) for tag, count in unknown.items()},
        "model": matched_model.version,
        "n": 0,
    }
    if len(unknown):
        logger.warning(
            "Tags that the model has never seen are not judged: %s; it answers %s",
            ", ".join(f"{tag!r} of {count:,} posts" for tag, count in unknown.items()),
            ", ".join(labels),
        )
    if not known.any():
        return counts
    content = examples.select(["text", "image_hash"])
    groups = group_posts(content, twins.image_bits, twins.text_similarity)[known]
    judged = predictions[known]
    answers = (judged["tag"], judged["predicted"], groups, labels)
    metrics = counts | judge_predictions(*answers, **evaluation.drawing)
    metrics["confidence_level"] = evaluation.confidence_level
    metrics["twins_in_training"] = None
    if matched_model.learnt_keys is not None:
        texts, hashes = content["text"].to_pylist(), content["image_hash"].to_pylist()
        keys = content_keys(texts, hashes)
        learnt = np.asarray(np.isin(keys, matched_model.learnt_keys).any(axis=1))
        metrics["twins_in_training"] = judge_without(learnt[known], *answers, **evaluation.drawing)
    _log(metrics)
    return metrics


def plot_test_confusion(predictions: Frame, test_metrics: Json) -> Figure:
    """Draw which tags are taken for which, among the posts that carry one."""
    from multimodal_sentiment.assessment import confusion
    from multimodal_sentiment.reporting import kedro_viz

    labels = list(test_metrics.get("per_class", {}))
    judged = predictions[predictions["tag"].isin(labels)]
    return kedro_viz.confusion_matrix(confusion(judged["tag"], judged["predicted"], labels), labels)


def _log(metrics: Json) -> None:
    twins = metrics["twins_in_training"] or {"posts": 0, "without": None}
    logger.info(
        "%s of %s posts carry a tag%s",
        f"{metrics['n']:,}",
        f"{metrics['posts']:,}",
        f"; {twins['posts']:,} of them have a twin among the training posts"
        if twins["posts"]
        else "",
    )

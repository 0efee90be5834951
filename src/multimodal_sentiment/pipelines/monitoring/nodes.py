"""Nodes of the monitoring pipeline."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from multimodal_sentiment.parameters import MonitoringParameters
from multimodal_sentiment.types import Examples, Frame, Json, SentimentClassifier

if TYPE_CHECKING:
    from multimodal_sentiment.reporting import NewPost

logger = logging.getLogger(__name__)

_MOST_COMPARED = 5_000  # posts: of more, differences that do not matter would be found

_NO_SUMMARY = (
    "This model was trained before summaries of validation posts were kept, so there is nothing "
    "to compare the new posts with: train again."
)


def compare_new_posts(
    fusion_model: SentimentClassifier,
    examples: Examples,
    predictions: Frame,
    projections: Examples,
    monitoring: MonitoringParameters,
) -> Json:
    """Compare the new posts with the validation posts, which the model has not learnt from.

    Args:
        fusion_model: The model, with a summary of its validation posts.
        examples: The new posts.
        predictions: Their predictions, in the same order.
        projections: The projected features of the posts.
        monitoring: The p-value from which posts are called unlike, and how many are shown.

    Returns:
        What `compare_posts` does, and `model`, `posts`, `left_out` of the comparison,
        `predicted_tags` and `least_like`.

    Raises:
        ValueError: If the projections are of other posts than the predictions, or of another model.
    """
    from multimodal_sentiment.monitoring import (
        compare_posts,
        count_tags,
        distinct_posts,
        least_like,
        nothing_compared,
    )
    from multimodal_sentiment.predicting import observe_examples, read_projected

    posts: Json = {
        "model": fusion_model.version,
        "posts": len(examples),
        "predicted_tags": count_tags(predictions["predicted"], list(fusion_model.labels)),
    }
    validation = fusion_model.validation
    if validation is None or not len(examples):
        reason = _NO_SUMMARY if validation is None else "There are no new posts."
        logger.info(reason)
        return posts | nothing_compared(reason) | {"left_out": {}, "least_like": []}
    features = read_projected(projections, predictions["guid"].tolist(), fusion_model.version)
    keys = examples.select(["text", "image_hash"]).to_pandas()
    rows, left_out = distinct_posts(keys, fusion_model.learnt_keys, _MOST_COMPARED)
    compared = compare_posts(
        validation,
        observe_examples(examples, rows, predictions.iloc[rows]),
        {name: values[rows] for name, values in features.items()},
        monitoring.significance_level,
    )
    logger.log(logging.WARNING if compared["unlike"] else logging.INFO, compared["sentences"][0])
    unlike = least_like(validation, features, monitoring.shown_posts)
    guids = examples["guid"]
    return (
        posts
        | compared
        | {
            "left_out": left_out,
            "least_like": [{"guid": guids[it.row].as_py(), **it._asdict()} for it in unlike],
        }
    )


def write_inference_report(
    drift: Json, examples: Examples, predictions: Frame, ingestion_report: Json, test_metrics: Json
) -> str:
    """Write one HTML page: what the new posts are, beside the posts that the model was judged on.

    It holds all it shows, and can be sent as it is. Where new posts carry a tag, it says how many
    of these are answered rightly instead of that a comparison cannot tell.
    """
    from multimodal_sentiment.monitoring import NO_ACCURACY
    from multimodal_sentiment.reporting import write_inference_page

    tested = test_metrics if test_metrics["n"] else None
    compared = [it for it in drift["sentences"] if not tested or it != NO_ACCURACY]
    return write_inference_page(
        drift=drift | {"sentences": compared},
        test=tested,
        ingestion=ingestion_report,
        unlike=_new_posts(drift["least_like"], examples, predictions),
    )


def _new_posts(unlike: list[Json], examples: Examples, predictions: Frame) -> list[NewPost]:
    """Return the posts with their text and image."""
    import numpy as np

    from multimodal_sentiment.batches import StoredImages
    from multimodal_sentiment.posts.problems import describe_problems
    from multimodal_sentiment.reporting import NewPost, thumbnail

    rows = np.array([it["row"] for it in unlike], dtype=np.int64)
    texts = examples["text"].take(rows).to_pylist()
    answers = predictions.iloc[rows].to_dict("records")
    return [
        NewPost(
            guid=it["guid"],
            text=text,
            picture=thumbnail(picture),
            predicted=answer["predicted"],
            confidence=answer["confidence"],
            modality=it["modality"],
            times=it["times"],
            problems=describe_problems(answer["problems"]),
        )
        for it, text, picture, answer in zip(
            unlike, texts, StoredImages(examples, rows), answers, strict=True
        )
    ]

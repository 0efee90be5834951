"""Nodes of the reporting pipeline."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from multimodal_sentiment.types import (
    Examples,
    Explanation,
    Figure,
    Frame,
    Json,
    SentimentClassifier,
)

if TYPE_CHECKING:
    from multimodal_sentiment.reporting import Answer

logger = logging.getLogger(__name__)

_MOST_WRONG = 24  # that are shown, with their pictures


def write_report(
    fusion_model: SentimentClassifier,
    examples: Examples,
    train_posts: Frame,
    predictions: Frame,
    explanations: dict[str, Explanation],
    metrics: Json,
    ingestion_report: Json,
    training_history: Frame,
    class_balance: Figure,
    encodings: Figure,
    text_lengths: Figure,
    image_sizes: Figure,
    learning_curves: Figure,
    confusion_matrix: Figure,
    per_class_f1: Figure,
    reliability: Figure,
    confidence: Figure,
    modality_contributions: Figure,
) -> str:
    """One HTML page: numbers, what to distrust, figures, and answers with what decided them.

    It holds all it shows, pictures and scripts too, and can be sent as it is.
    """
    from multimodal_sentiment.reporting import describe_model, find_caveats, write_page

    results = [confusion_matrix, per_class_f1, reliability, confidence]
    if modality_contributions.data:  # a model of one modality has none
        results.append(modality_contributions)
    wrong = predictions[predictions["tag"] != predictions["predicted"]]
    explained = predictions.set_index("guid", drop=False).loc[list(explanations)]
    right = explained[explained["tag"] == explained["predicted"]]
    shown = wrong.sort_values(["confidence", "guid"], ascending=[False, True]).head(_MOST_WRONG)
    doubts = find_caveats(metrics, ingestion_report, epochs=_epochs(training_history))
    logger.info(
        "%s of %s answers wrong, %s shown; %s things to distrust%s",
        f"{len(wrong):,}",
        f"{len(predictions):,}",
        len(shown),
        len(doubts),
        f", first: {doubts[0].what.lower()}" if doubts else "",
    )
    return write_page(
        metrics=metrics,
        ingestion=ingestion_report,
        model=describe_model(fusion_model.config.to_dict(), fusion_model.num_parameters),
        split={
            name: {str(tag): int(count) for tag, count in posts["tag"].value_counts().items()}
            for name, posts in (("training", train_posts), ("validation", predictions))
        },
        figures={
            "results": results,
            "training": [learning_curves],
            "data": [class_balance, text_lengths, encodings, image_sizes],
        },
        wrong=_answers(shown, examples, explanations, list(fusion_model.labels)),
        right=_answers(right, examples, explanations, list(fusion_model.labels)),
        wrong_in_all=len(wrong),
        doubts=doubts,
    )


def write_model_card(
    fusion_model: SentimentClassifier,
    metrics: Json,
    ingestion_report: Json,
    training_history: Frame,
) -> str:
    """What the model is, how good it is and what to distrust, in Markdown as model hubs have it."""
    from multimodal_sentiment.reporting import find_caveats, model_card

    doubts = find_caveats(metrics, ingestion_report, epochs=_epochs(training_history))
    config = fusion_model.config.to_dict()
    return model_card(config, fusion_model.num_parameters, metrics, doubts)


def _epochs(training_history: Frame) -> int | None:
    """Return how many epochs were trained; None where heads were solved instead."""
    return int(training_history["epoch"].max()) if "epoch" in training_history else None


def _answers(
    shown: Frame, examples: Examples, explanations: dict[str, Explanation], labels: list[str]
) -> list[Answer]:
    """The posts with their text, their picture, and what decided."""
    from multimodal_sentiment.explaining import render
    from multimodal_sentiment.learning import rows_of
    from multimodal_sentiment.learning.dataset import StoredImages
    from multimodal_sentiment.posts.problems import describe_problems
    from multimodal_sentiment.reporting import Answer, thumbnail

    rows = rows_of(shown["guid"], examples)
    texts = examples["text"].take(rows).to_pylist()
    return [
        Answer(
            guid=post["guid"],
            text=text,
            picture=None if picture is None else thumbnail(picture),
            true=post["tag"],
            predicted=post["predicted"],
            probabilities={label: post[f"p_{label}"] for label in labels},
            problems=describe_problems(post["problems"]),
            explanation=render(explanations[post["guid"]]) if post["guid"] in explanations else "",
        )
        for post, text, picture in zip(
            shown.to_dict("records"), texts, StoredImages(examples, rows), strict=True
        )
    ]

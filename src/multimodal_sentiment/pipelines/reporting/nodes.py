"""Nodes of the reporting pipeline."""

from __future__ import annotations

import logging
import math
import time
from typing import TYPE_CHECKING

from multimodal_sentiment.parameters import (
    ComputeParameters,
    ExplainingParameters,
    ReportingParameters,
)
from multimodal_sentiment.types import Examples, Explanation, Frame, Json, SentimentClassifier
from multimodal_sentiment.wording import counted

if TYPE_CHECKING:
    from multimodal_sentiment.reporting import Answer, Caveat

logger = logging.getLogger(__name__)

_MOST_RIGHT = 8  # where none is explained


def explain_answers(
    fusion_model: SentimentClassifier,
    examples: Examples,
    predictions: Frame,
    metrics: Json,
    explaining: ExplainingParameters,
    compute: ComputeParameters,
) -> dict[str, Explanation]:
    """Explain the wrong answers that the model was surest of, and right ones of each kind.

    Args:
        fusion_model: The model.
        examples: The posts.
        predictions: The model's, of the validation posts.
        metrics: How good these are; they say of which model.
        explaining: The number of posts that are explained.
        compute: The device and precision.

    Returns:
        Explanations by guid: those of wrong answers first, the surest first.

    Raises:
        ValueError: If the metrics or the predictions are of another model.
    """
    from multimodal_sentiment.batches import StoredImages, rows_of
    from multimodal_sentiment.explaining import explain_post, ready_to_explain
    from multimodal_sentiment.posts.problems import describe_problems
    from multimodal_sentiment.progress import log_progress

    _refuse_other_model(fusion_model, metrics, predictions)
    began = time.monotonic()
    shown = choose_posts(predictions, explaining.posts)
    rows = rows_of(shown["guid"], examples)
    texts = examples["text"].take(rows).to_pylist()
    posts = zip(shown.to_dict("records"), texts, StoredImages(examples, rows), strict=True)
    with ready_to_explain(fusion_model, compute):
        explained = {
            post["guid"]: explain_post(
                fusion_model, text, image, compute, describe_problems(post["problems"]), post
            )
            for post, text, image in log_progress(posts, len(shown), "Explaining")
        }
    seconds = time.monotonic() - began
    logger.info("%s explained in %.1f s", counted(len(explained), "answer"), seconds)
    return explained


def write_report(
    fusion_model: SentimentClassifier,
    examples: Examples,
    train_posts: Frame,
    predictions: Frame,
    explanations: dict[str, Explanation],
    metrics: Json,
    ingestion_report: Json,
    training_history: Frame,
    raw: str,
    reporting: ReportingParameters,
    test_metrics: Json | None = None,
) -> str:
    """Write one HTML page: the verdict, numbers, what to distrust, figures, and posts.

    It holds all it shows, images too, and can be sent as it is. How good the model is on a test
    set is shown where the run has judged that, too.

    Raises:
        ValueError: If the metrics or the predictions are of another model.
    """
    import pyarrow.compute as pc

    from multimodal_sentiment.reporting import (
        describe_model,
        name_data,
        write_page,
    )

    _refuse_other_model(fusion_model, metrics, predictions)
    wrong, right = _choose_shown(predictions, explanations, reporting.shown_posts)
    doubts = _doubts(metrics, ingestion_report, training_history)
    logger.info(
        "%s of %s answers wrong, %s shown; %s things to distrust%s",
        f"{(predictions['tag'] != predictions['predicted']).sum():,}",
        f"{len(predictions):,}",
        len(wrong),
        len(doubts),
        f", first: {doubts[0].what.lower()}" if doubts else "",
    )
    posts = examples.select(["tag", "original_width", "original_height"]).to_pandas()
    posts["text_length"] = pc.utf8_length(examples["text"]).to_numpy()
    labels = list(fusion_model.labels)
    return write_page(
        data=name_data(raw, reporting.data_name),
        metrics=metrics,
        test=test_metrics if test_metrics and test_metrics["n"] else None,
        ingestion=ingestion_report,
        model=describe_model(fusion_model.config.to_dict(), fusion_model.num_parameters),
        split={
            name: {str(tag): int(count) for tag, count in posts["tag"].value_counts().items()}
            for name, posts in (("training", train_posts), ("validation", predictions))
        },
        predictions=predictions,
        posts=posts,
        history=training_history,
        wrong=_answers(wrong, examples, explanations, labels),
        right=_answers(right, examples, explanations, labels),
        doubts=doubts,
    )


def write_model_card(
    fusion_model: SentimentClassifier,
    metrics: Json,
    ingestion_report: Json,
    training_history: Frame,
) -> str:
    """Write what the model is, how good it is and what to distrust, in Markdown as hubs have it.

    Raises:
        ValueError: If the metrics are of another model.
    """
    from multimodal_sentiment.reporting import model_card

    _refuse_other_model(fusion_model, metrics)
    doubts = _doubts(metrics, ingestion_report, training_history)
    config = fusion_model.config.to_dict()
    return model_card(config, fusion_model.num_parameters, metrics, doubts)


def _refuse_other_model(
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


def choose_posts(predictions: Frame, most: int) -> Frame:
    """Return the predictions to explain, at most `most`, a quarter of them right ones.

    Wrong answers are those that the model was surest of. Right ones take turns: the surest of each
    label and of each modality that decided come first.
    """
    import pandas as pd

    surest = predictions.sort_values(["confidence", "guid"], ascending=[False, True])
    is_right = surest["tag"] == surest["predicted"]
    right, wrong = surest[is_right], surest[~is_right]
    kinds = [name for name in ("predicted", "decided_by") if name in surest]
    turns = right.groupby(kinds, sort=False).cumcount().sort_values(kind="stable")
    return pd.concat([wrong.head(most - most // 4), right.loc[turns.index].head(most // 4)])


def _doubts(metrics: Json, ingestion_report: Json, training_history: Frame) -> list[Caveat]:
    """Return what to distrust of the model and its numbers."""
    from multimodal_sentiment.posts.problems import unread_subjects
    from multimodal_sentiment.reporting import find_caveats

    # Where heads were solved, there are no epochs.
    epochs = int(training_history["epoch"].max()) if "epoch" in training_history else None
    unread = unread_subjects(metrics["protocol"]["model"].get("modality"))
    return find_caveats(metrics, ingestion_report, epochs=epochs, unread=unread)


def _choose_shown(
    predictions: Frame, explanations: dict[str, Explanation], most: int
) -> tuple[Frame, Frame]:
    """Return the wrong answers that are shown, the surest first, and the right ones.

    Args:
        predictions: The predictions of the validation posts.
        explanations: The explanations, by guid.
        most: How many are shown of each at most.
    """
    ordered = predictions.sort_values(["confidence", "guid"], ascending=[False, True])
    is_wrong = ordered["tag"] != ordered["predicted"]
    right = ordered[~is_wrong]
    explained = right[right["guid"].isin(list(explanations))]
    right = explained if len(explained) else _spread(right, _MOST_RIGHT)
    return ordered[is_wrong].head(most), right.head(most)


def _spread(ordered: Frame, most: int) -> Frame:
    """Return some rows, at equal steps from the first to the last."""
    import numpy as np

    places = np.linspace(0, len(ordered) - 1, min(most, len(ordered))).round().astype(int)
    return ordered.iloc[places]


def _answers(
    shown: Frame, examples: Examples, explanations: dict[str, Explanation], labels: list[str]
) -> list[Answer]:
    """Return the posts with their text, their image, and what decided."""
    from markupsafe import Markup

    from multimodal_sentiment.batches import StoredImages, rows_of
    from multimodal_sentiment.explaining import render
    from multimodal_sentiment.posts.problems import describe_problems
    from multimodal_sentiment.reporting import Answer, thumbnail

    rows = rows_of(shown["guid"], examples)
    texts = examples["text"].take(rows).to_pylist()
    return [
        Answer(
            guid=post["guid"],
            text=text,
            picture=thumbnail(picture),
            true=post["tag"],
            predicted=post["predicted"],
            probabilities={label: post[f"p_{label}"] for label in labels},
            problems=describe_problems(post["problems"]),
            explanation=Markup(render(explanations[post["guid"]], legend=False))  # noqa: S704 - it escapes texts
            if post["guid"] in explanations
            else "",
        )
        for post, text, picture in zip(
            shown.to_dict("records"), texts, StoredImages(examples, rows), strict=True
        )
    ]

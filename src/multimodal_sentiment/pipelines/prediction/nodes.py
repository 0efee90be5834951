"""Nodes of the prediction pipeline."""

from __future__ import annotations

import logging

from multimodal_sentiment.parameters import IN_THIS_PROCESS, ClusterParameters, ComputeParameters
from multimodal_sentiment.types import (
    AnsweredTables,
    Examples,
    ExampleStream,
    Figure,
    Frame,
    SentimentClassifier,
    Source,
)

logger = logging.getLogger(__name__)


def match_model(fusion_model: SentimentClassifier, examples: Examples) -> SentimentClassifier:
    """Return the model, if the posts' images were prepared as those that it learnt from.

    Raises:
        ValueError: If they were not: it would answer worse, and nothing would show it.
    """
    from multimodal_sentiment.batches import prepared_otherwise

    if unlike := prepared_otherwise(fusion_model.config, examples):
        wanted = ",".join(f"preparation.{name}={value}" for name, value in unlike.items())
        raise ValueError(
            f"these pictures were prepared otherwise than those that the model learnt from: run "
            f"the whole inference pipeline with --params {wanted}, or train anew"
        )
    return fusion_model


def predict_unlabelled(
    matched_model: SentimentClassifier,
    examples: Examples,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[Frame, ExampleStream]:
    """Predict each post: `guid, tag, predicted, confidence, p_<label>..., problems`.

    From a model of text and image also `decided_by, text_contribution, image_contribution`; see
    `predict_examples`. A post without text, image or both is answered from what is left of it.
    Tags that mean a label of the model are spelled as it is, so that answers can be judged by them.

    Returns:
        The predictions; and of each post what the encoders made of it, projected as the model's
        summary of its validation posts is: `guid`, and a column for each modality. There is no
        such column if the model has no summary.
    """
    import numpy as np

    from multimodal_sentiment.posts.tag_values import spell_as_labels
    from multimodal_sentiment.predicting import predict_and_project, tabulate_projected

    validation = matched_model.validation
    projections = {} if validation is None else validation.projections
    rows = np.arange(len(examples))
    predictions, projected = predict_and_project(
        matched_model, examples, rows, compute, projections, cluster=cluster
    )
    predictions["tag"] = spell_as_labels(predictions["tag"], matched_model.labels)
    counts = predictions["predicted"].value_counts()
    said = ", ".join(f"{label}: {count:,}" for label, count in counts.items())
    logger.info("%s posts predicted%s", f"{len(predictions):,}", f" ({said})" if said else "")
    table = tabulate_projected(examples["guid"], projected, matched_model.version)
    return predictions, table.to_reader()


def plot_predictions(predictions: Frame) -> Figure:
    """Draw how many posts were given each tag."""
    from multimodal_sentiment.reporting import kedro_viz

    return kedro_viz.class_balance(predictions["predicted"], "Predicted tags")


def write_submission(predictions: Frame, listing: Frame) -> tuple[Frame, Frame]:
    """Return the listing's guids, in its order, each with its predicted tag.

    Returns:
        The same frame, `guid, tag`, for the versioned file and for the one that is handed in.

    Raises:
        ValueError: If a listed guid has no prediction, or a prediction is no listed guid's.
    """
    listed = listing["guid"].drop_duplicates()
    answers = predictions.set_index("guid")["predicted"]
    unlike = set(listed) ^ set(answers.index)
    if unlike or not answers.index.is_unique:
        raise ValueError(
            f"the predictions do not answer the listing: {len(unlike)} guids stand in only one of "
            f"them, such as {min(unlike, default='')!r}: run the whole inference pipeline again"
        )
    submission = listed.to_frame().assign(tag=listed.map(answers)).reset_index(drop=True)
    return submission, submission


def add_answers(predictions: Frame, tables: Source) -> AnsweredTables:
    """Put the answers beside the posts, in the user's own table.

    Returns:
        What writes a copy of the table with the columns `predicted, confidence, p_<label>...` and
        `problems` in words; rows that were not to be predicted have none.
    """
    from multimodal_sentiment.datasets.answered_tables import AnsweredTables
    from multimodal_sentiment.posts.problems import describe_problems

    shares = [str(name) for name in predictions if str(name).startswith("p_")]
    answers = predictions.set_index("guid")[["predicted", "confidence", *shares, "problems"]]
    said = answers["problems"].map(describe_problems)
    return AnsweredTables(tables, answers.assign(problems=said))

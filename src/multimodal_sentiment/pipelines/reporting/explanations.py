"""Some answers are explained, word by word and region by region, for the report."""

from __future__ import annotations

import logging
import time

from multimodal_sentiment.parameters import ComputeParameters, ExplainingParameters
from multimodal_sentiment.types import Examples, Explanation, Frame, Json, SentimentClassifier
from multimodal_sentiment.wording import counted

from .judged import refuse_other_model

logger = logging.getLogger(__name__)


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

    refuse_other_model(fusion_model, metrics, predictions)
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

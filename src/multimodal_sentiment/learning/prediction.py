"""A trained model answers for posts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch.utils.data import DataLoader

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.pace import tell_pace
from multimodal_sentiment.parameters import ComputeParameters

from .data import PostDataset, StoredPictures
from .device import choose_device


def predict_examples(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    compute: ComputeParameters,
) -> pd.DataFrame:
    """What some rows of a table of examples are said to be, and how surely.

    Returns:
        The columns `guid, tag, predicted, confidence, p_<label>..., problems`, one row each.
    """
    posts = examples.select(["guid", "text", "tag", "problems"]).take(pa.array(rows)).to_pandas()
    dataset = PostDataset(
        classifier.config,
        classifier.tokenizer,
        posts["text"].tolist(),
        StoredPictures(examples, rows),
    )
    logits = predict_logits(classifier, dataset, compute)
    return pd.DataFrame(
        {
            "guid": posts["guid"],
            "tag": posts["tag"],
            **name_answers(classifier, logits),
            "problems": posts["problems"],
        }
    )


def name_answers(classifier: SentimentClassifier, logits: np.ndarray) -> dict[str, np.ndarray]:
    """The columns `predicted, confidence, p_<label>...` of the answers.

    Args:
        classifier: Knows the labels, and the temperature of its confidence.
        logits: Of shape (posts, labels).
    """
    probabilities = softmax(logits, classifier.config.calibration_temperature)
    labels = np.array(classifier.labels, dtype=object)
    return {
        "predicted": labels[probabilities.argmax(axis=1)],
        "confidence": probabilities.max(axis=1),
        **{f"p_{label}": probabilities[:, index] for index, label in enumerate(labels)},
    }


def predict_logits(
    classifier: SentimentClassifier, posts: PostDataset, compute: ComputeParameters
) -> np.ndarray:
    """The model's raw scores.

    Returns:
        Of shape (posts, labels), float32.
    """
    if not len(posts):
        return np.empty((0, len(classifier.labels)), dtype=np.float32)
    device = choose_device(compute)
    model = classifier.model.to(device.kind).eval()
    # Texts of like length share a batch, so that little of it is padding.
    order = np.argsort(posts.token_counts, kind="stable")
    loader = DataLoader(
        posts,
        batch_sampler=list(_chunks(order, compute.prediction_batch_size)),
        collate_fn=dict,
        num_workers=compute.workers,
        pin_memory=device.kind == "cuda",
    )
    scores = []
    with torch.inference_mode(), device.autocast():
        for batch in tell_pace(loader, len(loader), "Predicting", "batches"):
            inputs = {name: value.to(device.kind) for name, value in batch.items()}
            scores.append(model(**inputs).logits.float().cpu())
    logits = np.empty((len(posts), len(classifier.labels)), dtype=np.float32)
    logits[order] = torch.cat(scores).numpy()
    return logits


def _chunks(order: np.ndarray, size: int) -> Iterator[list[int]]:
    for start in range(0, len(order), size):
        yield order[start : start + size].tolist()

"""Predicts posts with a trained model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import nn
from torch.utils.data import DataLoader

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.batches import Batch, Features, PostDataset, StoredImages
from multimodal_sentiment.compute.device import Device, choose_device
from multimodal_sentiment.compute.folding import folded
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ComputeParameters
from multimodal_sentiment.posts.problems import felt_problems
from multimodal_sentiment.progress import log_progress

# To fold batch norms takes as long as a dozen posts gain by it.
_WORTH_FOLDING = 16


def posts_of(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    features: Features | None = None,
) -> PostDataset:
    """Return some rows of a table of examples as the classifier's model takes them.

    Args:
        classifier: The classifier.
        examples: The posts.
        rows: The rows of the posts to predict.
        features: The features of modalities that are encoded already, one row for each of `rows`.
    """
    texts: list[str] = examples["text"].take(pa.array(rows)).to_pylist()
    return PostDataset(classifier, texts, StoredImages(examples, rows), features=features)


def tabulate_predictions(
    classifier: SentimentClassifier, examples: pa.Table, rows: np.ndarray, logits: np.ndarray
) -> pd.DataFrame:
    """Return predictions beside the posts that they are for.

    Args:
        classifier: The classifier, which knows the labels.
        examples: The table that holds the posts.
        rows: The rows of the posts in it.
        logits: The logits, of shape (rows, labels).

    Returns:
        The columns `guid, tag, predicted, confidence, p_<label>..., logit_<label>..., problems`:
        those of what the classifier reads.
    """
    posts = examples.select(["guid", "tag", "problems"]).take(pa.array(rows)).to_pandas()
    labels = enumerate(classifier.labels)
    modality = classifier.config.modality
    return pd.DataFrame(
        {
            "guid": posts["guid"],
            "tag": posts["tag"],
            **label_predictions(classifier, logits),
            **{f"logit_{label}": logits[:, index] for index, label in labels},
            "problems": [felt_problems(each, modality) for each in posts["problems"]],
        }
    )


def label_predictions(classifier: SentimentClassifier, logits: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns `predicted, confidence, p_<label>...`.

    Args:
        classifier: The classifier, which knows the labels and the temperature.
        logits: The logits, of shape (posts, labels).
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
    """Return the logits of posts, float32 of shape (posts, labels)."""
    if not len(posts):
        return np.empty((0, len(classifier.labels)), dtype=np.float32)
    model = classifier.model
    return predict_batches(model, posts, compute, lambda batch: model(**batch).logits)


def predict_batches(
    model: nn.Module,
    posts: PostDataset,
    compute: ComputeParameters,
    predict: Callable[[Batch], torch.Tensor],
    doing: str = "Predicting",
) -> np.ndarray:
    """Return a model's results for posts, computed by batches, in the order of the posts.

    Texts of like length share a batch, so that little of it is padding.

    Args:
        model: The model; it is put on the device, in evaluation mode.
        posts: The posts, at least one.
        compute: The device and precision.
        predict: The function that gives a result of shape (batch, ...) for a batch on the device.
        doing: The name of the work, for the log.

    Returns:
        The results, float32 of shape (posts, ...).
    """
    device = choose_device(compute)
    order = np.argsort(posts.token_counts, kind="stable")
    size = compute.prediction_batch_size
    chunks = [order[start : start + size].tolist() for start in range(0, len(order), size)]
    loader = DataLoader(
        posts,
        batch_sampler=chunks,
        collate_fn=dict,
        num_workers=device.workers,
        pin_memory=device.kind == "cuda",
        generator=torch.Generator(),  # seeding workers leaves the global generator alone
    )
    results: list[torch.Tensor] = []
    with prediction_mode(model, device, len(posts) if posts.has_pixels else 0):
        for batch in log_progress(loader, len(loader), doing, "batches"):
            results.append(predict(device.to_device(batch)).float())
    # Fetched at the end: a GPU that is waited for after each batch has nothing to do meanwhile.
    fetched = torch.cat(results).cpu().numpy()
    ordered = np.empty_like(fetched)
    ordered[order] = fetched
    return ordered


@contextmanager
def prediction_mode(model: nn.Module, device: Device, to_encode: int) -> Iterator[None]:
    """Predict inside this context, in evaluation mode and without gradients.

    A context around many small predictions prepares the model once for all of them.

    Args:
        model: The model; it is put on the device.
        device: The device.
        to_encode: The number of images that will be encoded: for a few, making the encoder faster
            takes longer than it saves.
    """
    device.prepare_model(model).eval()
    fast = device.kind == "cpu" and to_encode >= _WORTH_FOLDING
    with (
        torch.inference_mode(),
        device.autocast(),
        folded(model) if fast else nullcontext(),
    ):
        yield

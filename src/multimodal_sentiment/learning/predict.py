"""A trained model answers for posts."""

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
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ComputeParameters
from multimodal_sentiment.progress import log_progress

from .dataset import Batch, FeatureDataset, PostDataset, StoredImages
from .device import Device, choose_device
from .operator_fusion import fused

# To prepare fused kernels takes as long as a dozen posts gain by them.
_WORTH_FUSING = 16


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
    logits = predict_logits(classifier, posts_of(classifier, examples, rows), compute)
    return describe_answers(classifier, examples, rows, logits)


def posts_of(classifier: SentimentClassifier, examples: pa.Table, rows: np.ndarray) -> PostDataset:
    """Some rows of a table of examples as the classifier's model takes them."""
    texts: list[str] = examples["text"].take(pa.array(rows)).to_pylist()
    return PostDataset(classifier.config, classifier.tokenizer, texts, StoredImages(examples, rows))


def describe_answers(
    classifier: SentimentClassifier, examples: pa.Table, rows: np.ndarray, logits: np.ndarray
) -> pd.DataFrame:
    """The frame of `predict_examples`, from the model's raw scores of shape (rows, labels)."""
    posts = examples.select(["guid", "tag", "problems"]).take(pa.array(rows)).to_pandas()
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
    classifier: SentimentClassifier,
    posts: PostDataset | FeatureDataset,
    compute: ComputeParameters,
) -> np.ndarray:
    """The model's raw scores.

    Returns:
        Of shape (posts, labels), float32.
    """
    if not len(posts):
        return np.empty((0, len(classifier.labels)), dtype=np.float32)
    model = classifier.model
    return predict_batches(model, posts, compute, lambda batch: model(**batch).logits)


def predict_batches(
    model: nn.Module,
    posts: PostDataset | FeatureDataset,
    compute: ComputeParameters,
    question: Callable[[Batch], torch.Tensor],
) -> np.ndarray:
    """What a model says of posts, in their order.

    Args:
        model: Answers as it predicts.
        posts: At least one.
        compute: What to run on.
        question: Asks the model about a batch; a row of its result is of one post.

    Returns:
        Of shape (posts, ...), float32.
    """
    device = choose_device(compute)
    order: list[int] = []
    answers: list[torch.Tensor] = []
    with predicting(model, device, len(posts)):
        for indices, batch in in_batches(posts, compute, device):
            order += indices
            answers.append(question(batch).float())
    # Fetched at the end: a GPU that is waited for after each batch has nothing to do meanwhile.
    fetched = torch.cat(answers).cpu().numpy()
    result = np.empty_like(fetched)
    result[order] = fetched
    return result


@contextmanager
def predicting(model: nn.Module, device: Device, posts: int) -> Iterator[None]:
    """Within it, a model on a device answers for so many posts; nothing is learnt."""
    device.prepare_model(model).eval()
    fast = device.kind == "cpu" and posts >= _WORTH_FUSING
    with (
        torch.inference_mode(),
        device.autocast(),
        fused(model, device.precision) if fast else nullcontext(),
    ):
        yield


def in_batches(
    posts: PostDataset | FeatureDataset, compute: ComputeParameters, device: Device
) -> Iterator[tuple[list[int], Batch]]:
    """The posts in batches on a device, each with the positions of its posts.

    Texts of like length share a batch, so that little of it is padding.
    """
    order = np.argsort(posts.token_counts, kind="stable")
    chunks = list(_chunks(order, compute.prediction_batch_size))
    loader = DataLoader(
        posts,
        batch_sampler=chunks,
        collate_fn=dict,
        num_workers=device.workers,
        pin_memory=device.kind == "cuda",
        generator=torch.Generator(),  # so that to predict changes nothing that is drawn later
    )
    told = log_progress(loader, len(loader), "Predicting", "batches")
    for indices, batch in zip(chunks, told, strict=True):
        yield indices, device.to_device(batch)


def _chunks(order: np.ndarray, size: int) -> Iterator[list[int]]:
    for start in range(0, len(order), size):
        yield order[start : start + size].tolist()

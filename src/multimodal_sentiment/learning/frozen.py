"""A frozen encoder's features are computed once; what is trained sees them in its place."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch

from multimodal_sentiment.model import SentimentClassifier, SentimentModel
from multimodal_sentiment.model.image import ComputedFeatures
from multimodal_sentiment.parameters import ComputeParameters

from .dataset import Features, PostDataset, digest
from .device import Device, choose_device
from .fingerprint import digest_of_code
from .posts import TrainingPosts
from .predict import in_batches, predicting

logger = logging.getLogger(__name__)


def compute_features(
    classifier: SentimentClassifier,
    frozen: list[str],
    posts: TrainingPosts,
    compute: ComputeParameters,
    folder: Path,
) -> Features:
    """The features of some posts under the encoders that are frozen.

    Pictures are seen as in prediction, without variation. Features that an interrupted training of
    the same posts, encoders and code has left are used again.

    Args:
        classifier: Its encoders are used as they are.
        frozen: The modalities whose encoder is frozen.
        posts: Which posts.
        compute: What to run on.
        folder: Where features are kept.
    """
    device = choose_device(compute)
    features = {}
    for name in frozen:
        began = time.monotonic()
        path = folder / f"features-{name}-{_fingerprint(classifier, name, posts, device)}.npy"
        known = path.exists()
        if not known:
            dataset = posts.as_dataset(classifier, only=name)
            _write_features(classifier.model, name, dataset, compute, device, path)
        features[name] = np.load(path, mmap_mode="r")
        words = "from the interrupted training" if known else f"{time.monotonic() - began:.1f} s"
        count, size = features[name].shape
        logger.info(
            "The %s encoder is frozen: %d features of %s posts, %s", name, size, f"{count:,}", words
        )
    return features


@contextmanager
def encoders_aside(model: SentimentModel, frozen: list[str]) -> Iterator[None]:
    """Within, the model takes features of frozen modalities; it and its checkpoints are small."""
    encoders = {name: model.branches[name].encoder for name in frozen}
    for name, encoder in encoders.items():
        model.branches[name].encoder = ComputedFeatures(encoder.output_size)
    try:
        yield
    finally:
        for name, encoder in encoders.items():
            model.branches[name].encoder = encoder


def _write_features(
    model: SentimentModel,
    name: str,
    dataset: PostDataset,
    compute: ComputeParameters,
    device: Device,
    path: Path,
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    encoder = model.branches[name].encoder
    shape = len(dataset), encoder.output_size
    values = np.lib.format.open_memmap(partial, mode="w+", dtype=np.float32, shape=shape)
    _reserve(partial)
    keys = ("input_ids", "attention_mask") if name == "text" else ("pixels",)
    with predicting(encoder, device, len(dataset)):
        for indices, batch in in_batches(dataset, compute, device):
            present = batch.get(f"has_{name}", torch.ones(len(indices), dtype=torch.bool))
            rows = np.full((len(indices), encoder.output_size), np.nan, dtype=np.float32)
            if present.any():
                inputs = [batch[key][present] for key in keys]
                rows[present.numpy()] = encoder(*inputs).float().cpu().numpy()
            values[indices] = rows
    values.flush()
    encoder.to("cpu")
    partial.rename(path)


def _reserve(file: Path) -> None:
    """Take the space that a file only claims: a disk that is full can still say so now.

    Later, when the mapped file is written to, the process would die of a bus error.
    """
    if not hasattr(os, "posix_fallocate"):
        return
    with file.open("rb+") as opened:
        try:
            os.posix_fallocate(opened.fileno(), 0, file.stat().st_size)
        except OSError as error:
            file.unlink()
            raise OSError(error.errno, error.strerror, str(file)) from error


def _fingerprint(
    classifier: SentimentClassifier, name: str, posts: TrainingPosts, device: Device
) -> str:
    """Equal for equal posts, encoders, code, and ways to read the ones for the others."""
    config, tokenizer = classifier.config, classifier.tokenizer
    seen = posts.examples.select(["guid", "text", "image_hash", "height", "width"])
    vocabulary = sorted(tokenizer.get_vocab().items()) if tokenizer is not None else []
    weights = hashlib.sha256()
    for key, value in classifier.model.branches[name].encoder.state_dict().items():
        weights.update(key.encode())
        weights.update(value.cpu().contiguous().reshape(-1).view(torch.uint8).numpy())
    content = [
        seen.take(pa.array(posts.rows)).to_pydict(),
        [vocabulary, config.max_tokens, config.pooling, config.image_config],
        [weights.hexdigest(), str(device), digest_of_code()],
    ]
    return digest(json.dumps(part, sort_keys=True) for part in content)[:16]

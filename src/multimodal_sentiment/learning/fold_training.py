"""The trainings of a comparison or a search, in this process or by the workers of a cluster."""

from __future__ import annotations

import gc
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.cluster import MappedTable
from multimodal_sentiment.compute.memory import fills_device
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.files import replace_whole
from multimodal_sentiment.parameters import (
    ComputeParameters,
    ModelParameters,
    TrainingParameters,
)
from multimodal_sentiment.predicting import predict_logits
from multimodal_sentiment.predicting.feature_table import take_features
from multimodal_sentiment.wording import first_line

from . import fit
from .fit import fit_classifier
from .gradient_descent import optimize, train, trainer
from .linear_heads import solve

CHECKPOINTS = "checkpoints"  # the folder of what unfinished trainings go on from, by fingerprint

_SILENCE = 60.0  # seconds between two lines of a training within a comparison
# The modules that say much of a single training.
_WORDY = (fit, optimize, train, trainer, solve)


@dataclass(frozen=True)
class FoldTraining:
    """One training of a comparison or a search: on the posts outside of one fold, judged on it.

    Attributes:
        variant: The name of the variant.
        seed: The number of this training among the variant's on the same posts, from 0.
        fold: The number of the fold it is judged on; it learns from all others.
        folds: The number of folds; None where the saved validation posts are judged.
        model: The architecture.
        parameters: How it is trained, with its own random seed.
    """

    variant: str
    seed: int
    fold: int
    folds: int | None
    model: ModelParameters
    parameters: TrainingParameters

    def __str__(self) -> str:
        fold = f", fold {self.fold + 1} of {self.folds}" if self.folds else ""
        return f"{self.variant}, seed {self.seed + 1}{fold}"


@dataclass(frozen=True)
class SharedInputs:
    """What the trainings of a comparison or a search have in common.

    Attributes:
        posts: All posts that are learnt from or judged.
        folds: The fold of each post; -1 for one that is only learnt from.
        compute: The device and precision.
        encoders: The store of pretrained encoders.
        features: The features of frozen encoders, from `encode_examples`.
    """

    posts: LabelledPosts
    folds: np.ndarray
    compute: ComputeParameters
    encoders: EncoderStore
    features: MappedTable


def train_and_predict(shared: SharedInputs, task: tuple[FoldTraining, Path]) -> None:
    """Train a model, predict the fold that it is judged on, and keep that in a file.

    Args:
        shared: What it has in common with others.
        task: The training, and the file.

    Raises:
        ValueError: If it cannot be trained, as where the device has too little memory for it.
    """
    training, path = task
    try:
        _train_and_keep(shared, training, path)
    except RuntimeError as error:
        if not fills_device(error):
            raise
        reason = first_line(error)
    else:
        return
    # Only now is the error gone, which held on to all that the training had on the device.
    gc.collect()
    torch.cuda.empty_cache()
    raise ValueError(f"{training}: {reason}")


def _train_and_keep(shared: SharedInputs, training: FoldTraining, path: Path) -> None:
    posts, folds = shared.posts, shared.folds
    began = time.monotonic()
    checkpoints = path.parent / CHECKPOINTS / path.stem
    with _fewer_log_lines():
        classifier, history = fit_classifier(
            posts.take(folds != training.fold),
            {},
            training.model,
            training.parameters.model_copy(update={"resume": checkpoints.exists()}),
            shared.compute,
            checkpoints,
            shared.encoders,
            shared.features.table,
        )
    judged = posts.take(folds == training.fold)
    columns = classifier.config.training["features"]
    known = take_features(shared.features.table, judged.examples, judged.rows, columns)
    logits = predict_logits(classifier, judged.as_dataset(classifier, known), shared.compute)
    labels = list(classifier.labels)
    temperature = classifier.config.calibration_temperature
    with replace_whole(path) as partial, partial.open("wb") as file:
        np.savez(
            file,
            allow_pickle=False,
            labels=np.array(labels),
            probabilities=softmax(logits, temperature),
            history=np.array(history.to_json(orient="records")),
            seconds=np.array(time.monotonic() - began),
        )
    shutil.rmtree(checkpoints, ignore_errors=True)


@contextmanager
def _fewer_log_lines() -> Iterator[None]:
    """Limit the log lines of a training to one a minute: here it is one of many."""
    spoke = time.monotonic()

    def seldom(record: logging.LogRecord) -> bool:
        nonlocal spoke
        if record.levelno > logging.INFO or time.monotonic() - spoke > _SILENCE:
            spoke = time.monotonic()
            return True
        return False

    for module in _WORDY:
        module.logger.addFilter(seldom)
    try:
        yield
    finally:
        for module in _WORDY:
            module.logger.removeFilter(seldom)

"""The trainings of a comparison or a search, in this process or by the workers of a cluster."""

from __future__ import annotations

import logging
import shutil
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pyarrow as pa

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.cluster import (
    ClusterParameters,
    Shared,
    map_parts,
    open_cluster,
    share,
)
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.files import replace_whole
from multimodal_sentiment.parameters import ComputeParameters, ModelParameters, TrainingParameters

from .fit import fit_classifier
from .frozen import take_features
from .labelled_posts import LabelledPosts
from .predict import predict_logits
from .stored_posts import read_table, write_table

_EXAMPLES, _FEATURES = "examples.arrow", "features.arrow"
_SILENCE = 60.0  # seconds between two lines of a training within a comparison
# The modules that say much of a single training.
_WORDY = ("fit", "gradient", "optimize", "solve", "trainer")


@dataclass(frozen=True)
class Trial:
    """One training of a comparison.

    Attributes:
        variant: The name of the variant.
        seed: The number of this training among the variant's on the same posts, from 0.
        fold: The number of the fold it is judged on; it learns from all others.
        folds: The number of folds; None where the saved validation posts are judged.
        model: The architecture.
        training: The training parameters, with its own random seed.
    """

    variant: str
    seed: int
    fold: int
    folds: int | None
    model: ModelParameters
    training: TrainingParameters

    def __str__(self) -> str:
        fold = f", fold {self.fold + 1} of {self.folds}" if self.folds else ""
        return f"{self.variant}, seed {self.seed + 1}{fold}"


@dataclass(frozen=True)
class TrialData:
    """What the trials of a comparison or a search have in common.

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
    features: pa.Table


def train_trial(data: TrialData, trial: Trial, path: Path) -> None:
    """Train a trial's model, predict its fold with it, and keep that in a file."""
    posts, folds = data.posts, data.folds
    began = time.monotonic()
    checkpoints = path.parent / "checkpoints" / path.stem
    with _fewer_log_lines():
        classifier, history = fit_classifier(
            posts.take(folds != trial.fold),
            {},
            trial.model,
            trial.training.model_copy(update={"resume": checkpoints.exists()}),
            data.compute,
            checkpoints,
            data.encoders,
            data.features,
        )
    judged = posts.take(folds == trial.fold)
    columns = classifier.config.training["features"]
    known = take_features(data.features, judged.examples, judged.rows, columns)
    logits = predict_logits(classifier, judged.as_dataset(classifier, known), data.compute)
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


def train_apart(
    data: TrialData, tasks: Sequence[tuple[Trial, Path]], cluster: ClusterParameters
) -> Generator[None, None, None]:
    """Do `train_trial` for several trials at once, by workers; yield as each is done, in order.

    The tables are written beside the files, from where the workers map them into memory.
    """
    posts = data.posts
    with open_cluster(cluster), TemporaryDirectory(dir=tasks[0][1].parent) as folder:
        write_table(posts.examples, Path(folder) / _EXAMPLES)
        write_table(data.features, Path(folder) / _FEATURES)
        stored = _Stored(
            Path(folder),
            posts.rows,
            posts.tags,
            posts.groups,
            data.folds,
            data.compute,
            data.encoders,
        )
        shared = share(stored, cluster)
        yield from map_parts(partial(_train_stored, shared), tasks, cluster, "Training")


@dataclass(frozen=True)
class _Stored:
    """`TrialData` whose tables are files in a folder."""

    folder: Path
    rows: np.ndarray
    tags: np.ndarray
    groups: np.ndarray
    folds: np.ndarray
    compute: ComputeParameters
    encoders: EncoderStore

    def open(self) -> TrialData:
        examples = read_table(self.folder / _EXAMPLES)
        posts = LabelledPosts(examples, self.rows, self.tags, self.groups)
        features = read_table(self.folder / _FEATURES)
        return TrialData(posts, self.folds, self.compute, self.encoders, features)


def _train_stored(stored: Shared[_Stored], task: tuple[Trial, Path]) -> None:
    train_trial(stored.get().open(), *task)


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

    loggers = [logging.getLogger(f"{__package__}.{name}") for name in _WORDY]
    for spoken in loggers:
        spoken.addFilter(seldom)
    try:
        yield
    finally:
        for spoken in loggers:
            spoken.removeFilter(seldom)

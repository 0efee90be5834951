"""Many trainings for one comparison, each kept as soon as it is done."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.parameters import ComputeParameters, ModelParameters, TrainingParameters
from multimodal_sentiment.posts.split import grouped_split

from .fingerprint import fingerprint_trial, surroundings_of
from .fit import FEATURES, fit_classifier
from .posts import TrainingPosts
from .predict import predict_examples

logger = logging.getLogger(__name__)

_SILENCE = 60.0  # seconds between two lines of a training within a comparison


@dataclass(frozen=True)
class Trial:
    """One training of a comparison.

    Attributes:
        variant: Whose it is.
        seed: Which of the variant's trainings on the same posts, from 0.
        fold: The posts it is judged on; it learns from all others.
        folds: How many there are; None where the saved validation posts are judged.
        model: The architecture.
        training: How it is fitted, its own random seed included.
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


def run_trials(
    trials: Sequence[Trial],
    posts: TrainingPosts,
    folds: np.ndarray,
    compute: ComputeParameters,
    folder: Path,
    encoders: EncoderStore,
) -> pd.DataFrame:
    """Train each trial, unless it is there already, and have it answer for its fold.

    Args:
        trials: In the order in which they are trained.
        posts: All that are learnt from or judged.
        folds: The fold of each post; -1 for one that is only learnt from.
        compute: What to run on.
        folder: Where finished trials are kept, under a fingerprint of their posts, parameters and
            code: an interrupted comparison goes on from there, and what differs is trained anew.
        encoders: Where pretrained encoders are found.

    Returns:
        The columns `variant, seed, fold, guid, tag, predicted, p_<label>...`; one row for each
        trial and post of its fold.

    Raises:
        ValueError: If the posts outside a fold are too few to learn from and tune by.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _check_folds(trials, posts, folds)
    surroundings = surroundings_of(posts, compute)
    models = {trial.variant: trial.model for trial in trials}
    origins = {variant: _identify(model, encoders) for variant, model in models.items()}
    names = [
        fingerprint_trial(surroundings, folds == m.fold, m.model, m.training, origins[m.variant])
        for m in trials
    ]
    paths = [folder / f"{name}.npz" for name in names]
    checkpoints = folder / surroundings
    there = sum(path.exists() for path in paths)
    logger.info(
        "%d trainings to compare%s", len(trials), f", {there} of them done before" if there else ""
    )
    seconds: dict[str, list[float]] = {}
    answers = []
    for number, (trial, path) in enumerate(zip(trials, paths, strict=True), start=1):
        known = path.exists()
        if not known:
            _train(trial, posts, folds, compute, path, checkpoints, encoders)
        answer, took = _read(trial, path, posts, folds)
        seconds.setdefault(trial.variant, []).append(took)
        answers.append(answer)
        rest = [m.variant for m, p in zip(trials, paths, strict=True) if not p.exists()]
        if not known:
            logger.info(
                "%d of %d: %s: accuracy %.3f; %s",
                number,
                len(trials),
                trial,
                (answer["predicted"] == answer["tag"]).mean(),
                f"about {_minutes(_left(rest, seconds))} left" if rest else "all done",
            )
    return pd.concat(answers, ignore_index=True)


def _check_folds(trials: Sequence[Trial], posts: TrainingPosts, folds: np.ndarray) -> None:
    """Find out before the first training whether each has posts enough to tune by.

    Raises:
        ValueError: If one has not.
    """
    for trial in {
        (t.fold, t.training.tuning_fraction, t.training.seed): t for t in trials
    }.values():
        learnt, training = folds != trial.fold, trial.training
        try:
            grouped_split(
                posts.tags[learnt], posts.groups[learnt], training.tuning_fraction, training.seed
            )
        except ValueError as error:
            where = f"outside of fold {trial.fold + 1}" if trial.folds else "for training"
            raise ValueError(f"the posts {where}: {error}") from error


def _identify(model: ModelParameters, encoders: EncoderStore) -> dict[str, Any]:
    return {
        modality: find_encoder(encoders, modality, name).identify()
        for modality, name in model.encoders.items()
    }


def _train(
    trial: Trial,
    posts: TrainingPosts,
    folds: np.ndarray,
    compute: ComputeParameters,
    path: Path,
    checkpoints: Path,
    encoders: EncoderStore,
) -> None:
    began = time.monotonic()
    halfway = any(checkpoints.glob("*/checkpoint-*/trainer_state.json"))
    with _sparing_of_words():
        classifier, _ = fit_classifier(
            posts.take(folds != trial.fold),
            {},
            trial.model,
            trial.training.model_copy(update={"resume": halfway}),
            compute,
            checkpoints,
            encoders,
        )
    judged = posts.take(folds == trial.fold)
    answers = predict_examples(classifier, judged.examples, judged.rows, compute)
    labels = list(classifier.labels)
    _keep(
        path,
        labels=np.array(labels),
        probabilities=answers[[f"p_{label}" for label in labels]].to_numpy(),
        seconds=np.array(time.monotonic() - began),
    )
    # Features of frozen encoders stay: all that learn from the same posts share them.
    for used in checkpoints.glob("*"):
        if used.name != FEATURES:
            shutil.rmtree(used, ignore_errors=True)


def _keep(path: Path, **arrays: np.ndarray) -> None:
    """Write a trial whole or not at all."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _read(
    trial: Trial, path: Path, posts: TrainingPosts, folds: np.ndarray
) -> tuple[pd.DataFrame, float]:
    with np.load(path, allow_pickle=False) as kept:
        labels, probabilities = kept["labels"].astype(object), kept["probabilities"]
        seconds = float(kept["seconds"])
    judged = posts.take(folds == trial.fold)
    return pd.DataFrame(
        {
            "variant": trial.variant,
            "seed": trial.seed,
            "fold": trial.fold,
            "guid": judged.guids,
            "tag": judged.tags,
            "predicted": labels[probabilities.argmax(axis=1)],
            **{f"p_{label}": probabilities[:, index] for index, label in enumerate(labels)},
        }
    ), seconds


def _left(variants: list[str], seconds: dict[str, list[float]]) -> float:
    """Seconds that the trainings still to come will take, by those of their variant so far.

    A variant of which nothing is known yet is taken for the slowest: the first ones read less.
    """
    means = {name: float(np.mean(times)) for name, times in seconds.items()}
    return sum(means.get(name, max(means.values())) for name in variants)


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{rest} s"


@contextmanager
def _sparing_of_words() -> Iterator[None]:
    """Let a training say only what it has to say once a minute: here it is one of many."""
    spoke = time.monotonic()

    def seldom(record: logging.LogRecord) -> bool:
        nonlocal spoke
        if record.levelno > logging.INFO or time.monotonic() - spoke > _SILENCE:
            spoke = time.monotonic()
            return True
        return False

    loggers = [logging.getLogger(f"{__package__}.{name}") for name in ("fit", "trainer")]
    for spoken in loggers:
        spoken.addFilter(seldom)
    try:
        yield
    finally:
        for spoken in loggers:
            spoken.removeFilter(seldom)

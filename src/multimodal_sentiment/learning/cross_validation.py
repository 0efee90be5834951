"""Many trainings for one comparison, each kept as soon as it is done."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.files import replace_whole
from multimodal_sentiment.parameters import ComputeParameters, ModelParameters, TrainingParameters
from multimodal_sentiment.posts.split import grouped_split

from .device import choose_device
from .fingerprint import digest, digest_code, digest_posts, fingerprint_training
from .fit import fit_classifier
from .frozen import content_digests, take_features
from .labelled_posts import LabelledPosts
from .predict import predict_logits

logger = logging.getLogger(__name__)

_SILENCE = 60.0  # seconds between two lines of a training within a comparison
# The modules that say much of a single training.
_WORDY = ("checkpoints", "fit", "gradient", "solve", "trainer")


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


def run_trials(
    trials: Sequence[Trial],
    posts: LabelledPosts,
    folds: np.ndarray,
    compute: ComputeParameters,
    folder: Path,
    encoders: EncoderStore,
    features: pa.Table,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train each trial's model, unless that is done already, and predict its fold with it.

    Args:
        trials: The trials, in the order in which they are trained.
        posts: All posts that are learnt from or judged.
        folds: The fold of each post; -1 for one that is only learnt from.
        compute: The device and precision.
        folder: The folder of finished trials, named by fingerprint: an interrupted comparison
            goes on from there, and a trial that differs in anything is trained again.
        encoders: The store of pretrained encoders.
        features: The features of frozen encoders, from `encode_examples`.

    Returns:
        The columns `variant, seed, fold, guid, tag, predicted, p_<label>...`, one row for each
        trial and post of its fold; and the histories of the trainings, with the columns `variant,
        seed, fold` before those of `fit_classifier`.

    Raises:
        ValueError: If the posts outside a fold are too few to learn from and tune by.
    """
    kept = KeptTrials(posts, folds, compute, folder, encoders, features)
    kept.check(trials)
    there = sum(kept.holds(trial) for trial in trials)
    logger.info(
        "%d trainings to compare%s", len(trials), f", {there} of them done before" if there else ""
    )
    seconds: dict[str, list[float]] = {}
    answers, histories = [], []
    for number, trial in enumerate(trials, start=1):
        known = kept.holds(trial)
        answer, history, took = kept.run(trial)
        seconds.setdefault(trial.variant, []).append(took)
        answers.append(answer)
        histories.append(history)
        rest = [other.variant for other in trials if not kept.holds(other)]
        if not known:
            logger.info(
                "%d of %d: %s: accuracy %.3f; %s",
                number,
                len(trials),
                trial,
                (answer["predicted"] == answer["tag"]).mean(),
                f"about {_minutes(_seconds_left(rest, seconds))} left" if rest else "all done",
            )
    return pd.concat(answers, ignore_index=True), pd.concat(histories, ignore_index=True)


class KeptTrials:
    """Trials on the folds of some posts, each trained once and kept under its fingerprint.

    The arguments are those of `run_trials`.
    """

    def __init__(
        self,
        posts: LabelledPosts,
        folds: np.ndarray,
        compute: ComputeParameters,
        folder: Path,
        encoders: EncoderStore,
        features: pa.Table,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._posts, self._folds, self._folder = posts, folds, folder
        self._compute, self._encoders, self._features = compute, encoders, features
        self._content = digest_posts(posts, *content_digests(features, posts.examples, posts.rows))
        self._device = choose_device(compute)
        self._origins: dict[tuple[str, str], dict[str, Any]] = {}

    def check(self, trials: Sequence[Trial]) -> None:
        """Check before the first training that each trial has enough posts to tune by.

        Raises:
            ValueError: If one has too few.
        """
        posts = self._posts
        for trial in {
            (t.fold, t.training.tuning_fraction, t.training.seed): t for t in trials
        }.values():
            learnt, training = self._folds != trial.fold, trial.training
            try:
                grouped_split(
                    posts.tags[learnt],
                    posts.groups[learnt],
                    training.tuning_fraction,
                    training.seed,
                )
            except ValueError as error:
                where = f"outside of fold {trial.fold + 1}" if trial.folds else "for training"
                raise ValueError(f"the posts {where}: {error}") from error

    def fingerprint(self, models: Iterable[ModelParameters]) -> str:
        """Return the hash of posts, folds, code and device, and of the encoders of some models."""
        named = {item for model in models for item in model.encoders.items()}
        encoders = [self._identify(modality, name) for modality, name in sorted(named)]
        return digest(
            [
                self._content,
                json.dumps(self._folds.tolist()),
                json.dumps(encoders, sort_keys=True),
                digest_code(),
                str(self._device),
            ]
        )[:20]

    def holds(self, trial: Trial) -> bool:
        """Return whether a trial is done."""
        return self._path(trial).exists()

    def run(self, trial: Trial) -> tuple[pd.DataFrame, pd.DataFrame, float]:
        """Train a trial's model, unless that is done already, and predict its fold with it.

        Returns:
            The rows of `run_trials`, the training's history, and the seconds that it took.
        """
        path = self._path(trial)
        if not path.exists():
            _train(
                trial,
                self._posts,
                self._folds,
                self._compute,
                path,
                self._encoders,
                self._features,
            )
        return _read(trial, path, self._posts, self._folds)

    def _path(self, trial: Trial) -> Path:
        """Return where a trial's predictions are kept, named by its fingerprint."""
        name = fingerprint_training(
            self._content,
            self._folds != trial.fold,
            trial.model,
            trial.training,
            {m: self._identify(m, name) for m, name in trial.model.encoders.items()},
            self._device,
        )
        return self._folder / f"{name}.npz"

    def _identify(self, modality: str, name: str) -> dict[str, Any]:
        """Return the identity of an encoder, whose files are looked at once."""
        if (modality, name) not in self._origins:
            encoder = find_encoder(self._encoders, modality, name)
            self._origins[modality, name] = encoder.identify()
        return self._origins[modality, name]


def _train(
    trial: Trial,
    posts: LabelledPosts,
    folds: np.ndarray,
    compute: ComputeParameters,
    path: Path,
    encoders: EncoderStore,
    features: pa.Table,
) -> None:
    began = time.monotonic()
    checkpoints = path.parent / "checkpoints"
    with _fewer_log_lines():
        classifier, history = fit_classifier(
            posts.take(folds != trial.fold),
            {},
            trial.model,
            trial.training.model_copy(update={"resume": checkpoints.exists()}),
            compute,
            checkpoints,
            encoders,
            features,
        )
    judged = posts.take(folds == trial.fold)
    columns = classifier.config.training["features"]
    known = take_features(features, judged.examples, judged.rows, columns)
    logits = predict_logits(classifier, judged.as_dataset(classifier, known), compute)
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


def _read(
    trial: Trial, path: Path, posts: LabelledPosts, folds: np.ndarray
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Return a finished trial's answers, its training's history, and the seconds that it took."""
    with np.load(path, allow_pickle=False) as kept:
        labels, probabilities = kept["labels"].astype(object), kept["probabilities"]
        seconds, epochs = float(kept["seconds"]), json.loads(str(kept["history"]))
    judged = posts.take(folds == trial.fold)
    names = {"variant": trial.variant, "seed": trial.seed, "fold": trial.fold}
    answers = pd.DataFrame(
        {
            **names,
            "guid": judged.guids,
            "tag": judged.tags,
            "predicted": labels[probabilities.argmax(axis=1)],
            **{f"p_{label}": probabilities[:, index] for index, label in enumerate(labels)},
        }
    )
    return answers, pd.DataFrame([{**names, **epoch} for epoch in epochs]), seconds


def _seconds_left(variants: list[str], seconds: dict[str, list[float]]) -> float:
    """Estimate the seconds that the remaining trainings will take, from those so far by variant.

    A variant that has not been trained yet counts as the slowest one: the first ones read less.
    """
    means = {name: float(np.mean(times)) for name, times in seconds.items()}
    return sum(means.get(name, max(means.values())) for name in variants)


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min" if minutes else f"{rest} s"


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

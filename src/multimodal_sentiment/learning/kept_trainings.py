"""Many trainings for one comparison, each kept as soon as it is done."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.cluster import MappedTable, map_parts
from multimodal_sentiment.compute.device import choose_worker_device
from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.files import mark_used, remove
from multimodal_sentiment.fingerprint import (
    digest,
    digest_code,
    digest_posts,
    fingerprint_training,
    identify_anywhere,
)
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComputeParameters,
    ModelParameters,
)
from multimodal_sentiment.posts.split import check_enough_groups
from multimodal_sentiment.predicting.feature_table import computed_on, content_digests
from multimodal_sentiment.wording import duration

from .fold_training import CHECKPOINTS, FoldTraining, SharedInputs, train_and_predict

logger = logging.getLogger(__name__)

Trained = tuple[pd.DataFrame, pd.DataFrame, float]  # predictions, history, seconds


def run_trainings(
    trainings: Sequence[FoldTraining], kept: KeptTrainings
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Train each model, unless that is done already, and predict its fold with it.

    Args:
        trainings: The trainings, in the order in which they are done.
        kept: The posts and their folds, and the trainings that are done.

    Returns:
        The columns `variant, seed, fold, guid, tag, predicted, p_<label>...`, one row for each
        training and post of its fold; and the trainings' histories, with the columns `variant,
        seed, fold` before those of `fit_classifier`.

    Raises:
        ValueError: If the posts outside a fold are too few to learn from and tune by.
    """
    kept.check(trainings)
    paths = [kept.path_of(training) for training in trainings]
    done = [path.exists() for path in paths]
    there = sum(done)
    logger.info(
        "%d trainings to compare%s",
        len(trainings),
        f", {there} of them done before" if there else "",
    )
    seconds: dict[str, list[float]] = {}
    answers, histories = [], []
    outcomes = zip(trainings, done, kept.run_all(trainings), strict=True)
    for number, (training, known, (answer, history, took)) in enumerate(outcomes, start=1):
        seconds.setdefault(training.variant, []).append(took)
        answers.append(answer)
        histories.append(history)
        if not known:
            rest = [
                other.variant
                for other, path in zip(trainings, paths, strict=True)
                if not path.exists()
            ]
            logger.info(
                "%d of %d: %s: accuracy %.3f; %s",
                number,
                len(trainings),
                training,
                (answer["predicted"] == answer["tag"]).mean(),
                f"about {duration(_seconds_left(rest, seconds) / kept.at_once)} left"
                if rest
                else "all done",
            )
    return pd.concat(answers, ignore_index=True), pd.concat(histories, ignore_index=True)


class KeptTrainings:
    """Trainings on the folds of some posts, each done once and kept under its fingerprint.

    Args:
        posts: All posts that are learnt from or judged.
        folds: The fold of each post; -1 for one that is only learnt from.
        compute: The device and precision.
        folder: The folder of finished trainings, named by fingerprint: an interrupted comparison
            goes on from there, and a training that differs in anything is done again.
        encoders: The store of pretrained encoders.
        features: The features of frozen encoders, from `encode_examples`.
        cluster: The workers that train, a model each.
    """

    def __init__(
        self,
        posts: LabelledPosts,
        folds: np.ndarray,
        compute: ComputeParameters,
        folder: Path,
        encoders: EncoderStore,
        features: pa.Table,
        cluster: ClusterParameters = IN_THIS_PROCESS,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._device = choose_worker_device(compute, cluster)
        if cluster.workers:  # many trainings at once: each has one of them
            compute = self._device.ask_for(compute).model_copy(update={"processes": 1})
        self._cluster = cluster
        self._shared = SharedInputs(posts, folds, compute, encoders, MappedTable(features))
        self._folder = folder.resolve()
        self._content = digest_posts(posts, *content_digests(features, posts.examples, posts.rows))
        self._encoded_on = computed_on(features)
        self._origins: dict[tuple[str, str], dict[str, Any]] = {}

    @property
    def at_once(self) -> int:
        """The number of trainings that are done at once."""
        return self._cluster.workers or 1

    def check(self, trainings: Sequence[FoldTraining]) -> None:
        """Check before the first training that each has enough posts to choose by.

        Raises:
            ValueError: If one has too few.
        """
        posts, folds = self._shared.posts, self._shared.folds
        for fold, of_how_many in {it.fold: it.folds for it in trainings}.items():
            learnt = folds != fold
            try:
                check_enough_groups(posts.tags[learnt], posts.groups[learnt], 2)
            except ValueError as error:
                where = f"outside of fold {fold + 1}" if of_how_many else "for training"
                raise ValueError(f"the posts {where}: {error}") from error

    def fingerprint(self, models: Iterable[ModelParameters]) -> str:
        """Return the hash of posts, folds, code and device, and of the encoders of some models."""
        named = {item for model in models for item in model.encoders.items()}
        encoders = [self._identify(modality, name) for modality, name in sorted(named)]
        return digest(
            [
                self._content,
                json.dumps(self._shared.folds.tolist()),
                *map(identify_anywhere, encoders),
                digest_code(),
                str(self._device),
                str(self._shared.compute.processes),
                self._encoded_on,
            ]
        )[:20]

    def drop_checkpoints(self, trainings: Sequence[FoldTraining]) -> None:
        """Remove what trainings would go on from that failed, or are asked no more."""
        for training in trainings:
            remove(self._folder / CHECKPOINTS / self.path_of(training).stem)

    def mark_used(self, trainings: Sequence[FoldTraining]) -> None:
        """Note on what is kept of trainings that this run needed it, be it read or not."""
        for training in trainings:
            _mark_used(self.path_of(training))

    def run(self, training: FoldTraining) -> Trained:
        """Train a model, unless that is done already, and predict its fold with it.

        Returns:
            The rows of `run_trainings`, the training's history, and the seconds that it took.
        """
        path = self.path_of(training)
        if not path.exists():
            train_and_predict(self._shared, (training, path))
        return _read(training, path, self._shared)

    def run_all(self, trainings: Sequence[FoldTraining]) -> Iterator[Trained]:
        """Yield what `run` returns for each training, in order; workers train several at once."""
        paths = [self.path_of(training) for training in trainings]
        pairs = list(zip(trainings, paths, strict=True))
        missing = {path: (training, path) for training, path in pairs if not path.exists()}
        train, tasks = partial(train_and_predict, self._shared), list(missing.values())
        with closing(map_parts(train, tasks, self._cluster, "Training")) as trained:
            for training, path in pairs:
                if missing.pop(path, None):
                    next(trained)
                yield _read(training, path, self._shared)
            if tasks:
                list(trained)  # says where they were trained

    def path_of(self, training: FoldTraining) -> Path:
        """Return where a training's predictions are kept once it is done, by its fingerprint."""
        name = fingerprint_training(
            self._content,
            self._shared.folds != training.fold,
            training.model,
            training.parameters,
            {m: self._identify(m, name) for m, name in training.model.encoders.items()},
            self._device,
            self._shared.compute.processes,
            self._encoded_on,
        )
        return self._folder / f"{name}.npz"

    def _identify(self, modality: str, name: str) -> dict[str, Any]:
        """Return the identity of an encoder, whose files are looked at once."""
        if (modality, name) not in self._origins:
            encoder = find_encoder(self._shared.encoders, modality, name)
            self._origins[modality, name] = encoder.identify()
        return self._origins[modality, name]


def _mark_used(path: Path) -> None:
    mark_used(path)
    mark_used(path.parent / CHECKPOINTS / path.stem)  # of one that was killed at its very end


def _read(training: FoldTraining, path: Path, shared: SharedInputs) -> Trained:
    """Return a finished training's answers, its history, and the seconds that it took."""
    _mark_used(path)
    with np.load(path, allow_pickle=False) as kept:
        labels, probabilities = kept["labels"].astype(object), kept["probabilities"]
        seconds, epochs = float(kept["seconds"]), json.loads(str(kept["history"]))
    judged = shared.posts.take(shared.folds == training.fold)
    names = {"variant": training.variant, "seed": training.seed, "fold": training.fold}
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

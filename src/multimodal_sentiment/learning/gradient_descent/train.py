"""Trains a model by gradient descent, with transformers' Trainer."""

from __future__ import annotations

import logging
import shutil
import threading

import numpy as np
import pandas as pd
from transformers import PreTrainedTokenizerBase, TrainerState, set_seed

from multimodal_sentiment.assessment import choose_temperature
from multimodal_sentiment.batches import Features, LabelledPosts
from multimodal_sentiment.model import SentimentClassifier, SentimentModel, build_model
from multimodal_sentiment.posts.split import grouped_split
from multimodal_sentiment.predicting import predict_logits

from ..plan import Fitted, Plan, class_weights, describe_plan
from .checkpoints import newest_checkpoint
from .distributed import optimize_together
from .optimize import Task, optimize
from .trainer import history_of

logger = logging.getLogger(__name__)

# Torch's random numbers belong to the whole process: of two trainings in two threads, neither would
# be the one that its seed stands for.
_one_at_a_time = threading.Lock()


def train(plan: Plan, posts: LabelledPosts) -> Fitted:
    """Train a model on posts.

    A grouped part of them is held out to choose the epoch and the temperature. With `refit`, a
    second model is then trained on all of them for as many epochs.

    Raises:
        ValueError: If there are too few posts to hold some out, or the training diverges.
    """
    with _one_at_a_time:
        return _train(plan, posts)


def _train(plan: Plan, posts: LabelledPosts) -> Fitted:
    training = plan.training
    held_out = grouped_split(posts.tags, posts.groups, training.tuning_fraction, training.seed)
    learning, tuning = posts.take(~held_out), posts.take(held_out)
    model, tokenizer = _build(plan, learning)
    logger.info(
        "%s: %s posts to learn from, %s to tune by",
        describe_plan(plan, model),
        f"{len(learning):,}",
        f"{len(tuning):,}",
    )
    classifier = SentimentClassifier(model, tokenizer, {})
    features = _rows(plan.features, held_out)
    known = _rows(plan.features, ~held_out)
    task = Task(plan, plan.folder / "tuning", (learning, known), tuning=(tuning, features))
    history = pd.DataFrame(history_of(_fit_weights(task, classifier)))
    logits = predict_logits(classifier, tuning.as_dataset(classifier, features), plan.compute)
    temperature = choose_temperature(logits, tuning.label_indices(plan.labels), tuning.groups)
    kept = history.loc[history["chosen"]].iloc[0]
    epoch = int(kept["epoch"])
    if training.refit:
        logger.info("Training anew on all %s posts, %d epochs", f"{len(posts):,}", epoch)
        model, tokenizer = _train_on_all(plan, posts, epoch)
    model.config.calibration_temperature = temperature
    return Fitted(
        model,
        tokenizer,
        history,
        {
            "learning_posts": len(posts) if training.refit else len(learning),
            "tuning_posts": len(tuning),
            "epoch": epoch,
            "refit": training.refit,
            "tuning": {
                "accuracy": float(kept["tuning_accuracy"]),
                "macro_f1": float(kept["tuning_macro_f1"]),
            },
        },
    )


Built = tuple[SentimentModel, PreTrainedTokenizerBase | None]


def _train_on_all(plan: Plan, posts: LabelledPosts, epochs: int) -> Built:
    """Train on all posts, under the same schedule, and stop after some epochs."""
    model, tokenizer = built = _build(plan, posts)
    classifier = SentimentClassifier(model, tokenizer, {})
    task = Task(plan, plan.folder / "refit", (posts, plan.features), epochs=epochs)
    _fit_weights(task, classifier)
    return built


def _build(plan: Plan, learning: LabelledPosts) -> Built:
    training = plan.training
    set_seed(training.seed)
    return build_model(
        plan.model,
        plan.labels,
        learning.texts,
        plan.encoders,
        label_smoothing=training.label_smoothing,
        class_weights=class_weights(learning.tags, plan.labels, training.class_weights),
    )


def _fit_weights(task: Task, classifier: SentimentClassifier) -> TrainerState:
    """Fit the weights in this process, or in several; see `optimize`."""
    plan = task.plan
    if not (plan.training.resume and newest_checkpoint(task.folder)):
        shutil.rmtree(task.folder, ignore_errors=True)
    together = plan.processes > 1 or plan.cluster.workers
    return (optimize_together if together else optimize)(task, classifier)


def _rows(features: Features, which: np.ndarray) -> Features:
    return {name: values[which] for name, values in features.items()}

"""Trains a model by gradient descent, with transformers' Trainer."""

from __future__ import annotations

import logging
import math
import shutil
import threading
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from transformers import (
    EarlyStoppingCallback,
    PreTrainedTokenizerBase,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
    set_seed,
)

from multimodal_sentiment.assessment import choose_temperature
from multimodal_sentiment.model import SentimentClassifier, SentimentModel, build_model
from multimodal_sentiment.posts.split import grouped_split

from .checkpoints import Choice, full_disk_explained, newest_checkpoint, read_choice, write_choice
from .compile import compiled, worth_compiling
from .dataset import Features, Variation
from .labelled_posts import LabelledPosts
from .plan import Fitted, Plan, class_weights, describe_plan
from .predict import predict_logits
from .trainer import (
    OneDeviceArguments,
    ProgressLog,
    SentimentTrainer,
    history_of,
    judge_tuning,
    learning_rate_of,
)

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
    built, choice = None, read_choice(plan.folder) if training.resume and training.refit else None
    if choice is None:
        built, choice = _train_and_choose(plan, posts, held_out)
    if built is None or training.refit:
        write_choice(plan.folder, choice)
        logger.info("Training anew on all %s posts, %d epochs", f"{len(posts):,}", choice.epoch)
        built = _train_on_all(plan, posts, choice.epoch)
    model, tokenizer = built
    model.config.calibration_temperature = choice.temperature
    history = pd.DataFrame(choice.history)
    kept = history.loc[history["chosen"]].iloc[0]
    return Fitted(
        model,
        tokenizer,
        history,
        {
            "learning_posts": len(posts) if training.refit else int((~held_out).sum()),
            "tuning_posts": int(held_out.sum()),
            "epoch": choice.epoch,
            "tuning": {
                "accuracy": float(kept["tuning_accuracy"]),
                "macro_f1": float(kept["tuning_macro_f1"]),
            },
        },
    )


Built = tuple[SentimentModel, PreTrainedTokenizerBase | None]


def _train_and_choose(
    plan: Plan, posts: LabelledPosts, held_out: np.ndarray
) -> tuple[Built, Choice]:
    """Train on the posts that are not held out; the held-out posts choose."""
    learning, tuning = posts.take(~held_out), posts.take(held_out)
    model, tokenizer = built = _build(plan, learning)
    logger.info(
        "%s: %s posts to learn from, %s to tune by",
        describe_plan(plan, model),
        f"{len(learning):,}",
        f"{len(tuning):,}",
    )
    classifier = SentimentClassifier(model, tokenizer, {})
    tuning_set = tuning.as_dataset(classifier, _rows(plan.features, held_out))
    trainer = _make_trainer(
        plan,
        plan.folder / "tuning",
        classifier,
        learning,
        _rows(plan.features, ~held_out),
        eval_dataset=tuning_set,
        compute_metrics=judge_tuning,
        callbacks=[EarlyStoppingCallback(plan.training.patience)],
    )
    _run(trainer, plan, len(learning))
    logits = predict_logits(classifier, tuning_set, plan.compute)
    history = history_of(trainer.state)
    (epoch,) = (row["epoch"] for row in history if row["chosen"])
    truth = tuning.label_indices(plan.labels)
    return built, Choice(epoch, choose_temperature(logits, truth, tuning.groups), history)


def _train_on_all(plan: Plan, posts: LabelledPosts, epochs: int) -> Built:
    """Train on all posts, under the same schedule, and stop after some epochs."""
    model, tokenizer = built = _build(plan, posts)
    classifier = SentimentClassifier(model, tokenizer, {})
    trainer = _make_trainer(
        plan,
        plan.folder / "refit",
        classifier,
        posts,
        plan.features,
        callbacks=[_StopAfter(epochs)],
    )
    _run(trainer, plan, len(posts))
    return built


def _build(plan: Plan, learning: LabelledPosts) -> Built:
    training = plan.training
    set_seed(training.seed)
    model, tokenizer = build_model(
        plan.model,
        plan.labels,
        learning.texts,
        plan.encoders,
        label_smoothing=training.label_smoothing,
        class_weights=class_weights(learning.tags, plan.labels, training.class_weights),
    )
    for name, parameter in model.named_parameters():
        parameter.requires_grad = learning_rate_of(name, training.learning_rate) > 0
    return plan.device.prepare_model(model), tokenizer


def _make_trainer(
    plan: Plan,
    folder: Path,
    classifier: SentimentClassifier,
    learning: LabelledPosts,
    features: Features,
    **options: Any,
) -> SentimentTrainer:
    training = plan.training
    variation = Variation(training.seed, plan.model.fusion.modality_dropout)
    callbacks = [*options.pop("callbacks"), ProgressLog(len(learning), plan.device)]
    trainer = SentimentTrainer(
        training=training,
        device=plan.device,
        tokenizer=classifier.tokenizer,
        model=classifier.model,
        args=training_arguments(plan, len(learning), folder, tuned="eval_dataset" in options),
        train_dataset=learning.as_dataset(classifier, features, variation),
        data_collator=dict,
        callbacks=callbacks,
        **options,
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


def _run(trainer: SentimentTrainer, plan: Plan, posts: int) -> None:
    model, kind = trainer.model, plan.device.kind
    folder = Path(trainer.args.output_dir)
    resumed = newest_checkpoint(folder) if plan.training.resume else None
    if resumed is None:
        shutil.rmtree(folder, ignore_errors=True)
    worth = worth_compiling(plan.compute.compile, model, kind, posts * plan.training.epochs)
    with compiled(model, kind) if worth else nullcontext(), full_disk_explained(folder):
        trainer.train(resume_from_checkpoint=resumed)


def training_arguments(plan: Plan, posts: int, folder: Path, *, tuned: bool) -> TrainingArguments:
    """Return the Trainer's arguments.

    Args:
        plan: The training.
        posts: The number of posts that it learns from.
        folder: The folder for its checkpoints.
        tuned: Whether tuning posts choose the epoch.
    """
    training, device = plan.training, plan.device
    steps = math.ceil(posts / training.batch_size) * training.epochs
    return OneDeviceArguments(
        output_dir=str(folder),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=plan.compute.prediction_batch_size,
        learning_rate=training.learning_rate.heads,
        warmup_steps=round(training.warmup_fraction * steps),
        lr_scheduler_type="cosine",
        max_grad_norm=training.max_gradient_norm,
        seed=training.seed,
        data_seed=training.seed,
        use_cpu=device.kind == "cpu",
        bf16=device.bf16,
        accelerator_config={"non_blocking": device.kind == "cuda"},
        # The state of every random generator is kept at the end of an epoch, so that a training
        # that goes on from there ends as if it had never stopped.
        eval_strategy="epoch" if tuned else "no",
        logging_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=tuned,
        metric_for_best_model="selection" if tuned else None,
        greater_is_better=True if tuned else None,
        restore_callback_states_from_checkpoint=True,
        logging_nan_inf_filter=False,  # to look at each step's loss, a GPU would be waited for
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        report_to="none",
    )


class _StopAfter(TrainerCallback):
    """Ends a training after some epochs, whatever its schedule."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop if this was the last."""
        if round(state.epoch or 0) >= self._epochs:
            control.should_training_stop = True


def _rows(features: Features, which: np.ndarray) -> Features:
    return {name: values[which] for name, values in features.items()}

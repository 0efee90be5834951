"""Fits the weights of a model, in one process or as one of several that share each batch."""

from __future__ import annotations

import logging
import math
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch.distributed as dist
from transformers import (
    EarlyStoppingCallback,
    PrinterCallback,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from multimodal_sentiment.batches import Features, LabelledPosts, Variation
from multimodal_sentiment.compute.compile import compiled, worth_compiling
from multimodal_sentiment.model import SentimentClassifier, SentimentModel
from multimodal_sentiment.parameters import share_of_batch

from ..plan import Plan
from .checkpoints import (
    KeepNewestAndBest,
    epoch_of_end,
    full_disk_explained,
    newest_checkpoint,
)
from .trainer import (
    OneDeviceArguments,
    ProgressLog,
    SentimentTrainer,
    judge_tuning,
    learning_rate_of,
)

logger = logging.getLogger(__name__)

EncodedPosts = tuple[LabelledPosts, Features]  # posts, and what their frozen encoders make of them


@dataclass(frozen=True)
class Task:
    """What one model is trained on, and how.

    Attributes:
        plan: The training that it belongs to.
        folder: The folder for checkpoints; all processes see the same one.
        learning: The posts to learn from.
        tuning: The posts that choose the epoch; without them the last epoch is kept.
        epochs: The number of epochs after which to stop, whatever the schedule; None runs them all.
    """

    plan: Plan
    folder: Path
    learning: EncodedPosts
    tuning: EncodedPosts | None = None
    epochs: int | None = None


def optimize(task: Task, classifier: SentimentClassifier) -> TrainerState:
    """Fit the weights of a classifier's model, from the newest checkpoint if there is one.

    In one of several processes of a group, each takes its share of every batch, and all end with
    the same weights.

    Args:
        task: The posts, and how they are learnt from.
        classifier: The classifier, whose model is changed.

    Returns:
        The state at the end, with the log of all epochs.
    """
    plan, folder, tuning = task.plan, task.folder, task.tuning
    model, device = classifier.model, plan.device
    for name, parameter in model.named_parameters():
        parameter.requires_grad = learning_rate_of(name, plan.training.learning_rate) > 0
    posts, features = task.learning
    arguments = training_arguments(plan, len(posts), folder, tuned=tuning is not None)
    model = device.prepare_model(model)  # after the arguments, which choose this process's GPU
    progress = ProgressLog(len(posts), task.epochs or plan.training.epochs, device)
    callbacks: list[TrainerCallback] = [AverageStatistics(), progress]
    options: dict[str, Any] = {}
    if tuning is not None:
        options = {"eval_dataset": tuning[0].as_dataset(classifier, tuning[1])}
        options["compute_metrics"] = judge_tuning
        callbacks.insert(0, EarlyStoppingCallback(plan.training.patience))
    if task.epochs is not None:
        callbacks.insert(0, _StopAfter(task.epochs))
    variation = Variation(plan.training.seed, plan.model.fusion.modality_dropout)
    trainer = SentimentTrainer(
        training=plan.training,
        device=device,
        tokenizer=classifier.tokenizer,
        model=model,
        args=arguments,
        train_dataset=posts.as_dataset(classifier, features, variation),
        data_collator=dict,
        callbacks=[*callbacks, KeepNewestAndBest()],
        **options,
    )
    trainer.remove_callback(PrinterCallback)
    seen = len(posts) * plan.training.epochs
    worth = worth_compiling(plan.compute.compile, model, device.kind, seen)
    checkpoint = newest_checkpoint(folder)
    if checkpoint is not None:
        logger.info("Going on from %s", Path(checkpoint).name)
        if epoch := epoch_of_end(checkpoint):  # the Trainer would train one more to find out
            trainer.args.num_train_epochs = epoch
    with compiled(model, device.kind) if worth else nullcontext(), full_disk_explained(folder):
        trainer.train(resume_from_checkpoint=checkpoint)
    return trainer.state


def training_arguments(plan: Plan, posts: int, folder: Path, *, tuned: bool) -> TrainingArguments:
    """Return the Trainer's arguments.

    Args:
        plan: The training.
        posts: The number of posts that it learns from.
        folder: The folder for its checkpoints.
        tuned: Whether tuning posts choose the epoch.
    """
    training, device = plan.training, plan.device
    rank, processes = rank_and_size()
    steps = math.ceil(posts / training.batch_size) * training.epochs
    return OneDeviceArguments(
        output_dir=str(folder),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=share_of_batch(training.batch_size, processes),
        per_device_eval_batch_size=plan.compute.prediction_batch_size,
        learning_rate=training.learning_rate.heads,
        warmup_steps=round(training.warmup_fraction * steps),
        lr_scheduler_type="cosine",
        max_grad_norm=training.max_gradient_norm,
        # Each process draws crops and dropout of its own; the order of posts is the same for all.
        seed=(training.seed + rank) % 2**32,
        data_seed=training.seed,
        use_cpu=device.kind == "cpu",
        bf16=device.bf16,
        accelerator_config={"non_blocking": device.kind == "cuda"},
        # The state of every random generator is kept at the end of an epoch, so that a training
        # that goes on from there ends as if it had never stopped.
        eval_strategy="epoch" if tuned else "no",
        logging_strategy="epoch",
        save_strategy="epoch",
        load_best_model_at_end=tuned,
        metric_for_best_model="selection" if tuned else None,
        greater_is_better=True if tuned else None,
        restore_callback_states_from_checkpoint=True,
        logging_nan_inf_filter=False,  # to look at each step's loss, a GPU would be waited for
        remove_unused_columns=False,
        label_names=["labels"],
        ddp_backend=dist.get_backend() if dist.is_initialized() else None,
        ddp_broadcast_buffers=False,  # statistics of batch norms are averaged instead
        disable_tqdm=True,
        report_to="none",
    )


class AverageStatistics(TrainerCallback):
    """Averages the running statistics of batch norms over the processes, after each epoch.

    Within an epoch, each process normalises by its own share of a batch. Statistics over the whole
    batch (SyncBatchNorm) would make a process wait for ever for another whose share holds no image.
    """

    def on_epoch_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        *,
        model: SentimentModel,
        **_: Any,
    ) -> None:
        """Average those of the encoders that are trained."""
        if args.world_size == 1:
            return
        for module in model.modules():
            if module.training and getattr(module, "running_mean", None) is not None:
                for statistic in (module.running_mean, module.running_var):
                    dist.all_reduce(statistic)
                    statistic.div_(args.world_size)


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


def rank_and_size() -> tuple[int, int]:
    """Return which one this process is of its group, and how many they are; (0, 1) if alone."""
    if not dist.is_initialized():
        return 0, 1
    return dist.get_rank(), dist.get_world_size()

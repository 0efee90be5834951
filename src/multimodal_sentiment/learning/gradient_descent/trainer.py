"""transformers' Trainer, with a learning rate for each part of the model, and augmentation."""

from __future__ import annotations

import logging
import time
from typing import Any, cast

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss
from torch.utils.data import DataLoader
from transformers import (
    EvalPrediction,
    PreTrainedTokenizerBase,
    Trainer,
    TrainerCallback,
    TrainerControl,
    TrainerState,
    TrainingArguments,
)

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.batches import Batch, PostDataset
from multimodal_sentiment.batches.augmentation import mask_tokens, random_crops
from multimodal_sentiment.batches.sampler import LengthAwareSampler
from multimodal_sentiment.compute.device import Device
from multimodal_sentiment.model import SentimentModel
from multimodal_sentiment.parameters import LearningRates, TrainingParameters

logger = logging.getLogger(__name__)


class OneDeviceArguments(TrainingArguments):
    """Arguments of a training on one device.

    On a machine with several GPUs, the Trainer would otherwise multiply the batch size by their
    number, and split each batch among copies of the model.
    """

    @property
    def n_gpu(self) -> int:
        """The number of GPUs that this process trains on."""
        return min(1, super().n_gpu)


class SentimentTrainer(Trainer):
    """Trains a sentiment model on augmented posts.

    Args:
        model: The model, on its device.
        training: The learning rates, and how images and texts are augmented.
        device: The device that the model trains on.
        tokenizer: The tokenizer of the texts; a model of images needs none.
        options: The other arguments of Trainer.
    """

    train_dataset: PostDataset
    eval_dataset: PostDataset

    def __init__(
        self,
        *,
        model: SentimentModel,
        training: TrainingParameters,
        device: Device,
        tokenizer: PreTrainedTokenizerBase | None,
        **options: Any,
    ) -> None:
        optimizer = build_optimizer(model, training)
        super().__init__(model=model, optimizers=(optimizer, None), **options)
        self._training = training
        self._device = device
        self._tokenizer = tokenizer
        self._tuning_loader: DataLoader[Batch] | None = None

    def get_train_dataloader(self) -> DataLoader[Batch]:
        """Return the loader of the posts to learn from; texts of like length share a batch.

        Of several processes, each takes its share of every batch; the last batch of an epoch is
        filled up with posts from the first, so that all have equally many.
        """
        lengths, size = self.train_dataset.token_counts, self.args.train_batch_size
        processes, seed = self.args.world_size, self._training.seed
        sampler = LengthAwareSampler(lengths, size * processes, seed, processes)
        return self._loader(self.train_dataset, sampler=sampler, batch_size=size)

    def get_eval_dataloader(self, eval_dataset: Any = None) -> DataLoader[Batch]:
        """Return the loader of the tuning posts, sorted by length, so that little is padding."""
        if self._tuning_loader is None:
            order = np.argsort(self.eval_dataset.token_counts, kind="stable").tolist()
            size = self.args.eval_batch_size
            self._tuning_loader = self._loader(self.eval_dataset, sampler=order, batch_size=size)
        return self._tuning_loader

    def compute_loss(self, model: Any, inputs: Batch, *arguments: Any, **options: Any) -> Any:
        """Return the loss of a batch, which is augmented first where the model trains."""
        if model.training:
            inputs = self._augment(inputs)
        return super().compute_loss(model, inputs, *arguments, **options)

    def _loader(self, posts: PostDataset, **options: Any) -> DataLoader[Batch]:
        loader = DataLoader(
            posts,
            collate_fn=dict,
            num_workers=self._device.workers,
            persistent_workers=self._device.workers > 0,
            pin_memory=self._device.kind == "cuda",
            # Seeding workers leaves the global generator alone: how many read changes nothing.
            generator=torch.Generator(),
            **options,
        )
        return cast(DataLoader[Batch], self.accelerator.prepare_data_loader(loader))

    def _augment(self, batch: Batch) -> Batch:
        changed: Batch = {}
        if "pixels" in batch:
            size = cast(SentimentModel, self.model).config.image_config["size"]
            changed["pixels"] = random_crops(batch["pixels"], size, self._training.min_crop_scale)
        if "input_ids" in batch and self._tokenizer is not None and self._training.word_dropout:
            changed["input_ids"] = mask_tokens(
                batch["input_ids"], self._training.word_dropout, self._tokenizer
            )
        return batch | changed


def build_optimizer(model: SentimentModel, training: TrainingParameters) -> torch.optim.Optimizer:
    """Return AdamW with a group for each part of the model; vectors do not decay."""
    groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            key = learning_rate_of(name, training.learning_rate), parameter.ndim > 1
            groups.setdefault(key, []).append(parameter)
    return torch.optim.AdamW(
        [
            {
                "params": parameters,
                "lr": rate,
                "weight_decay": training.weight_decay if decays else 0.0,
            }
            for (rate, decays), parameters in groups.items()
        ],
        fused=True,
    )


def learning_rate_of(name: str, rates: LearningRates) -> float:
    """Return the peak learning rate of a weight of the model, by its name."""
    for part in ("text", "image"):
        if name.startswith(f"branches.{part}.encoder."):
            return float(getattr(rates, part))
    return rates.heads


def judge_tuning(outcome: EvalPrediction) -> dict[str, float]:
    """Measure a model on the tuning posts after an epoch.

    `selection` decides which epoch is kept: macro-F1, and between equals, which are common in
    small sets, the lower log-loss.

    Raises:
        ValueError: If the logits are not finite.
    """
    logits, true = np.asarray(outcome.predictions), np.asarray(outcome.label_ids)
    if not np.isfinite(logits).all():
        raise ValueError(
            "the training has diverged: the model's logits are no numbers any more: "
            "choose a smaller training.learning_rate, or training.max_gradient_norm"
        )
    predicted = logits.argmax(axis=1)
    macro_f1 = float(f1_score(true, predicted, average="macro"))
    loss = log_loss(true, softmax(logits), labels=range(logits.shape[1]))
    return {
        "accuracy": float(accuracy_score(true, predicted)),
        "macro_f1": macro_f1,
        "selection": macro_f1 - 1e-4 * float(loss),
    }


class ProgressLog(TrainerCallback):
    """Logs after each epoch how it went, and within long epochs how far it is.

    Args:
        posts: The number of posts in an epoch.
        epochs: The number of epochs that are trained, at most.
        device: The device that the model trains on.
    """

    PATIENCE = 30.0  # seconds between two lines within an epoch

    def __init__(self, posts: int, epochs: int, device: Device) -> None:
        self._posts = posts
        self._epochs = epochs
        self._device = device
        self._started = self._spoke = 0.0
        self._first_step = 0

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Start the epoch's clock."""
        self._device.wait()
        self._started = self._spoke = time.monotonic()
        self._first_step = state.global_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Log the progress if nothing has been logged for long."""
        now = time.monotonic()
        if now - self._spoke > self.PATIENCE:
            self._spoke = now
            done = state.global_step - self._first_step
            speed = done * args.world_size * args.train_batch_size / (now - self._started)
            share = 100 * (state.epoch or 0) / self._epochs
            logger.info("Training: %.0f%% done, %.1f posts/s", share, speed)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        """Add the epoch's speed to its history, as it ends."""
        if "loss" in logs:
            self._device.wait()
            seconds = time.monotonic() - self._started
            state.log_history[-1]["posts_per_second"] = self._posts / seconds

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Log one line for each epoch."""
        row = history_of(state)[-1]
        logger.info(
            "Epoch %d of %d: loss %.3f, tuning loss %.3f, accuracy %.3f, macro-F1 %.3f; "
            "learning rate %.1e, %.1f posts/s",
            row["epoch"],
            args.num_train_epochs,
            row["train_loss"],
            row["tuning_loss"],
            row["tuning_accuracy"],
            row["tuning_macro_f1"],
            row["learning_rate"],
            row["posts_per_second"],
        )


def history_of(state: TrainerState) -> list[dict[str, Any]]:
    """Return one row for each epoch: losses, metrics, learning rate, speed, whether it was kept."""
    trained = [entry for entry in state.log_history if "loss" in entry]
    judged = [entry for entry in state.log_history if "eval_loss" in entry]
    return [
        {
            "epoch": round(train["epoch"]),
            "train_loss": train["loss"],
            "tuning_loss": tuning["eval_loss"],
            "tuning_accuracy": tuning["eval_accuracy"],
            "tuning_macro_f1": tuning["eval_macro_f1"],
            "learning_rate": train["learning_rate"],
            "posts_per_second": train["posts_per_second"],
            "chosen": tuning["step"] == state.best_global_step,
        }
        for train, tuning in zip(trained, judged, strict=True)
    ]

"""transformers' Trainer, with what this model adds: a learning rate a part, and random views."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from sklearn.metrics import accuracy_score, f1_score, log_loss
from torch.utils.data import DataLoader, Sampler
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
from multimodal_sentiment.parameters import LearningRates, TrainingParameters

from .augmentation import mask_tokens, random_crops
from .device import Device
from .sampler import LengthAwareSampler

logger = logging.getLogger(__name__)


class SentimentTrainer(Trainer):
    """Trains the parts of a sentiment model, each at its own rate, on random views of the posts.

    Args:
        training: Says the rates, and how much of a picture and of a text a view leaves out.
        device: What trains.
        tokenizer: Of the texts; not needed by a model of images.
    """

    optimizer: torch.optim.Optimizer | None

    def __init__(
        self,
        *,
        training: TrainingParameters,
        device: Device,
        tokenizer: PreTrainedTokenizerBase | None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._training = training
        self._device = device
        self._tokenizer = tokenizer

    def create_optimizer(self, model: Any = None) -> torch.optim.Optimizer:
        """One group for each part and for each weight decay."""
        if self.optimizer is None:
            decaying = set(self.get_decay_parameter_names(self.model))
            groups: dict[tuple[float, bool], list[torch.nn.Parameter]] = {}
            for name, parameter in self.model.named_parameters():
                if parameter.requires_grad:
                    key = learning_rate_of(name, self._training.learning_rate), name in decaying
                    groups.setdefault(key, []).append(parameter)
            optimizer, options = self.get_optimizer_cls_and_kwargs(self.args, self.model)
            self.optimizer = optimizer(
                [
                    {
                        "params": parameters,
                        "lr": rate,
                        "weight_decay": self.args.weight_decay if decays else 0.0,
                    }
                    for (rate, decays), parameters in groups.items()
                ],
                **options,
            )
        return self.optimizer

    def _save_checkpoint(self, *arguments: Any, **options: Any) -> None:
        try:
            super()._save_checkpoint(*arguments, **options)
        except RuntimeError as error:
            if "inline_container" not in str(error):  # torch's writer, which gives no reason
                raise
            raise OSError(
                f"{self.args.output_dir}: a checkpoint cannot be written whole: is the disk full? "
                "free some space, or write elsewhere with --params data=FOLDER"
            ) from error

    def _get_dataloader(self, *arguments: Any, **options: Any) -> DataLoader[Any]:
        loader: Any = super()._get_dataloader(*arguments, **options)
        # Whoever reads draws nothing. To draw seeds for readers from the generator that hides words
        # and modalities would let training depend on how many they are, and when they started.
        loader.base_dataloader.generator = torch.Generator()
        loader.device = None  # batches are taken there by _prepare_inputs
        return cast(DataLoader[Any], loader)

    def _get_train_sampler(self, train_dataset: Any = None) -> Sampler[int]:
        posts = self.train_dataset if train_dataset is None else train_dataset
        return LengthAwareSampler(posts.token_counts, self._train_batch_size, self.args.data_seed)

    def _get_eval_sampler(self, eval_dataset: Any) -> Sequence[int]:
        # What is measured depends on no order, and posts of like length need little padding.
        by_length: list[int] = np.argsort(eval_dataset.token_counts, kind="stable").tolist()
        return by_length

    def _prepare_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        prepared = self._device.to_device(inputs)
        if not self.model.training:
            return prepared
        if "pixels" in prepared:
            size, least = self.model.config.image_config["size"], self._training.min_crop_scale
            prepared["pixels"] = random_crops(prepared["pixels"], size, least)
        if "input_ids" in prepared and self._tokenizer is not None and self._training.word_dropout:
            prepared["input_ids"] = mask_tokens(
                prepared["input_ids"], self._training.word_dropout, self._tokenizer
            )
        return prepared


def learning_rate_of(name: str, rates: LearningRates) -> float:
    """The peak learning rate of a weight of the model, by its name."""
    for part in ("text", "image"):
        if name.startswith(f"branches.{part}.encoder."):
            return float(getattr(rates, part))
    return rates.heads


def judge_tuning(outcome: EvalPrediction) -> dict[str, float]:
    """What is measured on the tuning posts after each epoch.

    `selection` decides which epoch is kept: macro-F1, and between equals, which are common in
    small sets, the lower log-loss.

    Raises:
        ValueError: If the model's answers are no numbers.
    """
    logits, true = np.asarray(outcome.predictions), np.asarray(outcome.label_ids)
    if not np.isfinite(logits).all():
        raise ValueError(
            "the training has diverged: the model's answers are no numbers any more: "
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


class Progress(TrainerCallback):
    """Says after each epoch how it went, and in long epochs how far it is.

    Args:
        posts: How many an epoch has.
        device: What trains.
    """

    PATIENCE = 30.0  # seconds between two lines within an epoch

    def __init__(self, posts: int, device: Device) -> None:
        self._posts = posts
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
        """Speak if nothing has been said for long."""
        now = time.monotonic()
        if now - self._spoke > self.PATIENCE:
            self._spoke = now
            done = state.global_step - self._first_step
            speed = done * args.train_batch_size / (now - self._started)
            share = 100 * state.global_step / max(1, state.max_steps)
            logger.info("Training: %.0f%% done, %.1f posts/s", share, speed)

    def on_epoch_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Stop the epoch's clock."""
        self._device.wait()
        self._seconds = time.monotonic() - self._started

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, float],
        **_: Any,
    ) -> None:
        """Add the epoch's speed to what is kept of it."""
        if "loss" in logs:
            state.log_history[-1]["posts_per_second"] = self._posts / self._seconds

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """One line an epoch."""
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
    """One row an epoch: losses, tuning metrics, learning rate, speed, and whether it was kept."""
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

"""The inputs and the result of a fitting, whichever way it is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.class_weight import compute_class_weight
from transformers import PreTrainedTokenizerBase

from multimodal_sentiment.batches import Features
from multimodal_sentiment.compute.device import Device
from multimodal_sentiment.encoders import Encoder
from multimodal_sentiment.model import SentimentModel
from multimodal_sentiment.parameters import (
    ClusterParameters,
    ComputeParameters,
    ModelParameters,
    TrainingParameters,
    count_processes,
)


@dataclass(frozen=True)
class Plan:
    """The settings of a training, whichever posts it learns from.

    Attributes:
        model: The architecture.
        training: The training parameters.
        compute: The device and precision that were asked for.
        cluster: The workers among which a training is shared.
        device: The device that was chosen.
        labels: The labels, in the order of the logits.
        encoders: The pretrained encoders that the model starts from, by modality.
        features: The features of frozen encoders, one row for each post.
        folder: The folder for what an interrupted training needs to go on.
    """

    model: ModelParameters
    training: TrainingParameters
    compute: ComputeParameters
    cluster: ClusterParameters
    device: Device
    labels: list[str]
    encoders: Mapping[str, Encoder]
    features: Features
    folder: Path

    @property
    def is_solved(self) -> bool:
        """Whether linear heads are solved, rather than weights trained by gradient descent."""
        return self.model.has_solved_heads

    @property
    def processes(self) -> int:
        """The number of processes that share the training; linear heads are solved in one."""
        return 1 if self.is_solved else count_processes(self.compute, self.cluster)

    @property
    def place(self) -> str:
        """The device, and how many processes compute on one each, in words."""
        return f"{self.processes} x {self.device}" if self.processes > 1 else str(self.device)

    @property
    def counts_words(self) -> bool:
        """Whether words are counted beside the text's encoding."""
        wanted = self.model.text.count_words
        counts = self.is_solved if wanted == "auto" else wanted
        return "text" in self.model.modalities and counts


@dataclass(frozen=True)
class Fitted:
    """A model that has been fitted.

    Attributes:
        model: The model; its configuration holds the temperature.
        tokenizer: The tokenizer of its text encoder.
        history: One row for each epoch, or for each strength of regularisation that was tried.
        record: The description of how it was fitted, for the model's configuration.
        terms: The words and pairs of words that it counts.
    """

    model: SentimentModel
    tokenizer: PreTrainedTokenizerBase | None
    history: pd.DataFrame
    record: dict[str, Any]
    terms: Sequence[str] = ()


def class_weights(tags: np.ndarray, labels: list[str], kind: str) -> list[float] | None:
    """Return one weight for each label: `none`, `sqrt` of inverse frequency, or `balanced`."""
    if kind == "none":
        return None
    balanced = compute_class_weight("balanced", classes=np.array(labels), y=tags)
    weights: list[float] = (np.sqrt(balanced) if kind == "sqrt" else balanced).tolist()
    return weights


def describe_plan(plan: Plan, model: SentimentModel) -> str:
    """Return in words what is fitted, with which encoders, and on which device."""
    config, sizes = model.config, {}
    if config.uses_text:
        text = config.text_config
        sizes["text"] = f"{text.model_type} of {text.num_hidden_layers} layers"
    if config.uses_image:
        image = config.image_config
        sizes["image"] = f"{image['architecture']} at {image['size']} px"
    parts = ["linear heads" if plan.is_solved else "a fusion"]
    count = sum(weight.numel() for weight in model.parameters())
    for name, words in sizes.items():
        origin = str(plan.encoders.get(name, "from scratch"))
        if name in plan.features:
            origin += ", frozen"
            count -= sum(it.numel() for it in model.branches[name].encoder.parameters())
        parts.append(f"{words} ({origin})")
    return f"Training {count:,} weights: {', '.join(parts)}, on {plan.place}"

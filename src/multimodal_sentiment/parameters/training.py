"""The parameters of fitting."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from .kinds import Count, Fraction, Group, NotNegative, Positive, Probability, Seed


class LearningRates(Group):
    """One peak learning rate for each part of the model."""

    text: NotNegative
    image: NotNegative
    heads: Positive


class TrainingParameters(Group):
    """How the model is fitted."""

    seed: Seed
    epochs: Count
    batch_size: Count
    learning_rate: LearningRates
    weight_decay: NotNegative
    warmup_fraction: Annotated[float, Field(ge=0, le=1)]
    max_gradient_norm: Positive
    label_smoothing: Probability
    class_weights: Literal["none", "sqrt", "balanced"]
    min_crop_scale: Annotated[float, Field(gt=0, le=1)]
    word_dropout: Probability
    tuning_fraction: Fraction
    patience: Count
    refit: bool
    resume: bool

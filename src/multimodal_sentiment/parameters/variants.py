"""A model and the way to fit it: whether they go together, and how variants are made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import model_validator

from .kinds import Group
from .model import ModelParameters
from .training import TrainingParameters

Changes = dict[Literal["model", "training"], dict[str, Any]]


class Variant(Group):
    """What one variant of a comparison is made from."""

    model: ModelParameters
    training: TrainingParameters

    @model_validator(mode="after")
    def _parts_fit(self) -> Variant:
        check_parts(self.model, self.training)
        return self


def vary(model: ModelParameters, training: TrainingParameters, changes: Changes) -> Variant:
    """Return the parameters with some changed.

    Raises:
        ValidationError: If a change names what there is not, or gives it a wrong value.
    """
    base = {"model": model.model_dump(), "training": training.model_dump()}
    return Variant.model_validate(_overlaid(base, changes))


def check_parts(model: ModelParameters, training: TrainingParameters) -> None:
    """Refuse a model and a way to fit it that do not go together."""
    for name in model.modalities:
        rate = getattr(training.learning_rate, name)
        if not rate and name not in model.encoders:
            raise ValueError(
                f"training.learning_rate.{name} is 0, which freezes the encoder, but it is trained "
                f"from scratch: name a pretrained one in model.{name}.encoder, or set a rate"
            )
        if model.has_solved_heads and rate:
            raise ValueError(
                f"model.fusion.kind 'pool' needs frozen encoders, but training.learning_rate."
                f"{name} is {rate}: set it to 0, or choose concat, gated or late"
            )
    counts_words = model.text.count_words is True and "text" in model.modalities
    if counts_words and not model.has_solved_heads:
        raise ValueError(
            f"model.text.count_words needs model.fusion.kind 'pool', not {model.fusion.kind!r}: "
            "set it to false, or choose pool"
        )


def _overlaid(base: Mapping[str, Any], changes: Mapping[Any, Any]) -> dict[str, Any]:
    both = {
        key: _overlaid(base[key], changes[key])
        for key in base.keys() & changes.keys()
        if isinstance(base[key], Mapping) and isinstance(changes[key], Mapping)
    }
    return {**base, **changes, **both}

"""The parameters of many trainings: a comparison's, and a search's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from .kinds import Count, Fraction, Group, Positive, Seed
from .variants import Changes

BASELINES = ("majority", "tfidf")  # what every comparison judges beside its variants


class ComparisonParameters(Group):
    """Which variants of the model are compared, and on what."""

    variants: dict[str, Changes | None]
    pairs: list[tuple[str, str]]
    seeds: Count
    folds: Annotated[int, Field(ge=2)] | None
    margin: Fraction
    second_look: Annotated[int, Field(ge=0)]

    @model_validator(mode="after")
    def _names_are_known(self) -> ComparisonParameters:
        taken = self.variants.keys() & set(BASELINES)
        if taken:
            raise ValueError(f"variants may not be named {min(taken)!r}: a baseline is")
        if not self.compared:
            raise ValueError("variants are all left out: keep one at least")
        for pair in self.pairs:
            unknown = [name for name in pair if name not in self.variants]
            if unknown:
                choice = ", ".join(self.variants)
                raise ValueError(f"pairs name {unknown[0]!r}: choose of {choice}")
            if pair[0] == pair[1]:
                raise ValueError(f"pairs compare {pair[0]!r} with itself: name two variants")
        return self

    @property
    def compared(self) -> dict[str, Changes]:
        """The variants that are not left out."""
        return {name: changes for name, changes in self.variants.items() if changes is not None}

    @property
    def compared_pairs(self) -> list[tuple[str, str]]:
        """The pairs of which neither is left out."""
        return [pair for pair in self.pairs if set(pair) <= self.compared.keys()]


class SearchParameters(Group):
    """Which settings of the model are tried, and how they are judged.

    `space` is checked before a search begins: see `multimodal_sentiment.searching.space`.
    """

    space: dict[str, Any]
    objective: Literal["accuracy", "macro_f1", "log_loss"]
    trials: Count | None
    minutes: Positive | None
    folds: Annotated[int, Field(ge=2)]
    startup_trials: Count
    pruning: bool
    seed: Seed

    @model_validator(mode="after")
    def _ends(self) -> SearchParameters:
        if self.trials is None and self.minutes is None:
            raise ValueError("it would never end: set trials, minutes or both")
        return self

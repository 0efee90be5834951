"""Draws that read as sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from numpy.random import Generator

T = TypeVar("T")


def happens(rng: Generator, probability: float) -> bool:
    """Whether an event of this probability happens."""
    return bool(rng.random() < probability)


def pick(rng: Generator, choices: Sequence[T]) -> T:
    """One of the choices, all equally likely."""
    return choices[int(rng.integers(len(choices)))]

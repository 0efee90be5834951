"""A bounded summary of the validation posts, which travels with the model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from .observations import CATEGORIES, NUMBERS

MOST_POSTS = 1000  # that are summarised
DIMENSIONS = 64  # of features, after their projection: distances change by an eighth or so

_COUNTS = "validation_summary.json"
_FEATURES = "validation_features.safetensors"
SUMMARY_FILES = (_COUNTS, _FEATURES)
_SEED = 0
_DIGITS = 6  # of numbers that are kept


class _Counts(BaseModel):
    """The file of counts and numbers, as it must be."""

    model_config = ConfigDict(extra="forbid")

    posts: int = Field(ge=0, le=MOST_POSTS)
    categories: dict[str, dict[str, int]]
    numbers: dict[str, list[FiniteFloat]]


@dataclass(frozen=True)
class ValidationSummary:
    """What is kept of validation posts: no text, and no two observations of one post together.

    Attributes:
        posts: The number of posts that are summarised.
        categories: The number of posts with each value of each of `CATEGORIES`.
        numbers: The values of each of `NUMBERS`, sorted by themselves.
        features: By modality, the projected features of posts that have it, float32 of shape
            (posts, `DIMENSIONS`), in an order that says nothing.
        projections: By modality, the matrix that multiplies features of unit length, float32
            of shape (size, `DIMENSIONS`).
    """

    posts: int
    categories: dict[str, dict[str, int]]
    numbers: dict[str, list[float]]
    features: dict[str, NDArray[np.float32]] = field(default_factory=dict)
    projections: dict[str, NDArray[np.float32]] = field(default_factory=dict)


def draw_projections(sizes: Mapping[str, int]) -> dict[str, NDArray[np.float32]]:
    """Draw a random projection of each modality's features, of shape (size, `DIMENSIONS`).

    Random directions keep distances about as they are, those to posts of a new kind included,
    which the main directions of known posts would not.
    Source: Johnson and Lindenstrauss, "Extensions of Lipschitz mappings", 1984.

    Args:
        sizes: The number of features of each modality.
    """
    rng = np.random.default_rng(_SEED)
    return {
        name: (rng.standard_normal((size, DIMENSIONS)) / np.sqrt(DIMENSIONS)).astype(np.float32)
        for name, size in sizes.items()
    }


def summarise(
    observed: pd.DataFrame,
    features: Mapping[str, NDArray[np.float32]],
    projections: dict[str, NDArray[np.float32]],
) -> ValidationSummary:
    """Summarise posts.

    Args:
        observed: The observations from `observe_posts`.
        features: By modality, their projected features, NaN where a post lacks it.
        projections: By which these were projected.
    """
    numbers = {name: observed[name].dropna().sort_values() for name in NUMBERS}
    return ValidationSummary(
        posts=len(observed),
        categories={name: dict(Counter(observed[name].tolist())) for name in CATEGORIES},
        numbers={name: rounded(values) for name, values in numbers.items()},
        features={name: _in_order(present(values)) for name, values in features.items()},
        projections=projections,
    )


def rounded(values: Iterable[float]) -> list[float]:
    """Return numbers as they are kept, so that equal ones stay equal."""
    return [float(f"{value:.{_DIGITS}g}") for value in values]


def present(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the rows of features that are not missing."""
    return features[~np.isnan(features).any(axis=1)]


def write_summary(summary: ValidationSummary, folder: Path) -> None:
    """Write a summary into a model's folder."""
    counts = _Counts(posts=summary.posts, categories=summary.categories, numbers=summary.numbers)
    (folder / _COUNTS).write_text(counts.model_dump_json(indent=1), encoding="utf-8")
    tensors = {f"features.{name}": values for name, values in summary.features.items()}
    tensors |= {f"projection.{name}": values for name, values in summary.projections.items()}
    if tensors:
        save_file(
            {name: np.ascontiguousarray(it) for name, it in tensors.items()}, folder / _FEATURES
        )


def read_summary(folder: Path, sizes: Mapping[str, int]) -> ValidationSummary | None:
    """Read the summary in a model's folder; None if it has none.

    Args:
        folder: The folder.
        sizes: The number of features of each of the model's modalities.

    Raises:
        ValueError: If it is broken.
    """
    if not (folder / _COUNTS).is_file():
        return None
    try:
        counts = _Counts.model_validate_json((folder / _COUNTS).read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise ValueError(f"{_COUNTS} is broken: {place}: {first['msg']}") from error
    if missing := (CATEGORIES.keys() - counts.categories) | (NUMBERS.keys() - counts.numbers):
        raise ValueError(f"{_COUNTS} is broken: it lacks {min(missing)}")
    features, projections = _read_features(folder / _FEATURES)
    if any(len(values) != sizes.get(name) for name, values in projections.items()):
        raise ValueError(f"{_FEATURES} is broken: it is of another model")
    return ValidationSummary(counts.posts, counts.categories, counts.numbers, features, projections)


def _read_features(
    path: Path,
) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
    """Read projected features and projections, by modality."""
    if not path.is_file():
        return {}, {}
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{path.name} is broken or cut short: {error}") from error
    parts: dict[str, dict[str, NDArray[np.float32]]] = {"features": {}, "projection": {}}
    for name, values in tensors.items():
        part, _, modality = name.partition(".")
        if part not in parts or values.shape[1:] != (DIMENSIONS,):
            raise ValueError(f"{path.name} is broken: {name} has the shape {values.shape}")
        if not np.isfinite(values).all():
            raise ValueError(f"{path.name} is broken: {name} holds what is no number")
        parts[part][modality] = values.astype(np.float32, copy=False)
    if parts["features"].keys() != parts["projection"].keys():
        raise ValueError(f"{path.name} is broken: features and projections do not belong together")
    return parts["features"], parts["projection"]


def _in_order(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Sort posts by their first feature, so that their order says nothing of which they were."""
    return features[np.argsort(features[:, 0], kind="stable")]

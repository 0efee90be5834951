"""Observations of made-up posts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.monitoring import CATEGORIES, NUMBERS, ValidationSummary, summarise
from multimodal_sentiment.monitoring.validation_summary import DIMENSIONS


@pytest.fixture
def observe() -> Callable[..., pd.DataFrame]:
    """So many posts of one source, as a seed draws them."""

    def draw(posts: int, seed: int) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        categories = {name: rng.choice(["this", "that"], posts) for name in CATEGORIES}
        return pd.DataFrame(categories | {name: rng.normal(9, 2, posts) for name in NUMBERS})

    return draw


@pytest.fixture
def vectors() -> Callable[[int, int], np.ndarray]:
    def draw(posts: int, seed: int) -> np.ndarray:
        rng = np.random.default_rng(seed)
        return rng.normal(size=(posts, DIMENSIONS)).astype(np.float32)

    return draw


@pytest.fixture
def summary(observe, vectors) -> ValidationSummary:
    return summarise(observe(300, 0), {"text": vectors(300, 0)}, {"text": vectors(10, 1)})

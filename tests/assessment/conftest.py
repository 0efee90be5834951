from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def frozen_garbage() -> Iterator[None]:
    """statsmodels collects garbage at every correction: seconds, in a process full of tests."""
    gc.freeze()
    yield
    gc.unfreeze()

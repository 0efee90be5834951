from __future__ import annotations

import pytest

from multimodal_sentiment.parameters import Parameters

from ..commands import load_parameters


def load(env: str) -> Parameters:
    """The parameters of an environment."""
    return Parameters.model_validate(load_parameters(env))


@pytest.fixture(scope="session")
def configured() -> Parameters:
    """The parameters of conf/base: frozen encoders and a pool."""
    return load("base")

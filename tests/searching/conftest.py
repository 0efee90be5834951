from __future__ import annotations

from pathlib import Path

import pytest
from kedro.config import OmegaConfigLoader

from multimodal_sentiment.parameters import Parameters

PROJECT = Path(__file__).parents[2]


def load(env: str) -> Parameters:
    """The parameters of an environment."""
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"),
        base_env="base",
        default_run_env=env,
        merge_strategy={"parameters": "soft"},
    )
    return Parameters.model_validate(loader["parameters"])


@pytest.fixture(scope="session")
def configured() -> Parameters:
    """The parameters of conf/base: frozen encoders and a pool."""
    return load("base")

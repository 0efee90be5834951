"""The project that benchmarks measure: its parameters, and what its runs have left in a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.config import OmegaConfigLoader
from omegaconf import OmegaConf

from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.encoders import EncoderStore

PROJECT = Path(__file__).parents[2]


def load_parameters(env: str = "base", given: str = "") -> dict[str, Any]:
    """The parameters of an environment as plain values, some changed as by `--params`."""
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"),
        base_env="base",
        default_run_env=env,
        merge_strategy={"parameters": "soft"},
    )
    changes = OmegaConf.from_dotlist(given.split(",") if given else [])
    return dict(OmegaConf.to_container(OmegaConf.merge(loader["parameters"], changes)))


def newest(data: Path, name: str) -> Path:
    """The newest version of a dataset."""
    return max((data / name).iterdir()) / Path(name).name


def read_arrow(data: Path, name: str) -> pa.Table:
    """The newest version of an Arrow table."""
    return ArrowStreamDataset(filepath=str(newest(data, name))).load()


def read_csv(data: Path, name: str) -> pd.DataFrame:
    """The newest version of a CSV table, all of it texts."""
    return pd.read_csv(newest(data, name), dtype=str)


def encoder_store(data: Path) -> EncoderStore:
    """The store of a data folder's pretrained encoders."""
    return EncoderStore(data / "06_models" / "pretrained_encoders", PROJECT)

"""What many tests start from."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from kedro.config import OmegaConfigLoader

from multimodal_sentiment.parameters import Parameters

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def settings() -> dict[str, Any]:
    """The parameters of conf/scratch, as plain values that a test may change."""
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"),
        base_env="base",
        default_run_env="scratch",
        merge_strategy={"parameters": "soft"},
    )
    return dict(loader["parameters"])


@pytest.fixture
def tiny(settings: dict[str, Any]) -> Callable[..., Parameters]:
    """Parameters of models that train in a second; keywords change some (`training__epochs=2`)."""

    def build(**changes: Any) -> Parameters:
        quick = {
            "model__text__scratch__hidden_size": 16,
            "model__text__scratch__layers": 1,
            "model__text__scratch__heads": 2,
            "model__text__scratch__vocabulary_size": 200,
            "model__text__max_tokens": 16,
            "model__image__resize": 64,
            "model__fusion__hidden_size": 16,
            "training__epochs": 1,
            "training__batch_size": 8,
            "compute__precision": "fp32",
            "compute__device": "cpu",
        }
        for name, value in (quick | changes).items():
            *path, last = name.split("__")
            group = settings
            for key in path:
                group = group[key]
            group[last] = value
        return Parameters.model_validate(settings)

    return build


@pytest.fixture
def make_examples() -> Callable[..., pa.Table]:
    """A table of examples as the preparation writes it, from texts, tags and pictures."""

    def build(texts: list[str], tags: list[str], pictures: list[np.ndarray | None]) -> pa.Table:
        heights = [0 if picture is None else picture.shape[0] for picture in pictures]
        widths = [0 if picture is None else picture.shape[1] for picture in pictures]
        columns = {
            "guid": [str(100 + index) for index in range(len(texts))],
            "text": texts,
            "tag": tags,
            "problems": ["no_image" if picture is None else "" for picture in pictures],
            "image": [None if picture is None else picture.tobytes() for picture in pictures],
            "height": heights,
            "width": widths,
            "image_hash": [f"{index:016x}" for index in range(len(texts))],
        }
        types = {"image": pa.large_binary(), "height": pa.int32(), "width": pa.int32()}
        schema = pa.schema(
            [(name, types.get(name, pa.string())) for name in columns],
            metadata={"storage": "pixels"},
        )
        return pa.table(columns, schema=schema)

    return build


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    mount, umount = shutil.which("mount"), shutil.which("umount")
    if not mount or not umount or os.geteuid() != 0:
        pytest.skip("only root may mount a small disk")
    options = ["-t", "tmpfs", "-o", "size=512k", "none", str(place)]
    if subprocess.run([mount, *options], check=False, capture_output=True).returncode:
        pytest.skip("no disk can be mounted here")
    yield place
    subprocess.run([umount, str(place)], check=True)


@pytest.fixture
def longest_file() -> Callable[[int], AbstractContextManager[None]]:
    """Within it, files of this process may have so many bytes; pytest's own log too."""
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        former = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, former[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, former)

    return limited

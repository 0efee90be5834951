"""What many tests start from."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import deepcopy
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import yaml

from multimodal_sentiment.parameters import Parameters

from .commands import PROJECT, QUICK, Project, load_parameters, params


@pytest.fixture(scope="session")
def trained_project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project with sixty posts, trained once; a test that writes into its data copies it."""
    project = Project(tmp_path_factory.mktemp("trained") / "project")
    project.path.mkdir()
    for name in ("src", "conf", "notebooks"):
        shutil.copytree(
            PROJECT / name, project.path / name, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(PROJECT / name, project.path / name)
    own = {"raw": "data/01_raw", "data": "data"}  # whatever the user's conf/local says
    (project.path / "conf" / "local" / "globals.yml").write_text(yaml.safe_dump(own))
    project.kedro("sample", "data/01_raw", "--labelled", "60", "--unlabelled", "12")
    project.log = project.kedro("run", "--env=scratch", "--params", params(QUICK)).stderr
    return project


@pytest.fixture(scope="session")
def settings() -> dict[str, Any]:
    """The parameters of conf/scratch, as plain values."""
    return load_parameters("scratch")


@pytest.fixture(scope="session")
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
            "evaluation__bootstrap_samples": 500,
        }
        changed = deepcopy(settings)
        for name, value in (quick | changes).items():
            *path, last = name.split("__")
            group = changed
            for key in path:
                group = group[key]
            group[last] = value
        return Parameters.model_validate(changed)

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
            "image_sha256": [
                None if picture is None else sha256(picture.tobytes()).hexdigest()
                for picture in pictures
            ],
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

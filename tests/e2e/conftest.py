"""A project of its own, trained once, for what people look at."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
QUICK = (
    "training.epochs=1,model.text.scratch.hidden_size=16,model.text.scratch.layers=1,"
    "model.text.scratch.heads=2,evaluation.bootstrap_samples=200"
)


@dataclass
class Project:
    """A copy of the project whose folders are its own."""

    path: Path

    def kedro(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=self.path,
            env=os.environ | {"PYTHONPATH": str(self.path / "src")},
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done

    def newest(self, name: str) -> Path:
        folder = self.path / "data" / name
        return max(folder.iterdir()) / folder.name


@pytest.fixture(scope="session")
def trained_project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = Project(tmp_path_factory.mktemp("looks") / "project")
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
    project.kedro("run", "--env=scratch", "--params", QUICK)
    yield project

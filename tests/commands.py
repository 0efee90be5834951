"""The commands of the project as a user types them, for tests that need processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.config import OmegaConfigLoader

PROJECT = Path(__file__).parents[1]

# A model that trains in a second.
QUICK: dict[str, Any] = {
    "training.epochs": 1,
    "model.text.scratch.hidden_size": 16,
    "model.text.scratch.layers": 1,
    "model.text.scratch.heads": 2,
    "model.fusion.hidden_size": 16,
    "evaluation.bootstrap_samples": 100,
}
SMALL_IMAGES = {"preparation.short_side": 64, "model.image.resize": 64}


def kedro(
    *arguments: str,
    cwd: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
    typed: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; `typed` is what it gets where it asks."""
    return subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=cwd,
        env=os.environ | (environment or {}),
        input=typed,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=900,
        check=False,
    )


def start_kedro(*arguments: str) -> subprocess.Popen[str]:
    """Start a command, which may be killed."""
    return subprocess.Popen(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=PROJECT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def newest(data: Path, name: str) -> Path:
    """The newest version of a dataset's file or folder."""
    folder = data / name
    return max(folder.iterdir()) / folder.name


def load_parameters(env: str = "base") -> dict[str, Any]:
    """The parameters of an environment, as plain values."""
    loader = OmegaConfigLoader(
        str(PROJECT / "conf"),
        base_env="base",
        default_run_env=env,
        merge_strategy={"parameters": "soft"},
    )
    return dict(loader["parameters"])


def params(given: Mapping[str, Any]) -> str:
    """Parameters as `--params` takes them."""
    return ",".join(f"{name}={value}" for name, value in given.items())


@dataclass
class Project:
    """A copy of the project whose folders are its own.

    Attributes:
        path: Its folder.
        log: What the run that trained it said.
    """

    path: Path
    log: str = ""

    @property
    def raw(self) -> Path:
        """The folder of its posts."""
        return self.data / "01_raw"

    @property
    def data(self) -> Path:
        """The folder of all that it writes."""
        return self.path / "data"

    def run(
        self, *arguments: str, cwd: Path | None = None, typed: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, however it ends."""
        return kedro(
            *arguments,
            cwd=cwd or self.path,
            environment={"PYTHONPATH": str(self.path / "src")},
            typed=typed,
        )

    def kedro(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command that must succeed."""
        done = self.run(*arguments, cwd=cwd)
        assert done.returncode == 0, done.stderr
        return done

    def copy_to(self, path: Path) -> Project:
        """Copy it, with its data, for a test that writes."""
        return Project(Path(shutil.copytree(self.path, path, symlinks=True)))

    def newest(self, name: str) -> Path:
        """The newest version of a dataset's file or folder."""
        return newest(self.data, name)

    def frame(self, name: str) -> pd.DataFrame:
        """The newest version of a table, all of it texts."""
        return pd.read_csv(self.newest(name), dtype=str, keep_default_na=False)

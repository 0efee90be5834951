"""A project in miniature, whose runs can be made to fail."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro.runner import SequentialRunner

from multimodal_sentiment.cli import cli

HERE = Path(__file__).parent
REPOSITORY = HERE.parents[1]


@dataclass
class Project:
    """A copy of the miniature project."""

    path: Path

    @property
    def data(self) -> Path:
        return self.path / "data"

    def run(
        self,
        pipeline: str = "__default__",
        params: dict[str, Any] | None = None,
        trouble: dict[str, Any] | None = None,
        **options: Any,
    ) -> dict[str, Any]:
        """Run in this process, as a notebook would."""
        runtime = {**(params or {}), **({"trouble": trouble} if trouble else {})}
        options.setdefault("runner", SequentialRunner())
        return self.session(runtime_params=runtime).run(pipeline_names=[pipeline], **options)

    def session(self, **options: Any) -> KedroSession:
        """A session in this process."""
        return KedroSession.create(project_path=self.path, **options)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start a command of its own."""
        options.setdefault("preexec_fn", heed_signals)
        wrapper = options.pop("wrapper", list)  # what the command is run by
        return subprocess.Popen(
            wrapper([sys.executable, "-m", "kedro", *arguments]),
            cwd=options.pop("cwd", self.path),
            env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )

    def kedro(self, *arguments: str, **options: Any) -> tuple[int, str]:
        """Run a command: its exit status and what it said."""
        process = self.start(*arguments, **options)
        output, _ = process.communicate(timeout=60)
        return process.returncode, output

    def command(self, *arguments: str) -> tuple[int, str]:
        """Run a command in this process, in the project's folder; much faster than `kedro`."""
        metadata = bootstrap_project(self.path)
        with chdir(self.path):
            result = CliRunner().invoke(cli, list(arguments), obj=metadata)
        return result.exit_code, result.output

    def start_held(self, *more: str) -> subprocess.Popen[str]:
        """Start a training; it is in the middle of its training node until `let_go`."""
        params = ",".join([f"trouble.hold={self.mark}", *more])
        process = self.start("run", "--pipeline=training", f"--params={params}")
        wait_for(self.mark)
        return process

    def let_go(self) -> None:
        """Let the held training go on."""
        self.mark.unlink()

    @property
    def mark(self) -> Path:
        return self.path / "held"

    def versions(self, place: str) -> list[str]:
        """Versions of a dataset, oldest first."""
        return sorted(path.name for path in (self.data / place).iterdir())

    def records(self) -> list[dict[str, Any]]:
        """The records, oldest first."""
        paths = sorted((self.data / "runs").glob("*.json"))
        return [json.loads(path.read_text()) for path in paths]

    def results(self) -> dict[str, bytes]:
        """All files below the data folder, but for those about runs."""
        return {
            str(path.relative_to(self.data)): path.read_bytes()
            for path in self.data.rglob("*")
            if path.is_file() and (self.data / "runs") not in path.parents
        }

    def staged(self) -> list[Path]:
        """What is left in staging folders."""
        return [path for path in (self.data / "runs").iterdir() if path.is_dir()]


@pytest.fixture
def as_nobody_special() -> Callable[[list[str]], list[str]]:
    """Have a command run without root's right to read and write everything."""
    if os.geteuid() != 0:
        return list
    setpriv = shutil.which("setpriv")
    if not setpriv:
        pytest.skip("root may read and write anywhere")
    return lambda command: [setpriv, "--bounding-set=-dac_override,-dac_read_search", *command]


def heed_signals() -> None:
    """Undo what a shell does to commands in its background: they ignore Ctrl-C and hang-ups."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


def wait_for(path: Path, seconds: float = 30) -> None:
    """Return as soon as a file is there."""
    end = time.monotonic() + seconds
    while not path.exists():
        if time.monotonic() > end:
            raise TimeoutError(f"{path} does not appear")
        time.sleep(0.02)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A fresh copy of the miniature project."""
    path = tmp_path / "project"
    shutil.copytree(HERE / "project", path)
    shutil.copy(REPOSITORY / ".telemetry", path)
    shutil.copy(REPOSITORY / "conf" / "logging.yml", path / "conf")
    bootstrap_project(path)
    for name in ("datasets", "pipeline_registry"):  # before the first copy of the project is gone
        import_module(f"miniature.{name}")
    return Project(path)

"""A run that cannot have its workers says so in one line, before its first node."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ..commands import Project, kedro


def run(project: Project, *options: str, **environment: str) -> tuple[int, str]:
    """Run a command that asks for workers; the status, and what was said."""
    done = kedro(
        "run",
        "--pipeline=inference",
        "--params=cluster.workers=2",
        *options,
        cwd=project.path,
        environment={"PYTHONPATH": str(project.path / "src"), "COLUMNS": "1000", **environment},
    )
    return done.returncode, done.stderr


def test_ray_that_is_not_installed(trained_project: Project, tmp_path: Path) -> None:
    (tmp_path / "ray.py").write_text("raise ImportError('it is hidden')\n")
    folders = os.pathsep.join([str(trained_project.path / "src"), str(tmp_path)])

    status, said = run(trained_project, PYTHONPATH=folders)

    assert status == 1
    assert said.strip().splitlines()[-1] == (
        'Error: cluster.workers needs ray: pip install "multimodal-sentiment[cluster]", or set it '
        "to 0"
    )
    assert "read_posts" not in said


def test_a_cluster_that_does_not_answer(trained_project: Project) -> None:
    pytest.importorskip("ray")

    status, said = run(trained_project, RAY_ADDRESS="127.0.0.1:1")

    assert status == 1
    line = said.strip().splitlines()[-1]
    assert line.startswith("Error: no Ray cluster can be joined at RAY_ADDRESS=127.0.0.1:1 (")
    assert 'start one with "ray start --head"' in line
    assert "read_posts" not in said


def test_kedros_own_processes_and_workers_do_not_go_together(trained_project: Project) -> None:
    status, said = run(trained_project, "--pipeline=reading", "--runner=ParallelRunner")

    assert status == 1
    assert "leave it out, or set cluster.workers to 0" in said.strip().splitlines()[-1]

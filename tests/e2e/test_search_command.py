"""A search as a user runs it, killed three times and started again: `pytest -m slow` runs this."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

from multimodal_sentiment.sample import write_sample

PROJECT = Path(__file__).parents[2]
QUICK = (
    "training.epochs=1,model.text.scratch.hidden_size=16,model.text.scratch.layers=1,"
    "model.text.scratch.heads=2,evaluation.bootstrap_samples=200,preparation.short_side=64,"
    "model.image.resize=64,search.folds=2,search.trials=5,search.startup_trials=3"
)


def start(
    conf: Path, raw: Path, data: Path, pipeline: str, params: str, env: str = "scratch"
) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "kedro", "run", f"--pipeline={pipeline}", f"--env={env}"]
    command += [f"--conf-source={conf}", "--params", f"raw={raw},data={data}{params}"]
    return subprocess.Popen(
        command,
        cwd=PROJECT,
        env=os.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def newest(data: Path, name: str) -> Path:
    path = data / "08_reporting" / name
    return max(path.iterdir()) / path.name


def trials(data: Path) -> pd.DataFrame:
    table = pd.read_csv(newest(data, "search_table.csv"), dtype=str, keep_default_na=False)
    return table.drop(columns="seconds")


@pytest.mark.slow
def test_a_killed_search_ends_as_an_undisturbed_one_and_its_parameters_can_be_used(
    tmp_path: Path,
) -> None:
    raw, data, whole = tmp_path / "raw", tmp_path / "data", tmp_path / "whole"
    write_sample(raw, labelled=60, unlabelled=0)
    kept = data / "06_models" / "search"
    for _ in range(3):
        killed = start(PROJECT / "conf", raw, data, "search", f",{QUICK}")
        before, end = len(list(kept.glob("*.npz"))), time.monotonic() + 300
        while len(list(kept.glob("*.npz"))) < before + 2:  # trainings: a setting has two
            assert killed.poll() is None
            assert time.monotonic() < end
            time.sleep(0.02)
        killed.kill()
        _, said = killed.communicate()
        assert not (data / "08_reporting" / "search.json").exists(), said
    said = {}
    for folder in (data, whole):
        run = start(PROJECT / "conf", raw, folder, "search", f",{QUICK}")
        _, said[folder] = run.communicate(timeout=600)
        assert run.returncode == 0, said[folder]
        assert not (folder / "06_models" / "search").exists()
    pd.testing.assert_frame_equal(trials(data), trials(whole))
    assert len(trials(data)) == 6
    assert "the search goes on from there" in said[data]
    assert "search_report.html: open it in a browser" in said[data]

    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "local").mkdir(exist_ok=True)
    shutil.copy(newest(data, "parameters_chosen.yml"), tmp_path / "conf" / "local")
    used = start(tmp_path / "conf", raw, data, "splitting", "", env="local")
    _, said_then = used.communicate(timeout=300)
    assert used.returncode == 0, said_then

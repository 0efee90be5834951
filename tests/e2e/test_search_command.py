"""A search as a user runs it, killed three times and started again: `pytest -m slow` runs this."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import pandas as pd
import pytest

from multimodal_sentiment.sample import write_sample

from ..commands import PROJECT, QUICK, SMALL_IMAGES, kedro, newest, params, start_kedro

GIVEN = QUICK | SMALL_IMAGES | {"search.folds": 2, "search.trials": 5, "search.startup_trials": 3}


def start(raw: Path, data: Path) -> subprocess.Popen[str]:
    given = params({"raw": raw, "data": data} | GIVEN)
    return start_kedro("run", "--env=scratch", "--pipeline=search", "--params", given)


def trials(data: Path) -> pd.DataFrame:
    table = pd.read_csv(
        newest(data, "08_reporting/search_table.csv"), dtype=str, keep_default_na=False
    )
    return table.drop(columns="seconds")


@pytest.mark.slow
def test_a_killed_search_ends_as_an_undisturbed_one_and_its_parameters_can_be_used(
    tmp_path: Path,
) -> None:
    raw, data, whole = tmp_path / "raw", tmp_path / "data", tmp_path / "whole"
    write_sample(raw, labelled=60, unlabelled=0)
    kept = data / "06_models" / "search"
    for _ in range(3):
        killed = start(raw, data)
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
        run = start(raw, folder)
        _, said[folder] = run.communicate(timeout=600)
        assert run.returncode == 0, said[folder]
        assert not (folder / "06_models" / "search").exists()
    pd.testing.assert_frame_equal(trials(data), trials(whole))
    assert len(trials(data)) == 6
    assert "the search goes on from there" in said[data]
    assert "search_report.html: open it in a browser" in said[data]

    shutil.copytree(PROJECT / "conf", tmp_path / "conf")
    (tmp_path / "conf" / "local").mkdir(exist_ok=True)
    shutil.copy(newest(data, "08_reporting/parameters_chosen.yml"), tmp_path / "conf" / "local")
    given = params({"raw": raw, "data": data})
    conf = f"--conf-source={tmp_path / 'conf'}"
    used = kedro("run", "--pipeline=splitting", "--env=local", conf, "--params", given)
    assert used.returncode == 0, used.stderr

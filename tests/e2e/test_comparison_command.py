"""A comparison as a user runs it, killed in the middle and started again."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pandas as pd

from multimodal_sentiment.sample import write_sample

from ..commands import QUICK, SMALL_IMAGES, newest, params, start_kedro

GIVEN = (
    QUICK
    | SMALL_IMAGES
    | {
        "comparison.variants.image": "null",
        "comparison.folds": 2,
        "comparison.seeds": 1,
    }
)
TRAININGS = 4  # of text and both, on two folds


def start(raw: Path, data: Path) -> subprocess.Popen[str]:
    given = params({"raw": raw, "data": data} | GIVEN)
    return start_kedro("run", "--env=scratch", "--pipeline=comparison", "--params", given)


def finished(data: Path) -> list[Path]:
    return list((data / "06_models" / "comparison").glob("*.npz"))


def test_a_killed_comparison_goes_on_and_judges_every_post(tmp_path: Path) -> None:
    raw, data = tmp_path / "raw", tmp_path / "data"
    write_sample(raw, labelled=60, unlabelled=0)
    killed = start(raw, data)
    end = time.monotonic() + 300
    while not finished(data) and killed.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    killed.kill()
    _, said = killed.communicate()
    done = len(finished(data))
    assert 1 <= done < TRAININGS, said
    assert not (data / "08_reporting").exists()

    again = start(raw, data)
    _, said = again.communicate(timeout=400)
    assert again.returncode == 0, said
    assert f"{TRAININGS} trainings to compare, {done} of them done before" in said
    assert said.count(f" of {TRAININGS}: ") == TRAININGS - done
    assert "what it wrote is removed" in said
    assert not (data / "06_models" / "comparison").exists()

    listed = [line.split(",")[0] for line in (raw / "train.txt").read_text().splitlines()[1:]]
    predictions = pd.read_csv(
        newest(data, "07_model_output/comparison_predictions.csv"), dtype={"guid": str}
    )
    for _, answers in predictions.groupby("variant"):
        assert sorted(answers["guid"]) == sorted(listed)
    comparison = json.loads(newest(data, "08_reporting/comparison.json").read_text("utf-8"))
    assert list(comparison["table"]) == ["text", "both", "majority", "tfidf"]
    assert [(pair["first"], pair["second"]) for pair in comparison["pairs"]] == [("both", "text")]
    for sentence in comparison["verdict"]:
        assert sentence in said
    right = predictions["tag"] == predictions["predicted"]
    for name in ("text", "both"):
        assert comparison["table"][name]["accuracy"] == right[predictions["variant"] == name].mean()
    assert newest(data, "08_reporting/second_look.csv").is_file()

"""The commands of the README, run as a user runs them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

PROJECT = Path(__file__).parents[2]
QUICK = (
    "training.epochs=1,model.text.scratch.hidden_size=16,model.text.scratch.layers=1,"
    "model.text.scratch.heads=2,evaluation.bootstrap_samples=200"
)


def kedro(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "kedro", *arguments],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "runs" not in path.relative_to(folder).parts
    }


@dataclass
class Journey:
    raw: Path
    data: Path
    log: str = ""

    def run(self, pipeline: str, *arguments: str, params: str = QUICK) -> str:
        """The log of a run that succeeds."""
        where = f"raw={self.raw},data={self.data},{params}"
        env = [] if pipeline == "inference" else ["--env=scratch"]
        done = kedro("run", f"--pipeline={pipeline}", *env, "--params", where, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stderr

    def newest(self, name: str) -> Path:
        path = self.data / name
        return max(path.iterdir()) / path.name

    def frame(self, name: str) -> pd.DataFrame:
        return pd.read_csv(self.newest(name), dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def journey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journey]:
    """A sample folder, trained on once."""
    place = tmp_path_factory.mktemp("journey")
    made = kedro("sample", str(place / "raw"), "--labelled", "60", "--unlabelled", "12")
    assert made.returncode == 0, made.stderr
    journey = Journey(place / "raw", place / "data")
    journey.log = journey.run("training")
    yield journey


def test_training_leaves_a_row_for_every_post_and_metrics_of_the_validation_posts(
    journey: Journey,
) -> None:
    listed = (journey.raw / "train.txt").read_text().splitlines()[1:]
    posts = journey.frame("02_intermediate/labelled/posts.csv")
    assert [f"{row.guid},{row.tag}" for row in posts.itertuples()] == listed

    train = journey.frame("05_model_input/train_posts.csv")
    validation = journey.frame("05_model_input/validation_posts.csv")
    assert set(train["guid"]) | set(validation["guid"]) == set(posts["guid"])
    assert not set(train["guid"]) & set(validation["guid"])

    metrics = json.loads(journey.newest("08_reporting/metrics.json").read_text(encoding="utf-8"))
    predictions = journey.frame("07_model_output/validation_predictions.csv")
    assert list(predictions["guid"]) == list(validation["guid"])
    right = (predictions["tag"] == predictions["predicted"]).mean()
    assert metrics["accuracy"] == pytest.approx(right)
    assert metrics["accuracy_interval"][0] <= right <= metrics["accuracy_interval"][1]
    assert set(metrics["baselines"]) == {"majority", "tfidf"}
    model = max((journey.data / "06_models" / "fusion_model").iterdir())
    assert metrics["protocol"]["model"]["version"] == model.name


def test_the_log_says_how_it_went_and_what_was_trained(journey: Journey) -> None:
    assert "from scratch" in journey.log
    assert "Epoch 1 of 1" in journey.log
    assert "posts/s" in journey.log
    assert "accuracy" in journey.log.splitlines()[-3]
    assert "Traceback" not in journey.log


def test_the_model_folder_holds_no_pickle(journey: Journey) -> None:
    names = {path.name for path in journey.newest("06_models/fusion_model").iterdir()}

    assert {"config.json", "model.safetensors", "tokenizer.json", "encoding_profile.json"} <= names
    assert "README.md" in names
    assert not [name for name in names if name.endswith((".bin", ".pkl", ".pt", ".pth"))]
    assert not (journey.data / "06_models" / "checkpoints").exists()


def test_inference_answers_the_listing_and_changes_nothing_that_training_wrote(
    journey: Journey,
) -> None:
    before = digests(journey.data)
    journey.run("inference")
    after = digests(journey.data)

    assert before.items() <= after.items()
    listed = [line.split(",")[0] for line in _lines(journey.raw / "test_without_label.txt")]
    submitted = [
        line.split(",") for line in _lines(journey.data / "07_model_output/submission.txt")
    ]
    assert [guid for guid, _ in submitted] == listed
    assert {tag for _, tag in submitted[1:]} <= {"negative", "neutral", "positive"}


def test_pictures_prepared_otherwise_are_not_answered(journey: Journey) -> None:
    before = digests(journey.data)
    where = f"raw={journey.raw},data={journey.data}"
    refused = kedro(
        "run", "--pipeline=inference", "--params", f"{where},preparation.short_side=128"
    )

    assert refused.returncode == 1
    assert "prepared otherwise than those that the model learnt from" in refused.stderr
    assert "--params preparation.short_side=256, or train anew" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert digests(journey.data) == before


def test_the_report_shows_wrong_answers_with_their_pictures(journey: Journey) -> None:
    report = journey.newest("08_reporting/report.html").read_text(encoding="utf-8")
    predictions = journey.frame("07_model_output/validation_predictions.csv")
    wrong = int((predictions["tag"] != predictions["predicted"]).sum())

    assert f"{wrong} of {len(predictions)} answers are wrong" in report
    assert 1 <= report.count('src="data:image/jpeg;base64,') <= 24
    assert "report.html: open it in a browser" in journey.log


def test_a_command_in_a_folder_of_the_project_logs_as_elsewhere(journey: Journey) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "kedro", "run", "--pipeline=splitting"),
            *("--params", f"raw={journey.raw},data={journey.data}"),
        ],
        cwd=PROJECT / "notebooks",
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert " INFO    1/1 splitting.split_posts: " in done.stderr
    assert "Loading weights" not in journey.log


def test_a_pinned_model_answers_as_it_did(journey: Journey) -> None:
    predictions = "07_model_output/unlabelled/predictions.csv"
    first = max((journey.data / "06_models" / "fusion_model").iterdir()).name
    journey.run("inference")
    answered = journey.newest(predictions).read_bytes()
    journey.run("fitting", params=f"{QUICK},training.seed=1")
    assert len(list((journey.data / "06_models" / "fusion_model").iterdir())) == 2

    journey.run("inference")
    assert journey.newest(predictions).read_bytes() != answered
    journey.run("inference", f"--load-versions=fusion_model:{first}")
    assert journey.newest(predictions).read_bytes() == answered


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ("training.epoch=1", "unknown parameter training.epoch: did you mean training.epochs?"),
        ("trainin.epochs=1", "unknown parameter trainin: did you mean training?"),
        ("training.epochs=many", "training.epochs"),
        ("raw=nowhere", "nowhere"),
    ],
)
def test_what_cannot_work_is_one_line(journey: Journey, params: str, words: str) -> None:
    where = {"raw": str(journey.raw), "data": str(journey.data)}
    where |= dict([params.split("=", 1)])
    given = ",".join(f"{key}={value}" for key, value in where.items())
    done = kedro("run", "--pipeline=training", "--env=scratch", "--params", given)

    assert done.returncode != 0
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_inference_without_a_model_says_what_to_do(journey: Journey, tmp_path: Path) -> None:
    done = kedro("run", "--pipeline=inference", "--params", f"raw={journey.raw},data={tmp_path}")

    assert done.returncode != 0
    assert "kedro run --pipeline=training" in done.stderr
    assert "Traceback" not in done.stderr


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_photos_can_be_drawn_as_noise(tmp_path: Path) -> None:
    counts = ["--labelled", "20", "--unlabelled", "5"]
    made = [
        kedro("sample", str(tmp_path / "drawn"), *counts),
        kedro("sample", str(tmp_path / "noise"), *counts, "--noise"),
    ]
    assert [run.returncode for run in made] == [0, 0]

    drawn, noise = (tmp_path / name for name in ("drawn", "noise"))
    assert (drawn / "train.txt").read_text() == (noise / "train.txt").read_text()
    photos = [path.name for path in (drawn / "data").glob("*.jpg")]
    same = [
        name
        for name in photos
        if (drawn / "data" / name).read_bytes() == (noise / "data" / name).read_bytes()
    ]
    assert len(photos) >= 23
    assert len(same) <= 1  # a broken photo is broken alike

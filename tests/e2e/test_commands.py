"""The commands of the README, run as a user runs them."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from ..commands import QUICK, Project, kedro, params

MODELS = "06_models/fusion_model"
ANSWERED = "answered/test_without_label.txt"
PREDICTIONS = "07_model_output/unlabelled/predictions.csv"


def digests(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "runs" not in path.relative_to(folder).parts
    }


@pytest.fixture
def copy(trained_project: Project, tmp_path: Path) -> Project:
    """The trained project once more, to write into."""
    return trained_project.copy_to(tmp_path / "project")


def test_training_leaves_a_row_for_every_post_and_metrics_of_the_validation_posts(
    trained_project: Project,
) -> None:
    listed = (trained_project.raw / "train.txt").read_text().splitlines()[1:]
    posts = trained_project.frame("02_intermediate/labelled/posts.csv")
    assert [f"{row.guid},{row.tag}" for row in posts.itertuples()] == listed

    train = trained_project.frame("05_model_input/train_posts.csv")
    validation = trained_project.frame("05_model_input/validation_posts.csv")
    assert set(train["guid"]) | set(validation["guid"]) == set(posts["guid"])
    assert not set(train["guid"]) & set(validation["guid"])

    metrics = json.loads(
        trained_project.newest("08_reporting/metrics.json").read_text(encoding="utf-8")
    )
    predictions = trained_project.frame("07_model_output/validation_predictions.csv")
    assert list(predictions["guid"]) == list(validation["guid"])
    right = (predictions["tag"] == predictions["predicted"]).mean()
    assert metrics["accuracy"] == pytest.approx(right)
    assert metrics["accuracy_interval"][0] <= right <= metrics["accuracy_interval"][1]
    assert set(metrics["baselines"]) == {"majority", "tfidf"}
    model = max((trained_project.data / "06_models" / "fusion_model").iterdir())
    assert metrics["protocol"]["model"]["version"] == model.name
    assert metrics["protocol"]["split"] == {"validation_fraction": 0.2, "seed": 0}


def test_the_log_says_how_it_went_and_what_was_trained(trained_project: Project) -> None:
    assert "from scratch" in trained_project.log
    assert "Epoch 1 of 1" in trained_project.log
    assert "posts/s" in trained_project.log
    assert any("accuracy" in line for line in trained_project.log.splitlines()[-6:])
    assert "Traceback" not in trained_project.log
    assert "Loading weights" not in trained_project.log


def test_the_model_folder_holds_no_pickle(trained_project: Project) -> None:
    names = {path.name for path in trained_project.newest("06_models/fusion_model").iterdir()}

    assert {"config.json", "model.safetensors", "tokenizer.json", "encoding_profile.json"} <= names
    assert "README.md" in names
    assert not [name for name in names if name.endswith((".bin", ".pkl", ".pt", ".pth"))]
    assert not (trained_project.data / "06_models" / "checkpoints").exists()


def test_the_submission_answers_the_listing(trained_project: Project) -> None:
    listed = [line.split(",")[0] for line in lines(trained_project.raw / "test_without_label.txt")]
    submission = lines(trained_project.data / "07_model_output/submission.txt")

    assert [line.split(",")[0] for line in submission] == listed
    assert {line.split(",")[1] for line in submission[1:]} <= {"negative", "neutral", "positive"}
    answered = pd.read_csv(trained_project.data / "07_model_output" / ANSWERED, dtype=str)
    assert [f"{row.guid},{row.predicted}" for row in answered.itertuples()] == submission[1:]
    assert f"{ANSWERED}\n" in trained_project.log


def test_inference_compares_the_new_posts_with_the_validation_posts(
    trained_project: Project,
) -> None:
    drift = json.loads(trained_project.newest("08_reporting/drift.json").read_text("utf-8"))
    page = trained_project.newest("08_reporting/inference_report.html").read_text("utf-8")

    model = max((trained_project.data / MODELS).iterdir()).name
    assert (drift["model"], drift["posts"]) == (model, 12)
    assert drift["validation_posts"] <= 12
    assert 0 < drift["p_value"] <= 1
    assert sum(tag["posts"] for tag in drift["predicted_tags"].values()) == 12
    assert drift["sentences"][0] in page
    assert "does not measure accuracy" in page


@pytest.mark.fault("listing", "no new posts", "an empty submission, and exit 0")
def test_a_night_without_posts_is_an_empty_submission(
    trained_project: Project, tmp_path: Path
) -> None:
    raw = tmp_path / "raw"
    (raw / "data").mkdir(parents=True)
    (raw / "test_without_label.txt").write_text("guid,tag\n")
    given = {"raw": raw, "data": tmp_path / "data", "model_folder": trained_project.newest(MODELS)}
    trained_project.kedro("run", "--pipeline=inference", "--params", params(given))

    assert lines(tmp_path / "data/07_model_output/submission.txt") == ["guid,tag"]
    assert list((tmp_path / "data/08_reporting/inference_report.html").iterdir())


def test_the_report_shows_wrong_answers_with_their_pictures(trained_project: Project) -> None:
    report = trained_project.newest("08_reporting/report.html").read_text(encoding="utf-8")
    predictions = trained_project.frame("07_model_output/validation_predictions.csv")
    wrong = int((predictions["tag"] != predictions["predicted"]).sum())

    assert f"{wrong} of {len(predictions)} answers are wrong" in report
    assert 1 <= report.count('src="data:image/jpeg;base64,') <= 24
    assert "report.html: open it in a browser" in trained_project.log


def test_a_pinned_model_answers_as_it_did_and_inference_changes_nothing_else(
    copy: Project,
) -> None:
    answered = copy.newest(PREDICTIONS).read_bytes()
    (first,) = (path.name for path in (copy.data / MODELS).iterdir())
    given = params(QUICK | {"training.seed": 1})
    copy.kedro("run", "--env=scratch", "--pipeline=fitting", "--params", given)
    assert len(list((copy.data / MODELS).iterdir())) == 2

    before = digests(copy.data)
    copy.kedro("run", "--pipeline=inference")
    assert copy.newest(PREDICTIONS).read_bytes() != answered
    after = digests(copy.data)
    # These have one place, without versions.
    replaced = {f"07_model_output/{name}" for name in ("submission.txt", ANSWERED)}
    assert {name for name in before if after.get(name) != before[name]} <= replaced

    copy.kedro("run", "--pipeline=inference", f"--load-versions=fusion_model:{first}")
    assert copy.newest(PREDICTIONS).read_bytes() == answered


def test_a_report_on_an_earlier_model_shows_nothing_of_a_later_one(copy: Project) -> None:
    (first,) = (path.name for path in (copy.data / MODELS).iterdir())
    later = QUICK | {"model.modality": "text", "splitting.seed": 1}
    copy.kedro("run", "--env=scratch", "--pipeline=training", "--params", params(later))

    judged = f"--load-versions=fusion_model:{first},metrics:{first}"
    copy.kedro("run", "--env=scratch", "--pipeline=reporting", "--params", params(QUICK), judged)

    record = max((copy.data / "runs").glob("*.json"))
    assert set(json.loads(record.read_text(encoding="utf-8"))["reads"].values()) == {first}


def test_an_old_model_is_pruned_by_its_own_name(copy: Project) -> None:
    (only,) = (copy.data / MODELS).iterdir()
    older = "2001-01-01T00.00.00.000Z"
    shutil.copytree(only, copy.data / MODELS / older)

    done = copy.kedro("prune", "--keep=1", "--yes", "--env=scratch")

    assert f"{MODELS}/{older}  (old version of fusion_model)" in done.stdout


def test_a_command_in_a_folder_of_the_project_logs_as_elsewhere(copy: Project) -> None:
    done = copy.kedro("run", "--pipeline=splitting", cwd=copy.path / "notebooks")

    assert " INFO    1/1 splitting.split_posts: " in done.stderr


def test_a_folder_without_a_listing_of_new_posts_can_be_trained_on(
    trained_project: Project, tmp_path: Path
) -> None:
    (tmp_path / "train.txt").write_text("guid,tag\n1,positive\n")

    done = trained_project.run("run", "--params", f"raw={tmp_path},data=nowhere")

    assert done.returncode != 0
    assert "unlabelled.listing: no file" in done.stderr
    assert f'only train, with "kedro run --pipeline=training --params raw={tmp_path}' in done.stderr


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def test_photos_can_be_drawn_as_noise(tmp_path: Path) -> None:
    place = tmp_path / "noise"

    done = kedro("sample", str(place), "--labelled", "20", "--unlabelled", "5", "--noise")

    assert done.returncode == 0, done.stderr
    assert len(list((place / "data").glob("*.jpg"))) >= 23
    assert not any(json.loads(row)["box"] for row in lines(place / "decisive.jsonl"))

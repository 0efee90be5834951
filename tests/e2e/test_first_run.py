"""What a newcomer tries first: a table of posts that all have a tag, and then one without tags."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest

from ..commands import PROJECT, QUICK, kedro, params

NAMED = {"columns.text": "Tweet Content", "columns.tag": "Mood?"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Some of the sample's posts as a table whose columns have names of their own."""
    place = tmp_path_factory.mktemp("newcomer")
    raw = PROJECT / "data" / "01_raw"
    listing = pd.read_csv(raw / "train.txt", dtype=str).head(60)
    images = [raw / "data" / f"{guid}.jpg" for guid in listing["guid"]]
    posts = pd.DataFrame(
        {
            "Tweet Content": [
                (raw / "data" / f"{guid}.txt").read_bytes().decode("utf-8", "replace")
                for guid in listing["guid"]
            ],
            "photo": [str(image) if image.exists() else "" for image in images],
            "Mood?": listing["tag"],
        }
    )
    posts.to_csv(place / "labelled.csv", index=False)
    posts.drop(columns="Mood?").head(8).to_csv(place / "NEW.csv", index=False)
    return place


@pytest.fixture(scope="module")
def said(place: Path) -> str:
    """What the plain command says of the labelled table alone."""
    return train(place)


def train(place: Path, *options: str) -> str:
    given = {"raw": "labelled.csv", "data": "out"}
    given = {name: str(place / path) for name, path in given.items()} | NAMED | QUICK
    done = kedro("run", "--env=scratch", *options, "--params", params(given))
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def refused(*arguments: str) -> str:
    """The one line that says why a command does nothing."""
    done = kedro("run", *arguments)
    assert done.returncode == 1
    lines = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert lines == done.stderr.splitlines()[-1:]
    return lines[0]


def test_a_labelled_table_alone_is_trained_on_and_says_how_to_predict(
    place: Path, said: str
) -> None:
    assert "labelled.csv: each post has a tag, so none is to be predicted in this run" in said
    assert "accuracy" in said
    assert not (place / "out/07_model_output/submission.txt").exists()
    assert not (place / "out/07_model_output/answered").exists()
    assert "Your posts with their answers" not in said
    assert "The submission is" not in said

    (command,) = re.findall(r"Next: kedro (.+?), or kedro viz", said)
    assert "columns.tag" not in command  # new posts have no such column

    done = kedro(*shlex.split(command.replace("NEW.csv", str(place / "NEW.csv"))))
    assert done.returncode == 0, done.stderr
    answers = place / "out/07_model_output"
    answered = pd.read_csv(answers / "answered/NEW.csv")
    assert answered["predicted"].notna().sum() == 8
    kept = {path: path.read_bytes() for path in answers.rglob("*") if path.is_file()}

    train(place)  # the same command again, which predicts nothing
    train(place, "--only-missing-outputs")

    assert {path: path.read_bytes() for path in kept} == kept
    new = {path for path in answers.rglob("*") if path.is_file()} - {*kept}
    assert {path.name for path in new} == {"validation_predictions.csv"}


@pytest.mark.usefixtures("said")
def test_inference_on_a_table_whose_texts_are_not_found_is_refused(place: Path) -> None:
    given = {"raw": place / "NEW.csv", "data": place / "out"}

    line = refused("--pipeline=inference", "--params", params(given))

    assert "8 of 8 posts have no text" in line
    assert "columns.text=NAME, among Tweet Content, photo" in line
    assert "ingestion.allow_missing=true goes on with what is there" in line


@pytest.mark.usefixtures("said")
def test_inference_alone_refuses_a_table_without_posts_to_be_predicted(place: Path) -> None:
    given = {"raw": place / "labelled.csv", "data": place / "out"} | NAMED

    line = refused("--pipeline=inference", "--params", params(given))

    assert "has no post to be predicted" in line


def test_inference_without_a_model_says_to_train_one_first(place: Path, tmp_path: Path) -> None:
    given = {"raw": place / "NEW.csv", "data": tmp_path, "columns.text": "Tweet Content"}

    line = refused("--pipeline=inference", "--params", params(given))

    assert line.startswith("Error: fusion_model: no version yet in ")
    assert "name a trained model with --params model_folder=FOLDER, or train one first" in line
    assert f"--pipeline=training --params 'raw=TAGGED_POSTS,data={tmp_path}," in line
    assert "NEW.csv" not in line  # there is nothing to learn from


def test_faults_of_the_posts_are_told_before_encoders_are_looked_for(
    place: Path, tmp_path: Path
) -> None:
    given = {"raw": place / "NEW.csv", "data": tmp_path, "columns.text": "Tweet Content"}

    line = refused("--params", params(given | {"model.text.encoder": "no/such-encoder"}))

    assert "columns.tag=NAME" in line
    assert "no/such-encoder" not in line


def test_the_sample_is_read_as_readme_shows(tmp_path: Path) -> None:
    readme = (PROJECT / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("by machine:\n\n```\n")[2].splitlines()[:3]
    assert "validation posts" in shown[2]

    done = kedro("run", "--pipeline=reading", "--params", params({"data": tmp_path}))

    said = done.stdout + done.stderr
    assert [line for line in shown if line not in said] == []

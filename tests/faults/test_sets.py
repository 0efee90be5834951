"""Sets of posts of which little can be learnt: an answer, or one line that says why not."""

from __future__ import annotations

import csv
from pathlib import Path

import click
import pytest

from multimodal_sentiment.config_loader import CheckedConfigLoader

from ..commands import QUICK, SMALL_IMAGES, kedro, params
from . import injection


def write(place: Path, tags: list[str], text: str = "post {}", image: str = "own") -> str:
    """A raw folder; the parameters that point to it."""
    files = place / "raw" / "data"
    files.mkdir(parents=True)
    for number in range(len(tags)):
        (files / f"{number}.txt").write_text(text.format(number * 7919), encoding="utf-8")
        if image != "none":
            photo = injection.photo(number if image == "own" else 0)
            (files / f"{number}.jpg").write_bytes(photo)
    for name, given in (("train.txt", tags), ("test_without_label.txt", ["null"] * len(tags))):
        with (place / "raw" / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([("guid", "tag"), *enumerate(given)])
    where = {"raw": place / "raw", "data": place / "data"}
    return params(where | QUICK | SMALL_IMAGES)


THREE = ["negative", "neutral", "positive"]


@pytest.mark.fault("set", "no image at all; no word at all; labels unlike the lab's", "an answer")
@pytest.mark.parametrize("kind", ["no images", "no words", "odd labels"])
def test_what_can_be_learnt_from_is(tmp_path: Path, kind: str) -> None:
    allowed = "" if kind == "odd labels" else ",ingestion.allow_missing=true"
    labels = ["=1+1", "<b>喜</b>", "NA"] if kind == "odd labels" else THREE
    tags = [labels[number % 3] for number in range(24)]
    given = write(
        tmp_path,
        tags,
        text=" " if kind == "no words" else "a text about {}",
        image="none" if kind == "no images" else "own",
    )
    if kind == "odd labels":
        given += f",ingestion.labels={labels}"
    done = kedro("run", "--env=scratch", "--params", given + allowed)  # training, then inference
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr and "Warning" not in done.stderr
    with (tmp_path / "data/07_model_output/submission.txt").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["guid"] for row in rows] == [str(number) for number in range(24)]
    assert {row["tag"] for row in rows} <= set(labels)


@pytest.mark.fault("set", "posts that are all twins of each other", "one line, nothing left")
def test_what_cannot_be_learnt_from_is_refused(tmp_path: Path) -> None:
    given = write(tmp_path, THREE * 4, text="the same words in all", image="same")
    done = kedro("run", "--env=scratch", "--pipeline=training", "--params", given)

    assert done.returncode == 1
    *_, line = done.stderr.strip().splitlines()
    assert line.startswith("Error: ")
    assert "are all twins of each other" in line
    assert "Traceback" not in done.stderr
    results = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {path.parent.name for path in results} <= {"runs"}


@pytest.mark.fault("hostile", "parameters with Python tags", "one line, nothing is run")
@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch {ran}']",
        "!!python/object/new:os.system ['touch {ran}']",
        "!!python/object/apply:pathlib.Path.touch [!!python/object/apply:pathlib.Path ['{ran}']]",
        "!!python/name:os.system ''",
        "!!python/module:os ''",
        "!!python/tuple [1, 2]",
        "${{oc.env:HOME}}",
        "${{eval:1}}",
    ],
)
def test_parameters_run_no_code(tmp_path: Path, value: str) -> None:
    for env in ("base", "local"):
        (tmp_path / "conf" / env).mkdir(parents=True)
    ran = tmp_path / "ran"
    content = f"training:\n  epochs: {value.format(ran=ran)}\n"
    (tmp_path / "conf" / "local" / "parameters.yml").write_text(content, encoding="utf-8")
    loader = CheckedConfigLoader(str(tmp_path / "conf"), base_env="base", default_run_env="local")
    with pytest.raises(click.ClickException) as caught:
        loader["parameters"]

    assert caught.value.message.startswith("parameters: ")
    assert len(caught.value.message.splitlines()) == 1
    assert not ran.exists()

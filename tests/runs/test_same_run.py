"""A report reads in one version what belongs together, unless other versions are asked for."""

from __future__ import annotations

import json
import shutil

import pytest
from kedro.io import DataCatalog
from kedro.io.core import Version
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset

from multimodal_sentiment.runs.checks import check_run

OF_A_MODEL = ["fusion_model", "training_history"]
OF_POSTS = ["labelled.examples", "labelled.ingestion_report", "train_posts"]
JUDGED = ["metrics", "validation_predictions"]
REPORTED = OF_A_MODEL + OF_POSTS + JUDGED


@pytest.fixture
def write(tmp_path):
    """Write what a run wrote, and its record."""

    def write(version: str, names: list[str], reads: dict[str, str] | None = None) -> None:
        for name in names:
            path = tmp_path / name / version / name
            path.parent.mkdir(parents=True)
            path.write_text("{}")
        record = {
            "run": version, "pipelines": [], "command": None, "env": None, "parameters": {},
            "reads": reads or {}, "writes": dict.fromkeys(names, version), "git": None,
            "packages": {}, "started": "",
        }  # fmt: skip
        (tmp_path / "runs").mkdir(exist_ok=True)
        (tmp_path / "runs" / f"{version}.json").write_text(json.dumps(record))

    return write


@pytest.fixture
def read(tmp_path):
    """The versions that a report reads."""

    def read(**pins: str) -> dict[str, str | None]:
        catalog = DataCatalog(
            {
                name: JSONDataset(filepath=str(tmp_path / name), version=Version(None, None))
                for name in REPORTED
            }
        )
        pipeline = Pipeline([Node(lambda *_: None, REPORTED, "report", name="write_report")])
        return check_run(
            tmp_path, pipeline, catalog, {}, {"load_versions": pins, "run_id": "9"}, {}
        )

    return read


def test_with_a_model_and_its_numbers_comes_what_else_is_of_that_run(write, read, caplog):
    for version in "12":
        write(version, REPORTED)
    caplog.set_level("INFO")

    assert read() == dict.fromkeys(REPORTED, "2")
    assert not caplog.text
    assert read(fusion_model="1", metrics="1") == dict.fromkeys(REPORTED, "1")
    assert "train_posts: version 1, which metrics 1 goes with" in caplog.text
    assert "training_history: version 1, which fusion_model 1 goes with" in caplog.text


def test_a_model_that_is_judged_anew_keeps_its_history(write, read):
    """As one that was promoted, on posts that were read again."""
    write("1", REPORTED)
    write("2", REPORTED)
    write("3", JUDGED, {"fusion_model": "1", "train_posts": "2", "labelled.examples": "2"})

    versions = read(fusion_model="1")

    assert {versions[name] for name in OF_A_MODEL} == {"1"}
    assert {versions[name] for name in OF_POSTS} == {"2"}
    assert {versions[name] for name in JUDGED} == {"3"}


def test_of_what_has_been_removed_another_version_is_read_and_warned_of(
    write, read, caplog, tmp_path
):
    for version in "12":
        write(version, REPORTED)
    shutil.rmtree(tmp_path / "train_posts" / "1")

    assert read(fusion_model="1", metrics="1")["train_posts"] == "2"
    assert "train_posts: version 1, which metrics 1 goes with, is no longer there" in caplog.text


def test_what_is_asked_for_is_read_and_said_to_be_of_another_run(write, read, caplog):
    for version in "12":
        write(version, REPORTED)

    assert read(train_posts="1")["train_posts"] == "1"
    assert (
        "train_posts: version 1 is read, as asked for, although metrics 2 goes with 2"
        in caplog.text
    )


def test_without_a_record_the_newest_is_read(write, read, tmp_path):
    for version in "12":
        write(version, REPORTED)
    (tmp_path / "runs" / "1.json").unlink()

    versions = read(fusion_model="1", metrics="1")

    assert (versions["train_posts"], versions["training_history"]) == ("2", "2")

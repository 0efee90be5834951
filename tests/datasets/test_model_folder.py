"""A model that is named by its folder, and what else lies in it."""

from __future__ import annotations

import json

import pytest
from kedro.io import DataCatalog, DatasetError, Version
from kedro.pipeline import Node, Pipeline

from multimodal_sentiment.datasets import (
    FormerModelDataset,
    ModelFolderDataset,
    ModelModalityDataset,
    ModelProfileDataset,
)
from multimodal_sentiment.datasets.promotion import promote
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.runs.checks import check_run

OLDER, NEWER = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


@pytest.fixture
def folder(tiny, tmp_path):
    """Two versions of a model; their profiles tell them apart."""
    model, tokenizer = build_model(tiny().model, ["a", "b"], ["one two three"] * 5, {})
    folder = tmp_path / "fusion_model"
    for version in (OLDER, NEWER):
        (folder / version / folder.name).mkdir(parents=True)
        profile = {"posts": {version: 1}, "expected": {}}
        SentimentClassifier(model, tokenizer, profile).save_pretrained(
            folder / version / folder.name
        )
    return folder


def versioned(kind, folder, load=None):
    return kind(filepath=folder.as_posix(), version=Version(load, None))


def test_a_folder_that_is_named_goes_before_the_versions(folder, tmp_path):
    dataset = ModelFolderDataset(
        filepath=(tmp_path / "nowhere").as_posix(),
        folder={"path": (folder / OLDER).as_posix()},
        version=Version(None, None),
    )

    assert dataset.exists()
    assert dataset.load().version == OLDER
    with pytest.raises(DatasetError, match="is only read: leave model_folder out"):
        dataset.save(dataset.load())


def test_a_folder_that_was_copied_alone_is_a_model(folder, tmp_path):
    copy = (folder / OLDER / folder.name).rename(tmp_path / "copied")

    dataset = ModelProfileDataset(filepath="nowhere", folder={"path": copy.as_posix()})

    assert dataset.load()["posts"] == {OLDER: 1}


@pytest.mark.parametrize("way", ["rename", "symlink_to"])
@pytest.mark.parametrize("version", ["", OLDER])
def test_the_folder_of_versions_may_have_another_name(folder, tmp_path, way, version):
    mine = tmp_path / "mine"
    if way == "rename":
        folder.rename(mine)
    else:
        mine.symlink_to(folder)

    named = ModelFolderDataset(filepath="nowhere", folder={"path": str(mine / version)})

    assert named.load().version == (version or NEWER)


def test_a_run_reads_one_version_of_a_named_folder_whatever_comes_meanwhile(
    folder, tmp_path, caplog
):
    named = {"filepath": "nowhere", "folder": {"path": str(folder)}}
    catalog = DataCatalog(
        {
            "fusion_model": ModelFolderDataset(**named),
            "model_encoding_profile": ModelProfileDataset(**named),
        }
    )
    pipeline = Pipeline([Node(min, ["fusion_model", "model_encoding_profile"], "least")])
    request = {"load_versions": None, "run_id": "2026-01-03T00.00.00.000Z"}

    reads = check_run(tmp_path, pipeline, catalog, {}, request, {})
    promote(folder, OLDER)

    assert reads == {"fusion_model": NEWER, "model_encoding_profile": NEWER}
    assert catalog["fusion_model"].load().version == NEWER
    assert catalog["model_encoding_profile"].load()["posts"] == {NEWER: 1}
    assert "no run on record" not in caplog.text  # as the runs of its own data folder are


@pytest.mark.parametrize("within", ["", "fusion_model"])
def test_a_version_that_was_copied_by_hand_is_named_as_any(folder, within):
    copied = (folder / OLDER).rename(folder / "99-from-Anna")

    named = ModelFolderDataset(filepath="nowhere", folder={"path": str(copied / within)})

    assert named.load().version == "99-from-Anna"


def test_no_folder_named_means_the_versions(folder):
    dataset = ModelFolderDataset(
        filepath=folder.as_posix(), folder={"path": None}, version=Version(None, None)
    )

    assert dataset.load().version == NEWER


@pytest.mark.parametrize("kind", [ModelFolderDataset, ModelProfileDataset])
def test_the_promoted_version_is_loaded_unless_another_is_asked_for(folder, kind):
    promote(folder, OLDER)

    assert versioned(kind, folder).resolve_load_version() == OLDER
    assert versioned(kind, folder, NEWER).resolve_load_version() == NEWER


def test_profile_and_model_are_of_one_version(folder):
    promote(folder, OLDER)

    assert versioned(ModelProfileDataset, folder).load()["posts"] == {OLDER: 1}
    assert FormerModelDataset(filepath=folder.as_posix()).load().version == OLDER


def test_what_a_model_reads_is_known_without_loading_it(folder):
    config = folder / OLDER / folder.name / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"modality": "image"}))

    assert versioned(ModelModalityDataset, folder, OLDER).load() == "image"
    assert versioned(ModelModalityDataset, folder, NEWER).load() == "both"
    with pytest.raises(DatasetError, match="saved with its model"):
        versioned(ModelModalityDataset, folder).save("text")


def test_a_former_model_that_cannot_be_read_is_passed_over(folder, caplog):
    (folder / NEWER / folder.name / "config.json").write_text("{")

    assert FormerModelDataset(filepath=folder.as_posix()).load() is None
    assert "is not compared with it: the model in" in caplog.text
    assert FormerModelDataset(filepath="nowhere").load() is None


def test_no_model_is_one_line(tmp_path):
    dataset = ModelFolderDataset(filepath="nowhere", folder={"path": str(tmp_path)})

    with pytest.raises(DatasetError, match=r"no model in .*: name the folder that holds its conf"):
        dataset.load()

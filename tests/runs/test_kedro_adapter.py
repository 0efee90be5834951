"""Kedro's private names mean what the adapter takes them for; these fail when Kedro changes."""

from __future__ import annotations

import os

import pandas as pd
import pytest
from kedro.io import DataCatalog, MemoryDataset, Version
from kedro.pipeline import Node, Pipeline
from kedro_datasets.json import JSONDataset
from kedro_datasets.pandas import CSVDataset

from multimodal_sentiment.datasets import (
    ModelFolderDataset,
    PostListingDataset,
    ScratchFolderDataset,
)
from multimodal_sentiment.runs import kedro_adapter
from multimodal_sentiment.runs.versions import versions_of

OURS_AND_KEDROS = [CSVDataset, JSONDataset, ModelFolderDataset]


@pytest.mark.parametrize("kind", OURS_AND_KEDROS)
def test_a_dataset_says_where_it_lies_and_whether_it_keeps_versions(tmp_path, kind):
    path = tmp_path / "x"

    assert kedro_adapter.location(kind(filepath=str(path))) == path
    assert not kedro_adapter.is_versioned(kind(filepath=str(path)))
    assert kedro_adapter.is_versioned(kind(filepath=str(path), version=Version(None, None)))


def test_what_writes_elsewhere_than_to_this_machine_is_not_written_aside(tmp_path):
    datasets = {
        "here": CSVDataset(filepath=str(tmp_path / "x.csv")),
        "elsewhere": CSVDataset(filepath=f"memory://{tmp_path}/x.csv"),
        "outside": CSVDataset(filepath="/somewhere/x.csv"),
        "folder": ScratchFolderDataset(path=str(tmp_path / "x"), to_go_on=""),
    }

    assert list(kedro_adapter.local_datasets(tmp_path, datasets)) == ["here"]


@pytest.mark.parametrize("version", [None, Version(None, "2026-01-02T00.00.00.000Z")])
def test_a_redirected_dataset_loads_and_saves_elsewhere(tmp_path, version):
    dataset = JSONDataset(filepath=str(tmp_path / "a" / "x.json"), version=version)
    dataset.save("before")

    kedro_adapter.redirect(dataset, tmp_path / "b" / "x.json")
    assert not dataset.exists()
    dataset.save("after")
    assert dataset.load() == "after"

    kedro_adapter.redirect(dataset, tmp_path / "a" / "x.json")
    assert dataset.load() == "before"
    assert {
        path.parts[-3 if version else -2] for path in tmp_path.rglob("*") if path.is_file()
    } == ({"x.json"} if version else {"a", "b"})


def test_a_pinned_dataset_loads_that_version_and_saves_its_own(tmp_path):
    path = str(tmp_path / "x.json")
    for save in ("1", "2"):
        JSONDataset(filepath=path, version=Version(None, save)).save(save)
    dataset = JSONDataset(filepath=path, version=Version(None, "3"))
    assert versions_of(dataset) == dataset.list_versions(full_path=False) == ["2", "1"]

    kedro_adapter.pin(dataset, "1")
    assert dataset.load() == "1"
    assert dataset.resolve_save_version() == "3"
    kedro_adapter.pin(dataset, None)
    assert dataset.load() == "2"


def test_parameters_and_what_is_in_memory_are_not_stored(tmp_path):
    stored = CSVDataset(filepath=str(tmp_path / "x.csv"))
    catalog = DataCatalog(
        {"stored": stored, "memory": MemoryDataset(), "params:x": MemoryDataset()}
    )

    found = kedro_adapter.stored_datasets(catalog, ["stored", "memory", "params:x", "unknown"])

    assert found == {"stored": stored}


def test_only_what_is_missing_is_left(tmp_path):
    catalog = DataCatalog({name: CSVDataset(filepath=str(tmp_path / name)) for name in "abc"})
    catalog["b"].save(pd.DataFrame({"x": [1]}))
    pipeline = Pipeline(
        [Node(lambda a: a, "a", "b", name="first"), Node(lambda b: b, "b", "c", name="second")]
    )

    left = kedro_adapter.without_existing_outputs(pipeline, catalog)

    assert [node.name for node in left.nodes] == ["second"]


def test_a_place_is_named_whatever_the_class(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    datasets = [
        CSVDataset(filepath=str(tmp_path / "x")),
        PostListingDataset(path=str(tmp_path / "x"), namespace="labelled"),
        ScratchFolderDataset(path=str(tmp_path / "x"), to_go_on=""),
    ]

    assert [kedro_adapter.place_in_words(dataset) for dataset in datasets] == [
        "x",
        os.path.join("x", "train.txt"),
        "x",
    ]
    assert kedro_adapter.place_in_words(MemoryDataset()) == "its place"

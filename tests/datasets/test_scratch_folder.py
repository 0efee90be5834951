"""What a completed run removes of what runs keep to go on from, and what it leaves to others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from multimodal_sentiment.datasets import ScratchFolderDataset
from multimodal_sentiment.files import mark_used

LONG_AGO = 1_000_000_000  # s


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder in which an interrupted run has left 12 bytes."""
    folder = tmp_path / "checkpoints"
    left = folder / "other" / "checkpoint-8" / "weights"
    left.parent.mkdir(parents=True)
    left.write_text("twelve bytes")
    os.utime(left, (LONG_AGO, LONG_AGO))
    return folder


def begun(folder: Path) -> ScratchFolderDataset:
    """The folder as a run finds it when it begins."""
    dataset = ScratchFolderDataset(path=str(folder), to_go_on="")
    dataset.note()
    return dataset


def test_a_completed_run_leaves_what_others_go_on_from(folder: Path) -> None:
    dataset = begun(folder)
    own = dataset.load() / "own" / "checkpoint-2"
    own.mkdir(parents=True)
    (own / "weights").write_text("mine")
    dataset.load()  # by another node of the same run

    assert dataset.clear() == 12
    assert [path.name for path in folder.iterdir()] == ["other"]
    assert (folder / "other" / "checkpoint-8" / "weights").read_text() == "twelve bytes"


def test_what_a_completed_run_has_used_goes(folder: Path) -> None:
    dataset = begun(folder)
    mark_used(dataset.load() / "other")

    assert dataset.clear() == 0
    assert not folder.exists()


def test_only_what_a_run_has_left_itself_is_said_to_be_kept(folder: Path) -> None:
    dataset = begun(folder)
    assert not dataset.holds_files()

    (folder / "own").write_text("mine")
    assert dataset.holds_files()

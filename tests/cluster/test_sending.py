"""What is sent to workers: where things lie, not what they hold."""

from __future__ import annotations

import pickle
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment.cluster import MappedTable
from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.datasets.post_source import PostFilesDataset

LARGE = b"x" * 1_000_000


@pytest.fixture
def stored(tmp_path: Path) -> pa.Table:
    dataset = ArrowStreamDataset(filepath=str(tmp_path / "table.arrow"))
    dataset.save(pa.table({"guid": ["a", "b", "c"], "image": [LARGE] * 3}).to_reader())
    return dataset.load()


def sent(value: object) -> tuple[int, object]:
    """How many bytes are sent, and what comes out."""
    written = pickle.dumps(value)
    return len(written), pickle.loads(written)  # noqa: S301


def test_a_stored_table_is_mapped_by_whoever_gets_it(stored):
    size, received = sent(MappedTable(stored))

    assert size < 1000
    assert received.table.equals(stored)


def test_some_rows_of_a_stored_table_are_sent_themselves(stored):
    rows = stored.take([2, 0])

    assert sent(MappedTable(rows))[1].table.equals(rows)


def test_a_table_that_lies_nowhere_is_sent_itself():
    table = pa.table({"guid": ["a"]})

    assert sent(MappedTable(table))[1].table.equals(table)


@pytest.mark.parametrize("layout", ["folder", "parquet"])
def test_posts_are_opened_by_whoever_gets_them(layout, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if layout == "folder":
        (tmp_path / "posts" / "data").mkdir(parents=True)
        (tmp_path / "posts" / "train.txt").write_text("guid,tag\n7,good\n")
        (tmp_path / "posts" / "data" / "7.txt").write_bytes(LARGE)
        path = "posts"
    else:
        path = "posts.parquet"
        row = {"id": ["7"], "text": [LARGE.decode()], "tag": ["good"]}
        pd.DataFrame(row).to_parquet(tmp_path / path)

    size, received = sent(PostFilesDataset(path=path).load())
    monkeypatch.chdir("/")

    assert size < 1000
    assert len(received.texts.read("7")) == len(LARGE)


def test_images_are_found_in_the_folder_that_was_named_from_another(tmp_path, monkeypatch):
    for folder in ("posts", "photos"):
        (tmp_path / folder).mkdir()
    (tmp_path / "posts" / "p.csv").write_text("id,image,tag\n7,7.jpg,good\n")
    (tmp_path / "photos" / "7.jpg").write_bytes(LARGE)
    monkeypatch.chdir(tmp_path)
    named = {"image_folder": "photos"}
    written = pickle.dumps(PostFilesDataset(path="posts/p.csv", columns=named).load())
    monkeypatch.chdir("/")

    assert pickle.loads(written).images.read("7") == LARGE  # noqa: S301

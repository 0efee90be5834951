from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError

from multimodal_sentiment.datasets import CorrectionsDataset


def read(path: Path, content: Any) -> list[tuple[str, str]]:
    payload = content if isinstance(content, bytes) else json.dumps(content).encode()
    path.write_bytes(payload)
    table = CorrectionsDataset(file={"path": str(path)}).load()
    assert list(table) == ["guid", "tag", "sha256"]
    assert set(table["sha256"]) <= {hashlib.sha256(payload).hexdigest()}
    return list(zip(table["guid"], table["tag"], strict=True))


@pytest.mark.parametrize(
    "content",
    [
        b"guid,tag\n007,positive\n8,negative\n",
        b"\xef\xbb\xbfguid;tag\r\n007; positive\r\n\r\n8;negative",
        b'Tag\tGUID\npositive\t"007"\nnegative\t8\n',
        b"guid,tag\n007,positive,\n8,negative,,\n",
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(tmp_path, content):
    assert read(tmp_path / "c.csv", content) == [("007", "positive"), ("8", "negative")]


def annotation(tag: str, **more: Any) -> dict[str, Any]:
    choice = {"type": "choices", "from_name": "tag", "value": {"choices": [tag]}}
    return {"result": [{"type": "textarea", "value": {"text": ["why"]}}, choice], **more}


def test_what_label_studio_exports_is_read(tmp_path):
    tasks = [
        {"data": {"guid": "7"}, "annotations": [annotation("negative"), annotation("positive")]},
        {"data": {"guid": "8"}, "annotations": [annotation("neutral", was_cancelled=True)]},
        {"data": {"guid": 9}, "annotations": [annotation("neutral")]},
        {"data": {"guid": "10"}, "predictions": [annotation("negative")]},
    ]
    short = [{"guid": "7", "given_tag": "negative", "tag": "positive"}, {"guid": "8"}]

    assert read(tmp_path / "full.json", tasks) == [("7", "positive"), ("9", "neutral")]
    assert read(tmp_path / "short.json", short) == [("7", "positive")]


def test_without_a_file_there_are_none():
    dataset = CorrectionsDataset(file={"path": None})

    assert dataset.exists()
    assert dataset.load().empty


@pytest.mark.parametrize("content", [b"guid,tag\n", b"[]"])
def test_that_nothing_was_corrected_is_no_fault(tmp_path, content, caplog):
    assert read(tmp_path / "none", content) == []
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "corrects no tag" in record.message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"7,positive\n", "begins with '7,positive', where it should name its columns: guid,tag"),
        (b"guid,tag\n7,positive\n8\n", "has no guid and tag in line 3"),
        (b"guid,tag\n7,positive,why\n", "has no guid and tag in line 2"),
        (b'[{"guid": "7", "mood": "positive"}]', "a choice of a tag: in JSON-MIN it must be named"),
        (b'[{"guid": "7", "tag": null}]', "holds tasks, and in none of them a choice of a tag"),
        (b"guid,tag\n\xff\xfe,positive\n", "is not UTF-8 in line 2: save it as UTF-8"),
        (b"[{]", "is no JSON in line 1"),
        (
            b'[{"data": {"guid": "7"}, "annotations": [{"result": [{"type": "taxonomy"}, '
            b'{"type": null}, {"type": 5}]}]}]',
            "holds tasks, and in none of them a choice of a tag",
        ),
        (
            b'[{"data": {"guid": "7"}, "annotations": [{"was_cancelled": true, "result": []}]}]',
            "holds tasks, and in none of them a choice of a tag",
        ),
        (b'[{"data": {"text": "x"}, "annotations": [1]}]', "its task 1 has no guid with a tag"),
    ],
)
def test_what_holds_no_corrections_is_refused_in_a_line(tmp_path, content, words):
    path = tmp_path / "wrong"
    path.write_bytes(content)

    with pytest.raises(DatasetError, match="the file of corrections") as refused:
        CorrectionsDataset(file={"path": str(path)}).load()
    assert words in str(refused.value)


def test_a_missing_file_is_told_before_a_run(tmp_path):
    dataset = CorrectionsDataset(file={"path": str(tmp_path / "none.csv")})

    with pytest.raises(DatasetError, match="No such file or directory"):
        dataset.exists()

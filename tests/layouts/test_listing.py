"""The listing as users bring it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from kedro.io import DatasetError

from multimodal_sentiment.datasets import PostListingDataset

Rows = list[tuple[str, str]]


def dataset_in(folder: Path) -> PostListingDataset:
    return PostListingDataset(path=str(folder), namespace="labelled")


def load(path: Path, content: str | bytes) -> Rows:
    path = path / "train.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    listing = dataset_in(path.parent).load()
    assert listing.columns.tolist() == ["guid", "tag"]
    return list(listing.itertuples(index=False, name=None))


TWO: Rows = [("4597", "negative"), ("26", "neutral")]


@pytest.mark.fault(
    "listing", "no header, marks, CRLF, spaces, quotes, other separators, UTF-16", "the same rows"
)
@pytest.mark.parametrize(
    "content",
    [
        "guid,tag\n4597,negative\n26,neutral\n",
        "4597,negative\n26,neutral\n",
        "4597,negative\n26,neutral",
        "guid,tag\r\n4597,negative\r\n26,neutral\r\n",
        "guid,tag\r4597,negative\r26,neutral\r",
        "\ufeffguid,tag\n4597,negative\n26,neutral\n",
        "GUID,Tag\n4597,negative\n26,neutral\n",
        "tag,guid\nnegative,4597\nneutral,26\n",
        "\n\nguid,tag\n\n4597,negative\n  \n26,neutral\n,\n\n",
        " guid , tag \n 4597 ,negative \n\t26, neutral\n",
        '"guid","tag"\n"4597","negative"\n"26","neutral"\n',
        'guid, "tag"\n4597, "negative"\n26, "neutral"\n',
        "guid;tag\n4597;negative\n26;neutral\n",
        "4597;negative\n26;neutral\n",
        "sep=;\r\nguid;tag\r\n4597;negative\r\n26;neutral\r\n",
        "guid\ttag\n4597\tnegative\n26\tneutral\n",
        "guid,tag,\n4597,negative,\n26,neutral,,\n",
        "guid,tag\n4597,negative\n26,neutral\n".encode("utf-16"),
        "guid,tag\n4597,negative\n26,neutral\n".encode("utf-16-le"),
        "guid,tag\n4597,negative\n26,neutral\n".encode("utf-16-be"),
        "4597,negative\n26,neutral\n".encode("utf-32"),
    ],
)
def test_every_spelling_of_a_listing_is_the_same_listing(
    tmp_path: Path, content: str | bytes
) -> None:
    assert load(tmp_path, content) == TWO


@pytest.mark.fault("listing", "guids like 007, 1.0, ../x, 5,000 characters", "the very guid")
@pytest.mark.parametrize(
    "guid",
    [
        "007", "1.0", "1e5", "NA", "null", "True", "-3", "with space", "../../etc/passwd",
        "/etc/passwd", "C:\\x", "x" * 5000, "=1+1", "@SUM(A1)", "日本語", "a'b", "\0",
        "12345678901234567890123",
    ],
)  # fmt: skip
def test_a_guid_is_a_name(tmp_path: Path, guid: str) -> None:
    assert load(tmp_path, f"guid,tag\n{guid},positive\n") == [(guid, "positive")]


@pytest.mark.fault("listing", "a first line without tag, or with other separators", "the same rows")
@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("8\n9;positive\n10;negative\n", [("8", ""), ("9", "positive"), ("10", "negative")]),
        ("a|b|c,positive\n9,negative\n", [("a|b|c", "positive"), ("9", "negative")]),
    ],
)
def test_the_separator_is_that_of_most_lines(tmp_path: Path, content: str, rows: Rows) -> None:
    assert load(tmp_path, content) == rows


@pytest.mark.fault("listing", "separators and quotes in a guid", "the very guid")
@pytest.mark.parametrize("guid", ["a,b", 'a"b', "a;b"])
def test_a_quoted_guid_may_hold_separators_and_quotes(tmp_path: Path, guid: str) -> None:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["guid", "tag"], [guid, "positive"], ["2", "neutral"]])
    assert load(tmp_path, buffer.getvalue()) == [(guid, "positive"), ("2", "neutral")]


@pytest.mark.fault("listing", "no posts", "no rows")
@pytest.mark.parametrize("content", ["", "guid,tag\n\n", "\ufeffguid,tag"])
def test_a_listing_may_list_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "train.txt"
    path.write_text(content, encoding="utf-8")
    listing = dataset_in(tmp_path).load()

    assert listing.columns.tolist() == ["guid", "tag"]
    assert listing.empty


@pytest.mark.fault("listing", "no tags", "empty tags")
@pytest.mark.parametrize(
    "content", ["guid\n8\n1576\n", "8\n1576\n", "8,\n1576,\n", "guid,tag\n8\n1576"]
)
def test_a_missing_tag_is_an_empty_one(tmp_path: Path, content: str) -> None:
    assert load(tmp_path, content) == [("8", ""), ("1576", "")]


@pytest.mark.fault("listing", "the index of pandas", "it is left out")
@pytest.mark.parametrize(
    "content",
    [",guid,tag\n0,4597,a\n1,26,\n", ",tag,guid\n0,a,4597\n1,,26\n", "guid,tag,\n4597,a,\n26,,\n"],
)
def test_a_column_without_a_name_is_left_out(tmp_path: Path, content: str) -> None:
    assert load(tmp_path, content) == [("4597", "a"), ("26", "")]


def test_repeated_rows_are_kept_for_the_reader_to_judge(tmp_path: Path) -> None:
    assert load(tmp_path, "1,a\n1,b\n1,a\n") == [("1", "a"), ("1", "b"), ("1", "a")]


@pytest.mark.fault("listing", "1,000,000 rows", "all of them")
def test_a_long_listing_is_read_whole(tmp_path: Path) -> None:
    rows = load(tmp_path, "guid,tag\n" + "".join(f"{n},positive\n" for n in range(1_000_000)))
    assert len(rows) == 1_000_000
    assert rows[-1] == ("999999", "positive")


@pytest.mark.fault(
    "listing", "other columns, open quotes, wrong bytes", "one line that names file and line"
)
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("guid,label\n1,positive\n", "names its columns 'guid,label' in line 1: use guid,tag"),
        ("\nguid,tag,text\n1,positive,x\n", "names its columns 'guid,tag,text' in line 2"),
        ("tag\npositive\n", "names its columns 'tag' in line 1: use guid,tag"),
        ("guid,guid\n1,2\n", "names its columns 'guid,guid' in line 1"),
        ("guid,,tag\n1,2,positive\n", "names its columns 'guid,,tag' in line 1: use guid,tag"),
        (",guid,tag\n0,1,positive,why\n", "more than guid,tag in line 2: 'why'"),
        ("1,positive\n2,neutral,why\n", "more than guid,tag in line 2: 'why'"),
        ("guid,tag\n1,positive\n,neutral\n", "no guid in line 3, only 'neutral'"),
        ('1,positive\n"2,neutral\n3,neutral\n', "a quote in line 2 that does not end there"),
        (b"1,positive\n2,sch\xf6n\n", "not UTF-8 in line 2: save it as UTF-8"),
        ("1,a\n" + "x" * 20_000_000 + ",b\n", "cannot be read in line 2"),
    ],
)
def test_what_is_no_listing_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    with pytest.raises(DatasetError, match=message) as caught:
        load(tmp_path, content)
    assert "train.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_listing_that_is_not_there(tmp_path: Path) -> None:
    dataset = dataset_in(tmp_path)
    assert not dataset.exists()
    with pytest.raises(DatasetError, match=r"train\.txt cannot be read: No such file"):
        dataset.load()


def test_a_listing_is_never_written(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("1,positive\n")
    with pytest.raises(DatasetError, match="only read, never written"):
        dataset_in(tmp_path).save("anything")  # type: ignore[arg-type]
    assert path.read_text() == "1,positive\n"


def test_the_preview_is_a_table_of_the_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    path.write_text("4597,negative\n26,neutral\n5,neutral\n")
    assert dataset_in(tmp_path).preview(nrows=2) == {
        "index": [0, 1],
        "columns": ["guid", "tag"],
        "data": [["4597", "negative"], ["26", "neutral"]],
    }

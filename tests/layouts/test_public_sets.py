"""Public data sets in their published form; small ones of that form are made here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from multimodal_sentiment.layouts import LayoutError, Options, Source, open_source
from multimodal_sentiment.layouts.mvsa import combine, majority

JPEG = b"\xff\xd8\xff an image"


def tags(source: Source, namespace: str = "labelled") -> dict[str, str]:
    listing = source.listing(namespace)
    return dict(zip(listing["guid"], listing["tag"], strict=True))


def splits(source: Source, namespace: str = "labelled") -> dict[str, str]:
    listing = source.listing(namespace)
    return dict(zip(listing["guid"], listing["split"], strict=True))


@pytest.mark.parametrize(
    ("text", "image", "tag"),
    [
        ("positive", "positive", "positive"),
        ("neutral", "neutral", "neutral"),
        ("negative", "neutral", "negative"),
        ("neutral", "positive", "positive"),
        ("positive", "negative", None),
        ("negative", "positive", None),
    ],
)
def test_a_neutral_judgement_yields_and_contradictions_have_no_tag(
    text: str, image: str, tag: str | None
) -> None:
    assert combine(text, image) == tag


def test_the_majority_of_three_decides() -> None:
    assert majority(["positive", "neutral", "positive"]) == "positive"
    assert majority(["positive", "neutral", "negative"]) is None
    assert majority(["neutral"]) == "neutral"


def write_mvsa(folder: Path, judgements: str) -> Path:
    (folder / "data").mkdir()
    (folder / "labelResultAll.txt").write_text(judgements)
    for number in range(1, 6):
        (folder / "data" / f"{number}.txt").write_bytes(f"text {number}…".encode("gb18030"))
        (folder / "data" / f"{number}.jpg").write_bytes(JPEG)
    return folder


def test_mvsa_single(tmp_path: Path) -> None:
    raw = write_mvsa(
        tmp_path,
        "ID\ttext,image\n1\tpositive,positive\n2\tneutral,negative\n3\tpositive,negative\n"
        "4\tpositive,neutral\n5\tneutral,neutral\n",
    )
    source = open_source(raw, Options())
    assert tags(source) == {"1": "positive", "2": "negative", "4": "positive", "5": "neutral"}
    files = source.files()
    assert files.remarks[0] == (
        "an MVSA folder (MVSA-Single): 4 posts; 1 left out where text and image contradict each "
        "other"
    )
    assert files.about["layout"] == "mvsa"
    assert files.texts.read("1") == "text 1…".encode("gb18030")
    (raw / "data" / "6.jpg").write_bytes(JPEG)
    assert source.files().unclaimed(tags(source)) == ["6.jpg"]  # and not what was left out
    assert not source.has("unlabelled")


def test_mvsa_multiple(tmp_path: Path) -> None:
    raw = write_mvsa(
        tmp_path,
        "ID\ttext,image\ttext,image\ttext,image\n"
        "1\tpositive,neutral\tpositive,neutral\tnegative,neutral\n"  # positive, neutral
        "2\tpositive,positive\tneutral,positive\tnegative,positive\n"  # no majority of the text
        "3\tpositive,negative\tpositive,negative\tneutral,neutral\n"  # contradiction
        "4\tneutral,negative\tneutral,negative\tpositive,negative\n",  # neutral, negative
    )
    source = open_source(raw, Options())
    assert tags(source) == {"1": "positive", "4": "negative"}
    assert (
        source.files()
        .remarks[0]
        .endswith(
            "2 posts; 1 left out where text and image contradict each other, 1 without a majority"
        )
    )


@pytest.mark.parametrize("line", ["1\tpositive", "1\tgood,bad", "1"])
def test_what_is_no_judgement_is_an_error_that_names_the_line(tmp_path: Path, line: str) -> None:
    raw = write_mvsa(tmp_path, f"ID\ttext,image\n2\tpositive,positive\n{line}\n")
    with pytest.raises(LayoutError, match="line 3"):
        open_source(raw, Options())


def write_memes(folder: Path, **files: list[dict]) -> Path:
    (folder / "img").mkdir()
    for name, rows in files.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        for row in rows:
            (folder / row["img"]).write_bytes(JPEG)
    return folder


def meme(number: str, label: int | None = None) -> dict:
    row = {"id": number, "img": f"img/{number}.png", "text": f"text {number}"}
    return row if label is None else {"id": number, "img": row["img"], "label": label, **row}


def test_hateful_memes(tmp_path: Path) -> None:
    raw = write_memes(
        tmp_path,
        train=[meme("01235", 1), meme("01236", 0)],
        dev=[meme("08291", 1)],
        test=[meme("16395"), meme("37405")],
    )
    source = open_source(raw, Options())
    assert tags(source) == {"01235": "1", "01236": "0", "08291": "1"}
    assert splits(source) == {"01235": "train", "01236": "train", "08291": "validation"}
    assert tags(source, "unlabelled") == {"16395": "", "37405": ""}
    files = source.files()
    assert files.about["layout"] == "hateful_memes"
    assert files.remarks[0].startswith("the Hateful Memes data set: train.jsonl, dev.jsonl")
    assert files.images.read("37405") == JPEG
    assert files.texts.read("08291") == "text 08291"


def test_the_second_phase_of_hateful_memes(tmp_path: Path) -> None:
    raw = write_memes(
        tmp_path,
        train=[meme("1", 1) | {"gold_pc": ["religion"]}],  # as the fine-grained annotations add
        dev_seen=[meme("2", 0), meme("3", 1)],
        dev_unseen=[meme("3", 1), meme("4", 0)],
        test_seen=[meme("5", 1)],
        test_unseen=[meme("6")],
        test=[meme("5")],
    )
    source = open_source(raw, Options())
    assert splits(source) == {"1": "train", "2": "validation", "3": "validation", "4": "validation"}
    assert tags(source, "unlabelled") == {"5": "1", "6": ""}
    files = source.files()  # that 3 stands in both files is no conflict
    assert files.about["layout"] == "hateful_memes"


ROWS = "1\t{tag}\t74960.jpg\tOfficial $T$ page\tOklahoma\n2\t0\t74960.jpg\t$T$ page !\tOfficial\n"


def write_twitter(folder: Path) -> Path:
    (folder / "twitter2015").mkdir()
    for name in ("train", "dev"):
        (folder / "twitter2015" / f"{name}.tsv").write_text(
            "index\t#1 Label\t#2 ImageID\t#3 String\t#3 String\n" + ROWS.format(tag=2)
        )
        (folder / "twitter2015" / f"{name}.txt").write_text("$T$ page\nOfficial\n-1\n74960.jpg\n")
    (folder / "twitter2015" / "test.tsv").write_text(  # its header has a name less, as published
        "index\t#1 ImageID\t#2 String\t#2 String\n" + ROWS.format(tag=1)
    )
    (folder / "twitter2015_images").mkdir()
    (folder / "twitter2015_images" / "74960.jpg").write_bytes(JPEG)
    return folder / "twitter2015"


def test_twitter(tmp_path: Path) -> None:
    source = open_source(write_twitter(tmp_path), Options())
    assert tags(source) == {
        "train-1": "positive", "train-2": "negative",
        "validation-1": "positive", "validation-2": "negative",
    }  # fmt: skip
    assert tags(source, "unlabelled") == {"test-1": "neutral", "test-2": "negative"}
    assert set(splits(source).values()) == {"train", "validation"}
    files = source.files()
    assert files.about["layout"] == "twitter"
    assert files.texts.read("test-1") == "Official Oklahoma page"
    assert files.texts.read("train-2") == "Official page !"
    assert files.images.read("test-2") == JPEG


def test_twitter_saved_on_another_system(tmp_path: Path) -> None:
    raw = write_twitter(tmp_path)
    published = tags(open_source(raw, Options()))
    for name in ("train.tsv", "dev.tsv"):
        lines = (raw / name).read_text().splitlines()
        (raw / name).write_bytes(b"\xef\xbb\xbf" + "\r\n\r\n  \r\n".join(lines).encode())
    source = open_source(raw, Options())
    assert source.files().about["layout"] == "twitter"
    assert tags(source) == published


def test_files_of_twitter_without_a_line_of_names_lose_no_row(tmp_path: Path) -> None:
    raw = write_twitter(tmp_path)
    published = [tags(open_source(raw, Options()), name) for name in ("labelled", "unlabelled")]
    for name in ("dev.tsv", "test.tsv"):
        _, _, rows = (raw / name).read_text().partition("\n")
        (raw / name).write_text(rows)
    source = open_source(raw, Options())
    assert [tags(source, name) for name in ("labelled", "unlabelled")] == published


def test_a_row_that_is_not_as_published_is_named(tmp_path: Path) -> None:
    raw = write_twitter(tmp_path)
    with (raw / "dev.tsv").open("a") as file:
        file.write("3\t7\tx.jpg\ttext\ttarget\n")
    with pytest.raises(LayoutError, match=r"dev\.tsv has another row in line 4"):
        open_source(raw, Options())

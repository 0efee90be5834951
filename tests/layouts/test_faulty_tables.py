"""What can be wrong with a table: one line says so, or a problem of the row; no row is lost."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest

from multimodal_sentiment.layouts import Options, UnreadableFileError, open_source
from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.pipelines.ingestion.nodes import (
    read_labelled_posts,
    read_unlabelled_posts,
)
from multimodal_sentiment.posts.problems import read_problems

JPEG = b"\xff\xd8\xff an image"
HEADER = "id,tweet,photo,label"
SOUND = 8

Content = bytes | str


class Case(NamedTuple):
    """A faulty table.

    Attributes:
        files: What lies in the folder, by name; the table, and what it names.
        says: A part of the one line that refuses it.
        problem: Or the codes of the problems of post x, which the table is read with.
        text: And the text of post x.
        columns: The user's names of columns.
        raw: What the user names, in the folder.
    """

    files: dict[str, Content]
    says: str = ""
    problem: str = ""
    text: str | None = None
    columns: dict[str, str] = {}  # noqa: RUF012 - of a tuple
    raw: str = "."


def sound(header: str = HEADER) -> list[str]:
    rows = [f"{n},a sound text {n},{n}.jpg,{('bad', 'good')[n % 2]}" for n in range(SOUND)]
    return [header, *rows]


def csv(*rows: str, header: str = HEADER) -> str:
    return "\n".join([*sound(header), *rows]) + "\n"


def jsonl(*rows: str) -> str:
    names = HEADER.split(",")
    objects = (dict(zip(names, row.split(","), strict=True)) for row in sound()[1:])
    return "\n".join([*map(json.dumps, objects), *rows]) + "\n"


def parquet(x: dict[str, Any], **types: pa.DataType) -> bytes:
    names = HEADER.split(",")
    rows = [dict(zip(names, row.split(","), strict=True)) for row in sound()[1:]]
    columns = {name: [row[name] for row in rows] for name in names}
    if "photo" in types:
        columns["photo"] = [None] * SOUND
    arrays = {n: pa.array([*columns[n], x[n]], types.get(n, pa.string())) for n in names}
    pa.parquet.write_table(pa.table(arrays), buffer := io.BytesIO())
    return buffer.getvalue()


def one(table: Content, name: str = "posts.csv") -> dict[str, Content]:
    return {name: table}


X = "x,a text of its own,0.jpg,good"
GREETING = {"tweet": "schöne Grüße aus Köln", "photo": "0.jpg", "label": "good"}
LONG = "word " * 1_000_000

REFUSED: dict[str, Case] = {
    "a column that is not there": Case(
        one(csv(X)),
        "has no column 'body', which columns.text names: it has id, tweet, photo, label",
        columns={"text": "body"},
    ),
    "two columns of texts": Case(
        one(csv(X, header="id,tweet,photo,text").replace(",bad", ",so").replace(",good", ",so")),
        "several columns that may hold the text, tweet, text: name one, as in columns.text=tweet",
    ),
    "two columns of one name": Case(
        one(csv("x,y,0.jpg,good", header="id,id,photo,label")),
        "several columns that may hold the guid",
    ),
    "two columns of the name that is given": Case(
        one(csv(X, header="tweet,tweet,photo,label")),
        "has 2 columns 'tweet': give them different names",
        columns={"text": "tweet"},
    ),
    "no column of texts or images": Case(
        one("id,mood,label\n1,fine,good\n"),
        "no column that is known to hold a text or an image: name them, as in columns.text=NAME, "
        "among id, mood, label",
    ),
    "no line of names": Case(
        one("\n".join(sound()[1:])), "no column that is known to hold a text or an image"
    ),
    "no column of tags": Case(
        one(csv(X, header="id,tweet,photo,mood")),
        "no column that is known to hold tags: name it, as in columns.tag=NAME, among id, tweet",
    ),
    "no tag in any row": Case(
        one("id,tweet,label\n1,a,\n2,b,null\n"), "no post to learn from: these are rows with a tag"
    ),
    "an id with different tags": Case(
        one(csv(X, X.replace("good", "bad"))), "listed under different tags: post 'x'"
    ),
    "an id with different texts": Case(
        one(csv(X, "x,another text,0.jpg,good")),
        "different posts under one id, 'x': give each its own",
    ),
    "an id with different images": Case(
        one(csv(X, "x,a text of its own,1.jpg,good")), "different posts under one id, 'x'"
    ),
    "ids as 1.23457E+18": Case(
        one(csv("1.23457E+18,a text,0.jpg,good")),
        "has 1 ids that a spreadsheet has rounded, such as '1.23457E+18'",
    ),
    "ids as 1,23457E+18": Case(
        one(csv().replace(",", ";") + "1,23457E+18;a text;0.jpg;good\n"),
        "ids that a spreadsheet has rounded",
    ),
    "ids that were floats": Case(
        one(
            jsonl('{"id": 1.23457e+18, "tweet": "a", "photo": "0.jpg", "label": "good"}'), "p.jsonl"
        ),
        "ids that a spreadsheet has rounded, such as '1.23457e+18'",
    ),
    "no id in a row": Case(one(csv(",a text,0.jpg,good")), "no id in row 9: give each row one"),
    "ids that are lists": Case(
        one(jsonl('{"id": [1], "tweet": "a", "label": "good"}'), "posts.jsonl"),
        "line 9: id: list is no single value",
    ),
    "a row that is too long": Case(
        one(csv("x,a text, with a comma,0.jpg,good")),
        "has 5 cells in line 10, and 4 columns: put cells that hold ',' in double quotes",
    ),
    "a quote that does not end": Case(
        one(csv('x,"a text,0.jpg,good')),
        "the row that begins in line 10 (unexpected end of data): put cells that hold quotes",
    ),
    "a quote that does not end, many lines before the end": Case(
        one(csv('w,"a text,0.jpg,good', X, X, X)),
        "cannot be read in the row that begins in line 10 (unexpected end of data): put cells",
    ),
    "a quote that does not end, and one that begins": Case(
        one(csv('w,"a text,0.jpg,good', X, 'x,"a text",0.jpg,good')),
        "the row that begins in line 10 (',' expected after '\"'): put cells that hold",
    ),
    "text behind a quote": Case(
        one(csv('x,"so" she said,0.jpg,good')), "the row that begins in line 10"
    ),
    "gzip under another name": Case(
        one(gzip.compress(csv(X).encode())), "is packed with gzip: posts come as a folder"
    ),
    "a workbook under another name": Case(
        one(b"PK\x03\x04 a workbook"), "is a workbook or an archive: posts come"
    ),
    "a workbook of former times": Case(
        one(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"), "is a workbook: posts come"
    ),
    "a Parquet file cut short": Case(
        one(parquet(dict(zip(HEADER.split(","), X.split(","), strict=True)))[:-20], "p.parquet"),
        "p.parquet cannot be read",
    ),
    "CSV called Parquet": Case(one(csv(X), "posts.parquet"), "is no Parquet file"),
    "an Arrow file of noise": Case(one(b"noise" * 9, "posts.arrow"), "posts.arrow cannot be read"),
    "an empty file": Case(one(b""), "posts.csv is empty"),
    "names and no row": Case(one(HEADER + "\n"), "has no post to learn from: these are rows"),
    "no line of JSON": Case(one("", "p.jsonl"), "has no post to learn from: these are rows"),
    "blank lines": Case(one("\n\n"), "holds no line: it needs one of names, and one a post"),
    "a line that is no JSON": Case(
        one(jsonl('{"id": "x", "tweet": '), "posts.jsonl"), "no JSON in line 9"
    ),
    "a line that is no object": Case(
        one(jsonl('["x", "a text"]'), "posts.jsonl"), "no object in line 9, but list"
    ),
    "a split that is none": Case(
        one("id,tweet,label,split\n1,a,good,train\n2,b,bad,fold 1\n"),
        "column 'split' holds 'fold 1', which is no split: use train, validation and test",
    ),
    "many tables": Case(
        {f"{name}.csv": csv(X) for name in "abcdefgh"},
        "holds several tables, a.csv, b.csv, c.csv, d.csv, e.csv and 3 more: name one with raw=",
    ),
    "several tables": Case(
        {"a.csv": csv(X), "b.csv": csv(X)}, "holds several tables, a.csv, b.csv: name one with raw="
    ),
    "a folder of images that is not there": Case(
        one(csv(X)),
        "columns.image_folder: there is no folder nowhere",
        columns={"image_folder": "nowhere"},
    ),
    "a saved data set without its data": Case(
        {"state.json": '{"_data_files": [{"filename": "a.arrow"}]}'}, "raw cannot be read: "
    ),
    "a line above that of names": Case(
        one("# posts of May\n" + csv(X)),
        "4 cells in line 2, and 1 columns (its first line is '# posts of May')",
    ),
    "an object of columns": Case(
        one(pd.DataFrame({"id": ["1"], "tweet": ["a"], "label": ["good"]}).to_json(), "p.json"),
        "holds one object, 'id', 'tweet', 'label', and not one for each post: write a list of",
        raw="p.json",
    ),
    "objects over several lines": Case(
        one(json.dumps({"id": "x", "tweet": "a"}, indent=1), "p.jsonl"),
        "no JSON in line 1: Expecting property name enclosed in double quotes: line 1 column 2 "
        "(char 1): each line must hold one object, or the whole file a list of them",
    ),
    **{
        f"{name} in place of a table": Case({"raw": sign + csv(X).encode()}, said, raw="raw")
        for name, sign, said in (
            ("a pickle", b"\x80\x05\x95", "is a pickle: posts come"),
            ("a database", b"SQLite format 3\0", "is a database: posts come"),
            ("an image", b"\xff\xd8\xff\xe0", "is an image: posts come"),
            ("HTML", b"<!DOCTYPE html>", "is HTML or XML: posts come"),
        )
    },
    "a folder of something else": Case(
        {"mine.xlsx": "PK", "note.md": ""},
        "holds no posts in a layout that is known: there is 0.jpg, mine.xlsx, note.md, but neither "
        "train.txt, nor a table (.csv, ",
    ),
    "posts in a folder below": Case(
        {"MVSA/labelResultAll.txt": "ID\ttext,image\n1\tpositive,neutral\n"}, "MVSA meant?"
    ),
    "a split that is saved under a name of one's own": Case(
        {"dataset_dict.json": '{"splits": ["train", "holdout"]}'},
        "raw has the splits train, holdout: 'holdout' is none that is known, so name one with raw=",
    ),
    "posts in no split beside those of one": Case(
        one("id,tweet,photo,label,split\n1,a,0.jpg,good,train\n2,b,0.jpg,bad,\n"),
        "no split is declared for post '2', though one is for others: write train or valid",
    ),
    "a split that is validation to some, and test to others": Case(
        {"train.csv": csv(X), "test.csv": csv(X), "eval_1.csv": csv(X)},
        "eval_1.csv for validation or for testing? name it after one",
    ),
    "a name beside one split that may be of either of the others": Case(
        {"train.csv": csv(X), "eval.csv": csv(X)},
        "eval.csv for validation or for testing? name it after one",
    ),
    "a saved data set of no split": Case(
        {"dataset_dict.json": '{"splits": []}'}, "holds no posts in a layout that is known"
    ),
    "no posts but those of the test": Case(
        {"test.csv": csv(X)}, "no post to learn from: these are rows with a tag, but for those of"
    ),
    "no posts but those whose column says test": Case(
        one("id,tweet,label,split\n1,a,good,test\n"), "but for those of a split test"
    ),
    "no column of images": Case(
        one(csv(X, header="id,tweet,shot,label")),
        "no image (no image): looked for a column of images in posts.csv: name it, as in "
        "columns.image=NAME, among id, tweet, shot, label; model.modality=text learns from the "
        "texts alone",
    ),
    "texts that are objects": Case(
        one(
            "".join(
                json.dumps({"id": n, "tweet": {"en": "a"}, "photo": "0.jpg", "label": tag}) + "\n"
                for n, tag in enumerate(["bad", "good"] * 4)
            ),
            "p.jsonl",
        ),
        "8 of 8 posts have no text (text unreadable: dict is no text): looked for column tweet of ",
    ),
    "images in a folder that is not named": Case(
        {"p.csv": csv(X).replace(".jpg", ".png"), **{f"shots/{n}.png": "" for n in range(SOUND)}},
        "0.png (which lies in shots: see columns.image_folder)",
    ),
    "images whose names are too long for a file": Case(
        {**one(csv(X).replace(".jpg", "图" * 90)), "shots/0.jpg": ""},
        "9 of 9 posts have no image (image unreadable: File name too long): looked for ",
    ),
    "images that are not there": Case(
        one(csv(X).replace(".jpg", ".webp")),
        "9 of 9 posts have no image (no image): looked for ",
    ),
}

NOTED: dict[str, Case] = {
    "an image that is not there": Case(one(csv("x,a text,none.jpg,good")), problem="no_image"),
    "a path with ..": Case(one(csv("x,a text,../secret.jpg,good")), problem="image_outside"),
    "a link out of the folder": Case(one(csv("x,a text,link.jpg,good")), problem="image_outside"),
    "an absolute path to nothing": Case(one(csv("x,a text,/none.jpg,good")), problem="no_image"),
    "an URL": Case(one(csv("x,a text,https://t.example/1.jpg,good")), problem="image_url"),
    "an image in the cell, as data:": Case(
        one(csv("x,a text,data:image/png;base64;AAAA,good")), problem="image_url"
    ),
    "a folder in place of an image": Case(one(csv("x,a text,.,good")), problem="image_irregular"),
    "a NUL in a path": Case(one(csv("x,a text,0\0.jpg,good")), problem="image_unreadable"),
    "an image that is a number": Case(
        one(jsonl('{"id": "x", "tweet": "a text", "photo": 7, "label": "good"}'), "posts.jsonl"),
        problem="image_unreadable",
    ),
    "a text that looks like a path": Case(
        one(csv("x,../secret.txt,0.jpg,good")), text="../secret.txt"
    ),
    "a text that looks like a formula": Case(one(csv("x,=1+1,0.jpg,good")), text="=1+1"),
    "a text called NA": Case(one(csv("x,NA,0.jpg,good")), text="NA"),
    "a NUL in a text": Case(
        one(csv("x,a te\0xt of words,0.jpg,good")), problem="control_characters"
    ),
    "a cell of 5 MB": Case(one(csv(f"x,{LONG},0.jpg,good")), problem="text_too_large", text=""),
    "an empty text": Case(one(csv("x,,0.jpg,good")), problem="empty_text", text=""),
    "null in place of a text": Case(
        one(jsonl('{"id": "x", "tweet": null, "photo": "0.jpg", "label": "good"}'), "p.jsonl"),
        problem="no_text",
    ),
    "a number in place of a text": Case(
        one(jsonl('{"id": "x", "tweet": 7.0, "photo": "0.jpg", "label": "good"}'), "p.jsonl"),
        text="7",
    ),
    "a list in place of a text": Case(
        one(jsonl('{"id": "x", "tweet": ["a"], "photo": "0.jpg", "label": "good"}'), "p.jsonl"),
        problem="text_unreadable",
    ),
    "half a surrogate pair": Case(
        one(jsonl('{"id":"x","tweet":"so \\ud83d","photo":"0.jpg","label":"good"}'), "p.jsonl"),
        problem="lone_surrogates",
        text="so \ufffd",
    ),
    "JSON Lines with a text cut within a character": Case(
        one(
            jsonl(
                *(json.dumps({"id": f"u{n}"} | GREETING, ensure_ascii=False) for n in range(30))
            ).encode()
            + b'{"id":"x","tweet":"Gr\xc3\xbc\xc3\x9fe, caf\xc3","photo":"0.jpg","label":"good"}\n',
            "p.jsonl",
        ),
        text="Grüße, caf\\xc3",
        problem="bytes_undecodable",
    ),
    "JSON Lines with a damaged escape sequence": Case(
        one(
            jsonl().encode()
            + b'{"id":"x","tweet":"\x1b$B$*Hh$l\x805$^\x1b(B","photo":"0.jpg","label":"good"}\n',
            "p.jsonl",
        ),
        problem="bytes_undecodable",
    ),
    "bytes in place of a text": Case(
        one(
            parquet(
                {"id": "x", "tweet": "schön".encode(), "photo": "0.jpg", "label": "good"},
                tweet=pa.binary(),
            ),
            "p.parquet",
        ),
        text="schön",
        problem="encoding_rare",
    ),
    "no bytes in place of an image": Case(
        one(
            parquet(
                {"id": "x", "tweet": "a text", "photo": b"", "label": "good"}, photo=pa.binary()
            ),
            "posts.parquet",
        ),
        problem="no_image",
    ),
    "an encoding among another": Case(
        one(
            csv(*(f"u{n},schöne Grüße aus Köln {n},0.jpg,good" for n in range(30))).encode()
            + b"".join(
                f"y{n},Сегодня хорошая погода {n},0.jpg,bad\n".encode("cp1251") for n in range(5)
            )
            + "x,Как я люблю этот город,0.jpg,good\n".encode("cp1251")
        ),
        text="Как я люблю этот город",
    ),
    "a row that is too short": Case(one(csv("x,a text")), problem="no_image", text="a text"),
    "lines that are blank, or separators alone": Case(
        one(csv("", ",,,", X, ",,,", "   ", "\t", "\x1a")), text="a text of its own"
    ),
    "JSON Lines called CSV": Case(
        one(jsonl('{"id": "x", "tweet": "a text", "photo": "0.jpg", "label": "good"}')),
        text="a text",
    ),
    "a line for Excel, and semicolons": Case(
        one("sep=;\r\n" + csv(X).replace(",", ";")), text="a text of its own"
    ),
    "UTF-16": Case(one(csv("x,schön,0.jpg,good").encode("utf-16")), text="schön"),
    "UTF-8 with a mark": Case(
        one(b"\xef\xbb\xbf" + csv("x,schön,0.jpg,good").encode()), text="schön"
    ),
    "a text of several lines": Case(
        one(csv('x,"one\ntwo\r\nthree",0.jpg,good')), text="one\ntwo\r\nthree"
    ),
    "quotes that are characters, between tabs": Case(
        one(csv('x,"so" she said,0.jpg,good').replace(",", "\t"), "posts.tsv"), text='"so" she said'
    ),
    "spaces around an id and a tag": Case(one(csv(" x ,a text,0.jpg, good ")), text="a text"),
    "the same row twice": Case(one(csv(X, X)), problem="listed_repeatedly"),
    "Parquet called CSV": Case(
        one(parquet({"id": "x", "tweet": "a text", "photo": "0.jpg", "label": "good"})),
        text="a text",
    ),
    "a text's file outside of the folder": Case(
        {
            **one(csv("x,../secret.txt,0.jpg,good")),
            **{f"a sound text {n}": f"{n}" for n in range(SOUND)},
        },
        problem="text_outside",
        columns={"text_file": "tweet"},
    ),
    "backslashes in a path": Case(
        {**one(csv(r"x,a text,photos\a.jpg,good")), "photos/a.jpg": JPEG}, text="a text"
    ),
    "several images": Case(
        one(jsonl('{"id":"x","tweet":"so","photo":["0.jpg","1.jpg"],"label":"good"}'), "p.jsonl"),
        problem="several_images",
    ),
    "one image in a list": Case(
        one(jsonl('{"id":"x","tweet":"so","photo":["0.jpg"],"label":"good"}'), "p.jsonl"), text="so"
    ),
    "no image in a list": Case(
        one(jsonl('{"id":"x","tweet":"so","photo":[],"label":"good"}'), "p.jsonl"),
        problem="no_image",
    ),
    "spaces after separators": Case(
        one(csv('x,"a text, it is",0.jpg,good').replace(",", ", ").replace(",  ", ", ")),
        text="a text, it is",
    ),
    "a quote that begins one text, and one that ends another": Case(
        one(csv('x,"a text,0.jpg,good', 'y,so",1.jpg,bad').replace(",", "\t"), "p.tsv"),
        text='"a text',
    ),
    "a line for Excel in quotes": Case(
        one('"sep=;"\n' + csv(X).replace(",", ";")), text="a text of its own"
    ),
    "files that macOS and Excel leave beside a table": Case(
        {**one(csv(X)), "._posts.csv": b"\0\5\x16\7", "~$posts.csv": b"\5me"},
        text="a text of its own",
    ),
    "a suffix in capitals": Case({**one(csv("x,a text,A.jpg,good")), "A.JPG": JPEG}, text="a text"),
    "a folder in another Unicode form": Case(
        {**one(csv("x,a text,\u00e9t\u00e9/1.jpg,good")), "e\u0301te\u0301/1.jpg": JPEG},
        text="a text",
    ),
    "a name in another Unicode form, without its suffix": Case(
        {**one(csv("x,a text,caf\u00e9,good")), "cafe\u0301.jpg": JPEG}, text="a text"
    ),
}
INGESTION = IngestionParameters(
    layout=None, labels=["bad", "good"], encodings=None, links="inside", allow_missing=True
)


def faults(cases: dict[str, Case], outcome: str) -> Iterable[Any]:
    for name, case in cases.items():
        yield pytest.param(case, id=name, marks=pytest.mark.fault("table", name, outcome))


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., pd.DataFrame]:
    """Write a case's files, and read all posts there."""

    def run(case: Case, *, allow_missing: bool) -> pd.DataFrame:
        raw = tmp_path / "raw"
        raw.mkdir()
        (tmp_path / "secret.jpg").write_bytes(JPEG)
        (tmp_path / "secret.txt").write_text("secret")
        for n in range(SOUND):
            (raw / f"{n}.jpg").write_bytes(JPEG)
        (raw / "link.jpg").symlink_to("../secret.jpg")
        for name, content in case.files.items():
            (raw / name).parent.mkdir(exist_ok=True)
            payload = content if isinstance(content, bytes) else content.encode()
            (raw / name).write_bytes(payload)
        parameters = INGESTION.model_copy(update={"allow_missing": allow_missing})
        source = open_source(raw / case.raw, Options(columns=case.columns, labels=["bad", "good"]))
        labelled = source.listing("labelled")
        posts, _, profile = read_labelled_posts(labelled, source.files(), parameters)
        if source.has("unlabelled"):
            others = source.listing("unlabelled")
            rest, _ = read_unlabelled_posts(others, source.files(), profile, parameters)
            posts = pd.concat([posts, rest])
        return posts.set_index("guid")

    return run


@pytest.mark.parametrize("case", faults(REFUSED, "one line that says so"))
def test_what_cannot_be_read_is_refused_in_one_line(
    read: Callable[..., pd.DataFrame], case: Case
) -> None:
    with pytest.raises(ValueError) as caught:
        read(case, allow_missing=False)
    assert case.says in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("case", faults(NOTED, "every row, what is wrong noted"))
def test_what_is_odd_is_read_and_noted(read: Callable[..., pd.DataFrame], case: Case) -> None:
    posts = read(case, allow_missing=True)
    assert {str(n) for n in range(SOUND)} | {"x"} <= set(posts.index)
    codes = {problem.code for problem in read_problems(posts.loc["x", "problems"])}
    assert case.problem in codes if case.problem else not codes
    if case.text is not None:
        assert posts.loc["x", "text"] == case.text
    assert "secret" not in set(posts["text"])
    if "text_file" not in case.columns:
        assert posts.loc["3", "text"] == "a sound text 3"


@pytest.mark.fault("table", "an image of 106 MB", "the row, its image too large when it is read")
def test_an_image_that_is_too_large_is_one_when_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "posts.csv").write_text(csv("x,a text,large.jpg,good"))
    with (tmp_path / "large.jpg").open("wb") as file:
        file.truncate(106_000_000)  # a hole: takes no space
    source = open_source(tmp_path, Options(columns={}, labels=["bad", "good"]))
    assert "x" in set(source.listing("labelled")["guid"])
    with pytest.raises(UnreadableFileError, match=r"^image too large: 106\.0 MB, at most 100 MB$"):
        source.files().images.read("x")


def test_rows_that_are_left_out_of_a_table_would_be_seen(read: Callable[..., pd.DataFrame]) -> None:
    posts = read(Case(one(csv(X, "y,untagged,0.jpg,", "z,also,0.jpg,null"))), allow_missing=False)
    assert len(posts) == SOUND + 3
    assert posts.loc[["y", "z"], "tag"].tolist() == ["", ""]


@pytest.mark.fault(
    "table", "images in the cells as base64", "one line, which shows their beginning"
)
def test_what_was_looked_for_is_cut_where_it_is_long(read: Callable[..., pd.DataFrame]) -> None:
    rows = (f"{n},a text,{'/9j/' * 100_000}{n},{('bad', 'good')[n % 2]}" for n in range(SOUND))
    with pytest.raises(ValueError, match="8 of 8 posts have no image") as caught:
        read(Case(one("\n".join([HEADER, *rows]))), allow_missing=False)
    assert len(str(caught.value)) < 2000


@pytest.mark.fault("table", "addresses in place of images", "one line: nothing is fetched")
def test_addresses_are_named_once(read: Callable[..., pd.DataFrame]) -> None:
    rows = (f"{n},a text,https://x.y/{n}.jpg,{('bad', 'good')[n % 2]}" for n in range(SOUND))
    with pytest.raises(ValueError, match="8 of 8 posts have no image") as caught:
        read(Case(one("\n".join([HEADER, *rows]))), allow_missing=False)
    message = str(caught.value)
    assert message.count("https://x.y/0.jpg") == 1
    assert "image is an URL, and nothing is fetched" in message


@pytest.mark.fault(
    "table", "most images missing", "three that were looked for, three that are there"
)
def test_a_run_stops_where_most_images_are_missing(read: Callable[..., pd.DataFrame]) -> None:
    case = Case(one(csv(X).replace(".jpg", ".webp").replace("0.webp", "0_large.webp")))
    with pytest.raises(ValueError) as caught:
        read(case, allow_missing=False)
    message = str(caught.value)
    assert message.count("_large.webp") == 1
    assert "there is 0.jpg, 1.jpg, 2.jpg and 6 more" in message
    assert message.endswith(
        "; model.modality=text learns from the texts alone, and ingestion.allow_missing=true goes "
        "on with what is there"
    )

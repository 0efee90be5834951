"""From a listing and a folder of posts to one readable row a guid."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest
from kedro.io import DataCatalog
from kedro.validation import DataValidationError
from PIL import Image

from multimodal_sentiment.config_loader import CheckedConfigLoader
from multimodal_sentiment.layouts import Options, PostFiles, PostFolder, open_source
from multimodal_sentiment.layouts.files.finding import FileFinder, Found
from multimodal_sentiment.layouts.files.local import Kind
from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.pipelines.ingestion.nodes import (
    read_labelled_posts,
    read_unlabelled_posts,
)
from multimodal_sentiment.posts.problems import read_problems
from multimodal_sentiment.posts.schema import FILES, POSTS

PROJECT = Path(__file__).parents[2]
PARAMETERS = IngestionParameters(
    layout=None,
    labels=["negative", "neutral", "positive"],
    encodings=["utf-8", "gb18030", "cp1252"],
    links="inside",
    allow_missing=True,
)
UNKNOWN_SOURCE = {"posts": {}, "expected": {}}

Make = Callable[[dict[str, bytes]], PostFolder]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    folder = tmp_path / "data"
    folder.mkdir()

    def build(files: dict[str, bytes]) -> PostFolder:
        for name, content in files.items():
            (folder / name).write_bytes(content)
        return PostFolder(folder)

    return build


def listing(*rows: tuple[str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["guid", "tag"], dtype=str)


def read(
    files: PostFolder, *rows: tuple[str, str], labelled: bool = False, **changes: list[str]
) -> pd.DataFrame:
    parameters = PARAMETERS.model_copy(update=changes)
    if labelled:
        posts, _, _ = read_labelled_posts(listing(*rows), files, parameters)
    else:
        posts, _ = read_unlabelled_posts(listing(*rows), files, UNKNOWN_SOURCE, parameters)
    assert posts.columns.tolist() == list(POSTS)
    return posts


def problems(posts: pd.DataFrame) -> dict[str, str]:
    return dict(zip(posts["guid"], posts["problems"], strict=True))


class TestTextFiles:
    def test_every_text_of_a_listed_post_is_recorded(self, make: Make, tmp_path: Path) -> None:
        files = make({"1.txt": b"hello", "1.jpg": b"image", "2.txt": b"", "9.txt": b"unlisted"})
        (tmp_path / "data" / "4.txt").mkdir()
        rows = listing(("2", ""), ("1", ""), ("3", ""), ("4", ""), ("1", ""))
        _, recorded = read_unlabelled_posts(rows, files, UNKNOWN_SOURCE, PARAMETERS)
        expected = [
            ("2", "data/2.txt", 0, hashlib.sha256(b"").hexdigest()),
            ("1", "data/1.txt", 5, hashlib.sha256(b"hello").hexdigest()),
        ]
        assert recorded.columns.tolist() == list(FILES)
        assert list(recorded.itertuples(index=False, name=None)) == expected


class TestRows:
    def test_a_post_is_a_row(self, make: Make) -> None:
        posts = read(make({"7.txt": b"Nice day", "7.png": b"image"}), ("7", "positive"))
        row = posts.iloc[0].to_dict()
        assert row == {
            "guid": "7",
            "text": "Nice day",
            "tag": "positive",
            "img_path": "data/7.png",
            "encoding": "ascii",
            "encoding_confidence": 1.0,
            "problems": "",
        }

    def test_rows_keep_the_listings_order(self, make: Make) -> None:
        files = make({f"{n}.txt": b"text" for n in range(20)})
        order = ["13", "2", "19", "0", "7"]
        assert read(files, *((guid, "neutral") for guid in order))["guid"].tolist() == order

    def test_a_post_without_any_file_still_has_its_row(self, make: Make) -> None:
        files = make({"1.txt": b"text", "1.jpg": b"image"})
        posts = read(files, ("1", "neutral"), ("gone", "positive"))
        row = posts.iloc[1].to_dict()
        assert (row["guid"], row["text"], row["img_path"], row["encoding"]) == ("gone", "", "", "")
        assert row["encoding_confidence"] == 0
        assert row["problems"] == "no_text; no_image"

    @pytest.mark.parametrize("guid", ["../1", "/etc/passwd", "x" * 5000, "1.txt", "a\0b", "."])
    def test_a_strange_guid_is_a_row_without_files(self, make: Make, guid: str) -> None:
        posts = read(make({"1.txt": b"text"}), ("1", "neutral"), (guid, "neutral"))
        assert posts["guid"].tolist() == ["1", guid]
        assert problems(posts)[guid] == "no_text; no_image"

    @pytest.mark.parametrize("content", [b"", b"   ", b"\n", b"\xef\xbb\xbf"])
    def test_a_text_without_words_is_told(self, make: Make, content: bytes) -> None:
        posts = read(make({"1.txt": content, "1.jpg": b"image"}), ("1", "neutral"))
        assert posts["text"][0] == content.removeprefix(b"\xef\xbb\xbf").decode()
        assert problems(posts) == {"1": "empty_text"}

    def test_a_huge_text_is_not_read(self, make: Make) -> None:
        files = make({"1.txt": b"x" * 50_000_000, "1.jpg": b""})
        assert problems(read(files, ("1", "neutral"))) == {"1": "text_too_large(50.0)"}

    def test_odd_files_are_told(self, make: Make, tmp_path: Path) -> None:
        make({"1.txt": b"text", "1.jpg": b"", "1.png": b"", "2.jpg": b"", "3.txt": b"text"})
        (tmp_path / "data" / "2.txt").mkdir()
        (tmp_path / "data" / "3.jpg").symlink_to("nowhere")
        posts = read(make({}), ("1", "neutral"), ("2", "neutral"), ("3", "neutral"))
        assert problems(posts) == {
            "1": "several_images(1.jpg)",
            "2": "text_irregular",
            "3": 'image_link_broken("nothing is there")',
        }

    @pytest.mark.fault("image", "names of folders and files that are no UTF-8", "spelled out")
    @pytest.mark.parametrize(
        ("name", "shown"),
        [
            (b"caf\xe9/1.jpg", r"data/caf\xe9/1.jpg"),
            (b"1.\xff", r"data/1.\xff"),
            ("日本/1.jpg".encode("shift_jis"), r"data/\x93\xfa\x96{/1.jpg"),
        ],
    )
    def test_names_that_are_no_text_are_spelled_out(
        self, make: Make, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: bytes, shown: str
    ) -> None:
        caplog.set_level(logging.INFO)
        for path in (name, b"of nobody \xff.png", b"caf\xe9/1.txt"):
            file = Path(os.fsdecode(os.fsencode(tmp_path / "data") + b"/" + path))
            file.parent.mkdir(exist_ok=True)
            file.write_bytes(b"GIF89a")
        files = make({})
        posts = read(files, ("1", "neutral"))
        assert posts["img_path"].tolist() == [shown]
        assert files.images.read("1") == b"GIF89a"
        assert r"1 file belongs to no post, or cannot be used: of nobody \xff.png" in caplog.text

    def test_texts_are_read_in_their_encoding(self, make: Make) -> None:
        chinese = {f"{n}.txt": f"今天天气很好 {n}".encode("gb18030") for n in range(20)}
        posts = read(make(chinese), *((str(n), "positive") for n in range(20)))
        assert posts["text"].tolist() == [f"今天天气很好 {n}" for n in range(20)]
        assert set(posts["encoding"]) == {"gb18030"}

    def test_all_texts_missing(self, make: Make) -> None:
        posts = read(make({"1.jpg": b"", "2.jpg": b""}), ("1", "neutral"), ("2", "positive"))
        assert posts["text"].tolist() == ["", ""]

    def test_what_was_read_is_logged(self, make: Make, caplog: pytest.LogCaptureFixture) -> None:
        files = make({"1.txt": b"text", "2.txt": b"text", "2.jpg": b""})
        with caplog.at_level(logging.INFO):
            read(files, ("1", "neutral"), ("2", "neutral"))
        assert "2 posts: 2 ASCII; 1 without image, 1 with a problem" in caplog.text


class TestListedTwice:
    @pytest.mark.fault("listing", "a guid twice under one tag", "one row and a problem")
    def test_with_one_tag_it_is_one_row_and_a_problem(self, make: Make) -> None:
        files = make({"1.txt": b"one", "1.jpg": b"", "2.txt": b"two", "2.jpg": b""})
        posts = read(files, ("1", "neutral"), ("2", "positive"), ("1", "neutral"), ("1", "neutral"))
        assert problems(posts) == {"1": "listed_repeatedly(3)", "2": ""}

    @pytest.mark.fault("listing", "a guid under two tags", "an error that names it")
    def test_with_two_tags_it_is_an_error_that_names_it(self, make: Make) -> None:
        rows = [("1", "neutral"), ("22", "positive"), ("22", "negative")]
        with pytest.raises(ValueError, match="listed under different tags: post '22'"):
            read(make({"1.txt": b"one"}), *rows)

    def test_spellings_of_no_tag_are_one(self, make: Make) -> None:
        posts = read(make({"1.txt": b"one"}), ("1", "null"), ("1", ""), ("1", "?"))
        assert posts["tag"].tolist() == [""]


class TestTags:
    @pytest.mark.fault("listing", "a misspelt tag", "an error with the nearest tag")
    def test_an_unknown_tag_is_an_error_with_the_nearest_known_one(self, make: Make) -> None:
        rows = [("1", "neutral"), *((str(n), "Positiv") for n in range(2, 9))]
        with pytest.raises(ValueError, match="unknown tag 'Positiv'") as caught:
            read(make({"1.txt": b"one"}), *rows, labelled=True)
        assert str(caught.value) == (
            "unknown tag 'Positiv' of posts '2', '3', '4' and 4 more: use negative, neutral, "
            "positive, or change ingestion.labels: did you mean positive?"
        )

    def test_a_tag_like_no_label_gets_no_suggestion(self, make: Make) -> None:
        with pytest.raises(ValueError, match="unknown tag 'xyz' of post '1': use negative"):
            read(make({"1.txt": b"one"}), ("1", "xyz"))

    @pytest.mark.parametrize("tag", ["", "null", "NaN", "?", "None"])
    def test_a_labelled_post_without_a_tag_is_an_error(self, make: Make, tag: str) -> None:
        with pytest.raises(ValueError, match="gives no tag to post '1': write one of negative"):
            read(make({"1.txt": b"one"}), ("1", tag), ("2", "neutral"), labelled=True)

    @pytest.mark.parametrize("tag", ["", "null", "NULL", "none", "nan", "NaN", "?"])
    def test_an_unlabelled_post_has_none(self, make: Make, tag: str) -> None:
        posts = read(make({"1.txt": b"one"}), ("1", tag))
        assert posts["tag"].tolist() == [""]

    def test_a_known_tag_of_an_unlabelled_post_is_kept(self, make: Make) -> None:
        posts = read(make({"1.txt": b"one"}), ("1", "positive"), ("2", "null"))
        assert posts["tag"].tolist() == ["positive", ""]

    def test_an_unknown_tag_of_an_unlabelled_post_is_an_error(self, make: Make) -> None:
        with pytest.raises(ValueError, match="unknown tag 'tag' of post 'id'"):
            read(make({"1.txt": b"one"}), ("id", "tag"), ("1", "null"))

    @pytest.mark.fault(
        "set", "one tag only, one post or two of a tag", "one line, before images are read"
    )
    @pytest.mark.parametrize(
        ("tags", "message"),
        [
            (["positive"] * 9, "every labelled post is tagged 'positive': there is nothing"),
            (["positive"], "every labelled post is tagged 'positive'"),
            (["positive"] * 9 + ["neutral"], "only 1 labelled post is tagged 'neutral'"),
            (["positive"] * 9 + ["neutral"] * 2, "only 2 labelled posts are tagged 'neutral'"),
            (["positive", "neutral", "negative"], "only 1 labelled post is tagged"),
        ],
    )
    def test_tags_that_cannot_be_split_are_an_error_before_images_are_read(
        self, make: Make, tags: list[str], message: str
    ) -> None:
        rows = [(str(n), tag) for n, tag in enumerate(tags)]
        with pytest.raises(ValueError, match=message):
            read(make({"0.txt": b"one"}), *rows, labelled=True)

    def test_labelled_posts_keep_their_tags(self, make: Make) -> None:
        tags = ["neutral", "positive", "positive", "neutral", "neutral", "positive"]
        rows = [(str(n), tag) for n, tag in enumerate(tags)]
        assert read(make({"0.txt": b"one"}), *rows, labelled=True)["tag"].tolist() == tags

    @pytest.mark.fault(
        "set", "tags of one value that are spelt differently", "they are one label, or a named one"
    )
    @pytest.mark.parametrize("labels", [None, ["2", "0.0"]])
    def test_a_tag_is_the_label_of_its_value(
        self, make: Make, monkeypatch: pytest.MonkeyPatch, labels: list[str] | None
    ) -> None:
        files = make({"0.txt": b"one"})
        monkeypatch.setattr(files, "about", {"layout": "table"})
        given = ["2.0", "2", "2", "0.0", "+0", "0.0", "-0.00"]
        rows = [(str(n), tag) for n, tag in enumerate(given)]
        # The last line tags the first post again, in another spelling.
        posts = read(files, *rows, ("0", "2"), labelled=True, labels=labels)
        assert posts["tag"].tolist() == ["2"] * 3 + ["0.0"] * 4

        # Of new posts the model tells which tags are one label, unless the user has named them.
        posts = read(files, *rows, labels=labels)
        assert posts["tag"].tolist() == (["2"] * 3 + ["0.0"] * 4 if labels else given)

    def test_labels_may_be_any_strings(self, make: Make) -> None:
        files = make({"1.txt": b"one"})
        posts = read(files, ("1", "none"), ("2", "喜"), ("3", "=1"), labels=["none", "喜", "=1"])
        assert posts["tag"].tolist() == ["none", "喜", "=1"]


class TestEncodings:
    CHINESE = tuple(f"今天天气很好 {n}".encode("gb18030") for n in range(200))

    def labelled(self, make: Make) -> tuple[pd.DataFrame, dict]:
        files = {
            f"{n}.txt": text for n, text in enumerate((*self.CHINESE, "谢谢".encode("gb18030")))
        }
        rows = [(str(n), ("positive", "negative")[n % 2]) for n in range(len(files))]
        posts, _, profile = read_labelled_posts(listing(*rows), make(files), PARAMETERS)
        return posts, profile

    def test_labelled_posts_leave_a_profile_of_their_source(self, make: Make) -> None:
        posts, profile = self.labelled(make)
        assert posts["text"].iloc[-1] == "谢谢"
        assert profile["posts"] == {"gb18030": 201}
        assert profile["expected"]["gb18030"] == pytest.approx(201, abs=1)
        assert json.loads(json.dumps(profile, allow_nan=False)) == profile

    def test_the_profile_names_the_posts_in_doubt(self, make: Make) -> None:
        # 谢谢 in GB18030 is also лл in UTF-8.
        posts, profile = self.labelled(make)
        problem, no_image = read_problems(posts["problems"].iloc[-1])
        assert (problem.code, problem.arguments) == ("encoding_unlike_source", ("gb18030", "utf-8"))
        assert no_image.code == "no_image"
        first = [{"guid": "200", "encoding": "gb18030", "problem": str(problem)}]
        assert profile["flagged"] == {"posts": 1, "first": first}

    def test_unlabelled_posts_are_read_as_the_labelled_ones_were(self, make: Make) -> None:
        _, profile = self.labelled(make)
        files = make({"x.txt": "谢谢".encode("gb18030")})
        row = listing(("x", ""))
        for known, text in ((profile, "谢谢"), (UNKNOWN_SOURCE, "лл")):
            posts, _ = read_unlabelled_posts(row, files, known, PARAMETERS)
            assert posts["text"][0] == text

    def test_what_is_no_profile_is_refused(self, make: Make) -> None:
        files = make({"x.txt": b"text"})
        with pytest.raises(ValueError, match="encoding profile: posts: Field required"):
            read_unlabelled_posts(listing(("x", "")), files, {"weights": {}}, PARAMETERS)


class TestTablesInOtherEncodings:
    # 谢谢 in GB18030 is also лл in UTF-8.
    TEXTS = (*(f"今天天气很好 {n}" for n in range(200)), "谢谢")

    def of(
        self, folder: Path, name: str, texts: Sequence[str], encoding: str = "gb18030"
    ) -> tuple[pd.DataFrame, PostFiles]:
        if name == "posts.csv":
            lines = ["id,text,tag", *(f"{n},{t},{n % 2}" for n, t in enumerate(texts))]
        else:
            lines = [
                json.dumps({"id": n, "text": t, "tag": n % 2}, ensure_ascii=False)
                for n, t in enumerate(texts)
            ]
            if name == "posts.json":
                lines = ["[", ",\n".join(lines), "]"]
        (folder / name).write_bytes("\n".join(lines).encode(encoding))
        source = open_source(folder / name, Options())
        return source.listing("labelled"), source.files()

    @pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl", "posts.json"])
    def test_each_text_is_read_by_the_evidence_of_all(self, tmp_path: Path, name: str) -> None:
        parameters = PARAMETERS.model_copy(update={"labels": None})
        posts, _, profile = read_labelled_posts(*self.of(tmp_path, name, self.TEXTS), parameters)
        assert posts["text"].tolist() == list(self.TEXTS)
        assert set(posts["encoding"]) == {"gb18030"}
        assert posts["problems"].iloc[-1] == "encoding_unlike_source(gb18030,utf-8); no_image"
        assert profile["posts"] == {"gb18030": 201}

    @pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl", "posts.json"])
    def test_new_ones_are_read_as_those_of_the_model_were(self, tmp_path: Path, name: str) -> None:
        # très in cp1252 is also tr鑣 in GB18030.
        known = {"posts": {"gb18030": 200}, "expected": {"gb18030": 200.0}}
        parameters = PARAMETERS.model_copy(update={"labels": None})
        new = self.of(tmp_path, name, ["très"], "cp1252")
        for profile, text in ((UNKNOWN_SOURCE, "très"), (known, "tr鑣")):
            posts, _ = read_unlabelled_posts(*new, profile, parameters)
            assert posts["text"].tolist() == [text]


def test_a_folder_without_any_listed_post_is_the_wrong_folder(make: Make) -> None:
    files = make({"900.txt": b"text"})
    rows = listing(*[(str(n), "neutral" if n % 2 else "positive") for n in range(1, 7)])
    for use in (
        lambda: read_labelled_posts(rows, files, PARAMETERS),
        lambda: read_unlabelled_posts(rows, files, UNKNOWN_SOURCE, PARAMETERS),
    ):
        with pytest.raises(
            ValueError,
            match=r"data holds no text and no image of any listed post, such as '1\.txt'",
        ):
            use()


def test_a_table_whose_new_posts_have_nothing_has_a_row_for_each(tmp_path: Path) -> None:
    (tmp_path / "posts.jsonl").write_text('{"id": 1, "text": null, "image": null}\n')
    source = open_source(tmp_path, Options())
    posts, _ = read_unlabelled_posts(
        source.listing("unlabelled"),
        source.files(),
        UNKNOWN_SOURCE,
        PARAMETERS.model_copy(update={"allow_missing": False}),
    )
    assert problems(posts) == {"1": "no_text; no_image"}


def test_images_alone_that_are_not_there_are_said_to_be_looked_for(tmp_path: Path) -> None:
    rows = [f"{n},{n}.webp,{('neutral', 'positive')[n % 2]}" for n in range(6)]
    (tmp_path / "posts.csv").write_text("\n".join(["id,image,tag", *rows]))
    source = open_source(tmp_path, Options())
    parameters = PARAMETERS.model_copy(update={"allow_missing": False})
    with pytest.raises(ValueError, match=r"6 of 6 posts have no image .*: looked for .*/0\.webp"):
        read_labelled_posts(source.listing("labelled"), source.files(), parameters, "image")


@pytest.mark.parametrize("allowed", [False, True])
def test_nothing_is_said_of_images_that_a_model_to_be_trained_does_not_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, *, allowed: bool
) -> None:
    rows = [f"{n},so,{('neutral', 'positive')[n % 2]}" for n in range(6)]
    (tmp_path / "posts.csv").write_text("\n".join(["id,text,tag", *rows]))
    source = open_source(tmp_path, Options())
    parameters = PARAMETERS.model_copy(update={"allow_missing": allowed})
    read_labelled_posts(source.listing("labelled"), source.files(), parameters, "text")
    assert not [line for line in caplog.messages if "posts have no" in line]


def test_images_of_many_rows_are_not_looked_for_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"{n},a text,{n}.jpg,{('neutral', 'positive')[n % 2]}" for n in range(3000)]
    (tmp_path / "posts.csv").write_text("\n".join(["id,text,image,tag", *rows]))
    asked, find = [], FileFinder.find

    def note(finder: FileFinder, name: str, kind: Kind, *, absolute: bool) -> Found:
        asked.append(name)
        return find(finder, name, kind, absolute=absolute)

    monkeypatch.setattr(FileFinder, "find", note)
    source = open_source(tmp_path, Options())
    read_labelled_posts(source.listing("labelled"), source.files(), PARAMETERS)
    assert asked.count("2000.jpg") == 2  # for its row, and to know which files are of nobody


TEXTS = [
    "NA", "null", "None", "nan", "", " ", "\n", "\r", "\r\n", "a\rb", "a\nb", "a\r\nb", '"', '""',
    '",', 'a "quoted" b', "a,b", "  leading", "trailing  ", "\ttab", "nul\0byte", "\0", '\0"',
    "slash\\", "'", "\u2028", "\x85", "\ufeffmark", "\x1a", "=1+1", "<b>&amp;",
    "\u202eright to left", "😀", "\U0010ffff", "1.0", "007", "1e5", "True", "x" * 200_000,
]  # fmt: skip


def catalog_in(place: Path) -> DataCatalog:
    import multimodal_sentiment.settings  # noqa: F401 - Kedro imports it in every run

    loader = CheckedConfigLoader(
        str(PROJECT / "conf"),
        base_env="base",
        default_run_env="base",
        runtime_params={"raw": str(place / "raw"), "data": str(place / "data")},
    )
    return DataCatalog.from_config(loader["catalog"])


def test_texts_come_back_from_the_catalog_as_they_went_in(tmp_path: Path) -> None:
    catalog = catalog_in(tmp_path)
    posts = pd.DataFrame(
        {
            "guid": [f"00{n}" for n in range(len(TEXTS))],
            "text": TEXTS,
            "tag": "none",
            "img_path": "",
            "encoding": "ascii",
            "encoding_confidence": [n / 7 for n in range(len(TEXTS))],
            "problems": "",
        }
    )
    for name in ("labelled.posts", "unlabelled.posts", "train_posts", "validation_posts"):
        catalog.save(name, posts)
        pd.testing.assert_frame_equal(catalog.load(name), posts, check_dtype=False)
        assert catalog.load(name)["encoding_confidence"].dtype == float


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "labelled.posts",
            "guid,text\n1,a\n",
            "the table of posts lacks the column 'tag'",
        ),
        ("train_posts", "text\na\n", "the table of posts lacks the column 'guid': it needs guid,"),
        ("unlabelled.manifest", "guid,file,bytes,sha256\n1,a,x,y\n", "has a number that is none"),
        ("duplicate_groups", "guid,group\n007,\n", "the table of groups has a number that is none"),
    ],
)
def test_a_table_that_is_none_of_posts_is_refused_when_it_is_loaded(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    catalog = catalog_in(tmp_path)
    version = catalog.get(name).resolve_save_version()
    path = Path(str(catalog.get(name)._filepath))  # where Kedro looks for versions
    (path / version).mkdir(parents=True)
    (path / version / path.name).write_text(content)
    with pytest.raises(DataValidationError, match=message):
        catalog_in(tmp_path).load(name)


@pytest.mark.parametrize("name", ["posts.csv", "posts.jsonl"])
@pytest.mark.parametrize("labelled", [True, False])
def test_a_table_in_an_unknown_encoding_is_doubted_in_one_line(
    name: str, labelled: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    phrases = json.loads((PROJECT / "tests" / "decoding" / "phrases.json").read_text("utf-8"))
    # No encoding has its letters in this order.
    secret = bytes(range(128)) + bytes(0x80 | (37 * byte + 11) & 0x7F for byte in range(128))
    form = '%d,"%s",%s' if name.endswith("csv") else '{"id": %d, "text": "%s", "tag": "%s"}'
    tags = ["negative", "positive"] if labelled else [""]
    lines = ["id,text,tag"] * name.endswith("csv") + [
        form % (row, text, tags[row % len(tags)]) for row, text in enumerate(phrases["ru"])
    ]
    (tmp_path / name).write_bytes("\n".join(lines).encode("cp1251").translate(secret))

    with caplog.at_level(logging.WARNING):
        source = open_source(tmp_path / name, Options())
        found = source.listing("labelled" if labelled else "unlabelled")
        files = source.files()
        parameters = PARAMETERS.model_copy(update={"encodings": None})
        if labelled:
            read_labelled_posts(found, files, parameters)
        else:
            read_unlabelled_posts(found, files, UNKNOWN_SOURCE, parameters)

    (said,) = [line for line in caplog.messages if "read like no language" in line]
    assert "name it in ingestion.encodings" in said


class TestNewPostsWithoutWhatTheModelReads:
    STRICT = PARAMETERS.model_copy(update={"allow_missing": False})

    def read(self, files: PostFiles, modality: str, **changes: bool) -> pd.DataFrame:
        rows = listing(("1", ""), ("2", ""))
        parameters = self.STRICT.model_copy(update=changes)
        posts, _ = read_unlabelled_posts(rows, files, UNKNOWN_SOURCE, parameters, modality)
        return posts

    @pytest.mark.parametrize(
        ("lacking", "suffix", "other"), [("text", "jpg", "image"), ("image", "txt", "text")]
    )
    def test_posts_of_one_kind_are_answered_by_a_model_that_reads_it(
        self, make: Make, lacking: str, suffix: str, other: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        files = make({f"1.{suffix}": b"so", f"2.{suffix}": b"so"})
        assert len(self.read(files, "both")) == 2
        assert f"2 of 2 posts have no {lacking}" in caplog.text
        caplog.clear()
        posts = self.read(files, other)
        assert not [line for line in caplog.messages if "posts have no" in line]
        assert set(problems(posts).values()) == {f"no_{lacking}"}  # which other models may read
        with pytest.raises(ValueError, match=f"2 of 2 posts have no {lacking}"):
            self.read(files, lacking)

    @pytest.mark.parametrize(
        ("header", "cells", "lacking"),
        [
            ("id,photo,tweet content", ("{photo},so", "{photo},so"), "text"),  # no known name
            ("id,text,photo", ("so,lost.png", "so,lost.png"), "image"),
            ("id,text,photo", ("so,https://a.example/1.jpg",) * 2, "image"),
        ],
    )
    def test_a_table_whose_column_or_files_are_not_found_is_refused_unless_that_is_allowed(
        self,
        tmp_path: Path,
        header: str,
        cells: Sequence[str],
        lacking: str,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        Image.new("RGB", (64, 64)).save(tmp_path / "here.png")
        lines = [f"{row},{cell.format(photo='here.png')}" for row, cell in enumerate(cells, 1)]
        (tmp_path / "posts.csv").write_text("\n".join([header, *lines]))
        files = open_source(tmp_path / "posts.csv", Options()).files()

        with pytest.raises(ValueError, match=f"2 of 2 posts have no {lacking}") as caught:
            self.read(files, "both")
        other = {"text": "image", "image": "text"}[lacking]
        assert str(caught.value).endswith("allow_missing=true goes on with what is there")
        assert len(self.read(files, other)) == 2
        caplog.clear()
        assert len(self.read(files, "both", allow_missing=True)) == 2
        assert f"2 of 2 posts have no {lacking}" in caplog.text

    def test_empty_cells_of_a_column_are_no_fault(self, tmp_path: Path) -> None:
        (tmp_path / "posts.csv").write_text("id,text,photo\n1,so,\n2,so,\n")
        files = open_source(tmp_path / "posts.csv", Options()).files()
        assert len(self.read(files, "both")) == 2

    def test_one_that_has_it_is_enough(self, make: Make) -> None:
        files = make({"1.txt": b"so", "1.jpg": b"so"})
        rows = listing(*((str(guid), "") for guid in range(1, 6)))
        posts, _ = read_unlabelled_posts(rows, files, UNKNOWN_SOURCE, self.STRICT, "both")
        assert len(posts) == 5

    def test_a_night_without_posts_is_no_fault(self, make: Make) -> None:
        posts, _ = read_unlabelled_posts(
            listing(), make({"1.txt": b"so"}), UNKNOWN_SOURCE, self.STRICT, "both"
        )
        assert posts.empty

"""Posts get their image, twins their group, and a report says what came in."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chardet
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment import fingerprint
from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.layouts import PostFolder
from multimodal_sentiment.parameters import (
    IngestionParameters,
    PreparationParameters,
    SplittingParameters,
    TwinsParameters,
)
from multimodal_sentiment.pipelines.ingestion.nodes import read_unlabelled_posts
from multimodal_sentiment.pipelines.preparation.nodes import (
    group_duplicates,
    plot_ingestion,
    prepare_examples,
    record_files,
    report_ingestion,
    report_labelled_ingestion,
)
from multimodal_sentiment.pipelines.splitting.nodes import split_posts
from multimodal_sentiment.posts.imaging import decode_image, unpack
from multimodal_sentiment.posts.schema import FILES

from ..pictures import encoded, patches

NOT_DECLARED = pd.DataFrame({"guid": [], "split": []}, dtype=str)
INGESTION = IngestionParameters(
    layout=None,
    labels=["bad", "good"],
    encodings=["utf-8", "gb18030"],
    links="inside",
    allow_missing=True,
)
BOUNDS = {"short_side": 32, "max_aspect_ratio": 3.0, "max_megapixels": 1.0}
PIXELS = PreparationParameters(storage="pixels", **BOUNDS)
JPEG = PreparationParameters(storage="jpeg", **BOUNDS)
TWINS = TwinsParameters(image_bits=0, text_similarity=None)


def jpeg(seed: int, size: tuple[int, int] = (60, 40)) -> bytes:
    """A picture of its own."""
    return encoded(patches(seed, *size), "JPEG")


def kind(title: str, subject: str, guids: list[str]) -> dict[str, object]:
    return {"title": title, "subject": subject, "posts": len(guids), "first": guids}


class Posts:
    """A folder of posts, and what the ingestion makes of it."""

    def __init__(self, folder: Path, tags: dict[str, str], files: dict[str, bytes]) -> None:
        self.folder = folder
        for name, content in files.items():
            (folder / name).write_bytes(content)
        listing = pd.DataFrame({"guid": list(tags), "tag": list(tags.values())}, dtype=str)
        self.files = PostFolder(folder)
        profile = {"posts": {"gb18030": 1000}, "expected": {"gb18030": 1000.0}}
        self.posts, self.text_files = read_unlabelled_posts(listing, self.files, profile, INGESTION)

    def examples(
        self, preparation: PreparationParameters = PIXELS, earlier: pa.Table | None = None
    ) -> pa.Table:
        files = PostFolder(self.folder)
        return prepare_examples(self.posts, files, preparation, earlier_examples=earlier).read_all()


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Posts]:
    folder = tmp_path / "data"
    folder.mkdir()

    def build(tags: dict[str, str] | int, files: dict[str, bytes]) -> Posts:
        if isinstance(tags, int):
            tags = dict.fromkeys(map(str, range(1, tags + 1)), "")
        return Posts(folder, tags, files)

    return build


class TestExamples:
    def test_an_example_is_its_post_and_its_picture(self, make: Callable[..., Posts]) -> None:
        payload = jpeg(0)
        table = make({"a": "good"}, {"a.txt": b"Nice", "a.jpg": payload}).examples()
        picture = decode_image(payload, **BOUNDS)
        row = table.to_pylist()[0]
        assert table.schema.metadata[b"storage"] == b"pixels"
        assert json.loads(table.schema.metadata[b"pictures"]) == BOUNDS
        assert row == {
            "guid": "a",
            "text": "Nice",
            "tag": "good",
            "img_path": "data/a.jpg",
            "encoding": "ascii",
            "encoding_confidence": 1.0,
            "problems": "",
            "image_bytes": len(payload),
            "image_sha256": hashlib.sha256(payload).hexdigest(),
            "image": picture.pixels.tobytes(),
            "height": 32,
            "width": 48,
            "original_height": 40,
            "original_width": 60,
            "image_hash": picture.perceptual_hash,
        }

    def test_a_jpeg_store_holds_the_same_picture_smaller(self, make: Callable[..., Posts]) -> None:
        posts = make(1, {"1.jpg": jpeg(0, (300, 200))})
        table, exact = posts.examples(JPEG), posts.examples()
        assert table.schema.metadata[b"storage"] == b"jpeg"
        assert len(table["image"][0].as_py()) < len(exact["image"][0].as_py()) / 2
        pixels = unpack(table["image"][0].as_py(), "jpeg", 32, 48).astype(int)
        exact_pixels = unpack(exact["image"][0].as_py(), "pixels", 32, 48)
        assert np.abs(pixels - exact_pixels).mean() < 6
        assert table["image_hash"] == exact["image_hash"]

    def test_rows_stay_in_order_over_many_batches(self, make: Callable[..., Posts]) -> None:
        posts = make(150, {f"{n}.jpg": jpeg(n, (20 + n, 20)) for n in range(1, 151)})
        table = posts.examples()
        assert table["guid"].to_pylist() == [str(n) for n in range(1, 151)]
        assert table["original_width"].to_pylist() == [20 + n for n in range(1, 151)]
        assert table["image"].num_chunks == 3

    @pytest.mark.parametrize(
        ("payload", "problem"),
        [
            (b"", 'image_broken("empty file")'),
            (
                b"<html>404</html>",
                'image_broken("not a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF")',
            ),
            (jpeg(0)[:-300], "image_broken(truncated)"),
            (jpeg(0, (1500, 1000)), 'image_broken("claims over 1 megapixels")'),
        ],
    )
    def test_a_broken_image_is_a_missing_one_and_a_problem(
        self, make: Callable[..., Posts], payload: bytes, problem: str
    ) -> None:
        row = make(1, {"1.txt": b"", "1.jpg": payload}).examples().to_pylist()[0]
        assert row["problems"] == f"empty_text; {problem}"
        assert row["image"] is row["height"] is row["original_width"] is None
        assert row["image_hash"] == ""
        assert row["img_path"] == "data/1.jpg"

    def test_an_image_that_is_too_large_to_read_is_a_problem(
        self, make: Callable[..., Posts], tmp_path: Path
    ) -> None:
        with open(tmp_path / "data" / "1.jpg", "wb") as file:
            file.truncate(200_000_000)  # a hole: takes no space
        row = make(1, {"1.txt": b"text"}).examples().to_pylist()[0]
        assert (row["image"], row["problems"]) == (None, "image_too_large(200.0)")

    def test_posts_without_any_image(self, make: Callable[..., Posts]) -> None:
        table = make(3, {"1.txt": b"one", "2.txt": b"two", "3.txt": b"three"}).examples()
        assert table["image"].null_count == 3
        assert set(table["problems"].to_pylist()) == {"no_image"}

    @pytest.mark.parametrize("change", ["removed", "renamed"])
    def test_an_image_that_is_gone_since_the_texts_were_read_is_an_error(
        self, make: Callable[..., Posts], change: str
    ) -> None:
        posts = make(1, {"1.txt": b"text", "1.png": jpeg(0)})
        image = posts.folder / "1.png"
        if change == "removed":
            image.unlink()
        else:
            image.with_suffix(".jpg").write_bytes(jpeg(1))
        with pytest.raises(ValueError, match=r"data/1\.png is not there any more: run the inges"):
            posts.examples()

    def test_an_image_that_came_later_is_not_used(self, make: Callable[..., Posts]) -> None:
        posts = make(1, {"1.txt": b"text"})
        (posts.folder / "1.jpg").write_bytes(jpeg(0))
        assert posts.examples()["image"].null_count == 1

    def test_no_image_is_read_before_the_stream_is(self, make: Callable[..., Posts]) -> None:
        posts = make(1, {"1.txt": b"text", "1.jpg": jpeg(0)})
        (posts.folder / "1.jpg").unlink()
        prepare_examples(posts.posts, posts.files, PIXELS)

    def test_it_is_saved_as_it_comes(self, make: Callable[..., Posts], tmp_path: Path) -> None:
        posts = make(2, {"1.jpg": jpeg(1), "2.txt": b"text"})
        dataset = ArrowStreamDataset(filepath=str(tmp_path / "examples.arrow"))
        dataset.save(prepare_examples(posts.posts, posts.files, PIXELS))
        assert dataset.load().equals(posts.examples())
        preview = dataset.preview()
        assert "image" not in preview["columns"]
        json.dumps(preview, allow_nan=False)

    def test_how_it_went_is_logged(
        self, make: Callable[..., Posts], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            make(3, {"1.jpg": jpeg(1), "2.jpg": b"", "3.txt": b"text"}).examples()
        assert "3 posts prepared, 1 with an image; images that cannot be used: 1" in caplog.text


class TestEarlierExamples:
    """The earlier table says that all images have another hash: so one sees which were used."""

    MARK = "0" * 16

    def mark(self, table: pa.Table) -> pa.Table:
        column = table.schema.get_field_index("image_hash")
        marks = pa.array([self.MARK] * len(table), pa.string())
        return table.set_column(column, table.schema.field(column), marks)

    def used(self, table: pa.Table) -> list[bool]:
        return [found == self.MARK for found in table["image_hash"].to_pylist()]

    def test_images_whose_files_are_the_same_are_not_decoded_again(
        self, make: Callable[..., Posts], caplog: pytest.LogCaptureFixture
    ) -> None:
        posts = make(4, {f"{n}.jpg": jpeg(n) for n in (1, 2, 4)} | {"4.txt": b"", "3.txt": b"x"})
        earlier = self.mark(posts.examples())
        (posts.folder / "2.jpg").write_bytes(jpeg(7))
        with caplog.at_level(logging.INFO):
            again = posts.examples(earlier=earlier)
        assert self.used(again) == [True, False, False, True]
        assert "4 posts prepared, 3 with an image, of which an earlier run has decoded 2" in (
            caplog.text
        )
        assert again["image"][1].as_py() == decode_image(jpeg(7), **BOUNDS).pixels.tobytes()
        kept = [name for name in again.column_names if name != "image_hash"]
        fresh = posts.examples()
        assert again.select(kept).equals(fresh.select(kept))
        assert again.schema.metadata == fresh.schema.metadata

    def test_posts_are_told_by_their_guid(self, make: Callable[..., Posts]) -> None:
        posts = make(150, {f"{n}.jpg": jpeg(n) for n in range(1, 151)})
        earlier = self.mark(posts.examples()).take(list(range(149, 49, -1)))
        again = posts.examples(earlier=earlier)
        assert self.used(again) == [False] * 50 + [True] * 100
        assert again["image"].equals(posts.examples()["image"])

    @pytest.mark.parametrize(
        "other", [JPEG, PIXELS.model_copy(update={"short_side": 16}), "code", "unknown"]
    )
    def test_those_that_were_decoded_otherwise_are(
        self, make: Callable[..., Posts], other: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        posts = make(1, {"1.jpg": jpeg(1)})
        earlier = self.mark(posts.examples(other if other not in ("code", "unknown") else PIXELS))
        if other == "code":
            monkeypatch.setattr(fingerprint, "digest_sources", lambda names: ("another",))
        if other == "unknown":  # as versions before wrote them
            metadata = {k: v for k, v in earlier.schema.metadata.items() if k != b"decoded"}
            earlier = earlier.replace_schema_metadata(metadata)
        assert self.used(posts.examples(earlier=earlier)) == [False]

    def test_a_cut_image_keeps_its_problem(self, make: Callable[..., Posts]) -> None:
        posts = make(1, {"1.jpg": jpeg(0, (300, 600))[:-2]})
        first = posts.examples()
        again = posts.examples(earlier=self.mark(first))
        assert again.equals(first)
        assert "image_cut" in again["problems"][0].as_py()


class TestManifest:
    def test_what_was_read_is_recorded_post_by_post(self, make: Callable[..., Posts]) -> None:
        image, cut = jpeg(1), jpeg(2)[:50]
        files = {"b.txt": b"hello", "b.jpg": image, "a.jpg": cut, "c.txt": b"", "x.jpg": image}
        posts = make(dict.fromkeys("bacd", ""), files)
        (posts.folder / "d.jpg").mkdir()
        manifest = record_files(posts.text_files, posts.examples())
        expected = [
            ("b", "data/b.txt", b"hello"),
            ("b", "data/b.jpg", image),
            ("a", "data/a.jpg", cut),
            ("c", "data/c.txt", b""),
        ]
        assert manifest.columns.tolist() == list(FILES)
        assert list(manifest.itertuples(index=False, name=None)) == [
            (guid, file, len(content), hashlib.sha256(content).hexdigest())
            for guid, file, content in expected
        ]

    def test_each_file_is_read_once(
        self, make: Callable[..., Posts], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        opened: list[str] = []
        to_open = os.open

        def counted(path: str, flags: int) -> int:
            opened.append(path)
            return to_open(path, flags)

        monkeypatch.setattr(os, "open", counted)
        files = {"1.txt": b"hello", "1.jpg": jpeg(1), "2.txt": "今天".encode("gb18030")}
        posts = make(3, files | {"2.jpg": b"broken"})
        examples = posts.examples()
        record_files(posts.text_files, examples)
        report_ingestion(examples)
        assert sorted(opened) == sorted(f"{posts.folder}/{name}" for name in [*files, "2.jpg"])


class TestGroups:
    def test_twins_by_text_or_picture_share_a_group(self, make: Callable[..., Posts]) -> None:
        same, other = jpeg(1), jpeg(2)
        posts = make(
            5,
            {
                "1.txt": b"What a lovely day", "1.jpg": same,
                "2.txt": b"Something else entirely", "2.jpg": other,
                "3.txt": b"RT @me: what a LOVELY day http://t.co/1",
                "4.txt": b"A third opinion", "4.jpg": other,
                "5.txt": b"",
            },
        )  # fmt: skip
        groups = group_duplicates(posts.examples(), TWINS)
        assert groups["guid"].tolist() == ["1", "2", "3", "4", "5"]
        assert groups["group"].tolist() == [0, 1, 0, 1, 2]
        # "lovely day" and "third opinion" are no near ones, and images 1 and 2 are far apart.
        near = TwinsParameters(image_bits=2, text_similarity=0.8)
        assert group_duplicates(posts.examples(), near)["group"].tolist() == [0, 1, 0, 1, 2]


class TestReport:
    @pytest.fixture
    def posts(self, make: Callable[..., Posts]) -> Posts:
        tags = {str(n): "good" if n % 3 else "bad" for n in range(1, 31)}
        files = {f"{n}.txt": f"the text of post number {n}".encode() for n in range(1, 26)}
        files |= {f"{n}.txt": f"今天天气很好 {n}".encode("gb18030") for n in range(26, 31)}
        files |= {f"{n}.jpg": jpeg(n, (60 + n, 40)) for n in range(1, 29)}
        files |= {"3.txt": files["4.txt"], "5.jpg": b"", "6.jpg": b"", "7.txt": b""}
        return make(tags, files)

    def test_it_counts_what_came_in(self, posts: Posts) -> None:
        report = report_ingestion(posts.examples())
        assert report["posts"] == 30
        assert report["tags"] == {"good": 20, "bad": 10}
        assert report["problems"] == {
            "empty_text": kind("empty text", "text", ["7"]),
            "image_broken": kind("image broken", "image", ["5", "6"]),
            "no_image": kind("no image", "image", ["29", "30"]),
        }
        assert report["encodings"] == {"ascii": 25, "gb18030": 5}
        assert sum(report["encoding_confidence"]["posts"]) == 30
        assert report["text_length"]["min"] == 0
        assert report["text_length"]["max"] == len("the text of post number 25")
        assert report["images"]["posts"] == 26
        assert report["images"]["width"]["max"] == 88
        assert report["images"]["height"]["median"] == 40
        assert "twins" not in report

    def test_it_says_what_chardet_alone_would_have_read(self, posts: Posts) -> None:
        alone = report_ingestion(posts.examples())["chardet_alone"]
        assert alone["posts_asked"] == 5
        assert alone["same text"] + alone["another text"] + alone["no text"] == 5
        assert sum(alone["encodings"].values()) == 5

    def test_it_lists_readings_in_doubt(self, posts: Posts) -> None:
        examples = posts.examples()
        doubts = [""] * 29 + ["no_image; encoding_uncertain(gb18030,0.60,utf-8,0.40)"]
        at = examples.schema.get_field_index("problems")
        doubted = examples.set_column(at, "problems", pa.array(doubts))
        flagged = report_ingestion(doubted)["flagged_encodings"]
        assert flagged["posts"] == 1
        assert flagged["first"] == [
            {
                "guid": "30",
                "encoding": "gb18030",
                "encoding_confidence": pytest.approx(1.0, abs=0.01),
                "problems": "no image; encoding uncertain: gb18030 0.60, utf-8 0.40",
                "text": "今天天气很好 30",
                "chardet": chardet.detect("今天天气很好 30".encode("gb18030"))["encoding"],
            }
        ]

    def test_it_says_what_a_random_split_would_have_leaked(self, posts: Posts) -> None:
        examples = posts.examples()
        groups = group_duplicates(examples, TWINS)
        splitting = SplittingParameters(validation_fraction=0.5, seed=3)
        twins = report_labelled_ingestion(examples, groups, splitting)["twins"]
        held_out = set(np.random.default_rng(3).permutation(30)[:15])
        assert twins == {
            "posts": 2,  # 3 and 4
            "groups": 1,
            "groups_with_several_tags": 1,
            "unlike_the_commonest_tag": 1,
            "random_split": {
                "validation_posts": 15,
                "with_a_twin_in_training": len(held_out & {2, 3}) % 2,
            },
        }

    @pytest.mark.fault("set", "one photo in place of many posts' own", "named, no sign of twins")
    @pytest.mark.parametrize("share", [0.2, 0.85, 1.0])
    def test_a_placeholder_is_named_and_makes_no_twins(
        self, make: Callable[..., Posts], caplog: pytest.LogCaptureFixture, share: float
    ) -> None:
        with_it = round(60 * share)
        files = {f"{n}.txt": f"the text of post number {n}".encode() for n in range(1, 61)}
        files |= {f"{n}.jpg": jpeg(0 if n <= with_it else n) for n in range(1, 61)}
        posts = make({str(n): "good" if n % 3 else "bad" for n in range(1, 61)}, files)
        examples = posts.examples()
        groups = group_duplicates(examples, TWINS)
        splitting = SplittingParameters(validation_fraction=0.2, seed=0)
        with caplog.at_level(logging.WARNING):
            report = report_labelled_ingestion(examples, groups, splitting)
        assert groups["group"].nunique() == 60
        assert report["placeholders"] == [
            {
                "image_hash": examples["image_hash"][0].as_py(),
                "posts": with_it,
                "first": ["1", "2", "3", "4", "5"],
            }
        ]
        assert report["twins"]["posts"] == 0
        assert f"One image stands in {with_it} of 60 posts" in caplog.text
        assert "post 1, 2, 3, 4, 5 first" in caplog.text
        _, validation = split_posts(examples, groups, NOT_DECLARED, splitting)
        assert len(validation) == 12

    @pytest.mark.parametrize("files", [{"1.txt": b""}, {"1.jpg": jpeg(1)}])
    def test_it_is_json_whatever_is_missing(
        self, make: Callable[..., Posts], files: dict[str, bytes]
    ) -> None:
        posts = make(2, files)
        examples = posts.examples()
        groups = group_duplicates(examples, TWINS)
        splitting = SplittingParameters(validation_fraction=0.5, seed=0)
        report = report_labelled_ingestion(examples, groups, splitting)
        assert json.loads(json.dumps(report, allow_nan=False)) == report

    def test_four_figures_show_it(self, posts: Posts) -> None:
        examples = posts.examples()
        figures = plot_ingestion(examples, report_ingestion(examples))
        assert len(figures) == 4
        assert all(figure.data for figure in figures)

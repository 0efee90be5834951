"""Posts get their image, twins their group, and a report says what came in."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path

import chardet
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from PIL import Image

from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.datasets.post_folder import PostFiles
from multimodal_sentiment.parameters import (
    IngestionParameters,
    PreparationParameters,
    SplittingParameters,
)
from multimodal_sentiment.pipelines.ingestion.nodes import read_unlabelled_posts, record_files
from multimodal_sentiment.pipelines.preparation.nodes import (
    group_duplicates,
    plot_ingestion,
    prepare_examples,
    report_ingestion,
    report_labelled_ingestion,
)
from multimodal_sentiment.posts.imaging import decode_image, unpack

INGESTION = IngestionParameters(labels=["bad", "good"], encodings=["utf-8", "gb18030"])
BOUNDS = {"short_side": 32, "max_aspect_ratio": 3.0, "max_megapixels": 1.0}
PIXELS = PreparationParameters(storage="pixels", **BOUNDS)
JPEG = PreparationParameters(storage="jpeg", **BOUNDS)


def jpeg(seed: int, size: tuple[int, int] = (60, 40)) -> bytes:
    """A picture of its own."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 6, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(patches).resize(size, Image.Resampling.BICUBIC).save(buffer, "JPEG")
    return buffer.getvalue()


class Posts:
    """A folder of posts, and what the ingestion makes of it."""

    def __init__(self, folder: Path, tags: dict[str, str], files: dict[str, bytes]) -> None:
        self.folder = folder
        for name, content in files.items():
            (folder / name).write_bytes(content)
        listing = pd.DataFrame({"guid": list(tags), "tag": list(tags.values())}, dtype=str)
        self.files = PostFiles(folder)
        self.manifest = record_files(listing, self.files)
        profile = {"posts": {"gb18030": 1000}, "expected": {"gb18030": 1000.0}}
        self.posts = read_unlabelled_posts(listing, self.files, profile, INGESTION)

    def examples(self, preparation: PreparationParameters = PIXELS) -> pa.Table:
        stream = prepare_examples(self.posts, self.manifest, PostFiles(self.folder), preparation)
        return stream.read_all()


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
            (b"", "image broken: empty file"),
            (b"<html>404</html>", "image broken: not a JPEG, PNG, WebP, BMP, GIF or TIFF"),
            (jpeg(0)[:-300], "image broken: truncated"),
            (jpeg(0, (1500, 1000)), "image broken: claims over 1 megapixels"),
        ],
    )
    def test_a_broken_image_is_a_missing_one_and_a_problem(
        self, make: Callable[..., Posts], payload: bytes, problem: str
    ) -> None:
        row = make(1, {"1.txt": b"", "1.jpg": payload}).examples().to_pylist()[0]
        assert row["problems"] == f"empty text; {problem}"
        assert row["image"] is row["height"] is row["original_width"] is None
        assert row["image_hash"] == ""
        assert row["img_path"] == "data/1.jpg"

    def test_an_image_that_is_too_large_to_read_is_a_problem(
        self, make: Callable[..., Posts], tmp_path: Path
    ) -> None:
        with open(tmp_path / "data" / "1.jpg", "wb") as file:
            file.truncate(200_000_000)  # a hole: takes no space
        row = make(1, {"1.txt": b"text"}).examples().to_pylist()[0]
        assert (row["image"], row["problems"]) == (None, "image too large: 200.0 MB")

    def test_posts_without_any_image(self, make: Callable[..., Posts]) -> None:
        table = make(3, {"1.txt": b"one", "2.txt": b"two", "3.txt": b"three"}).examples()
        assert table["image"].null_count == 3
        assert set(table["problems"].to_pylist()) == {"no image"}

    @pytest.mark.parametrize("change", ["replaced", "removed", "renamed"])
    def test_an_image_that_changed_since_it_was_recorded_is_an_error(
        self, make: Callable[..., Posts], change: str
    ) -> None:
        posts = make(1, {"1.txt": b"text", "1.png": jpeg(0)})
        image = posts.folder / "1.png"
        if change == "replaced":
            image.write_bytes(jpeg(1))
        elif change == "removed":
            image.unlink()
        else:
            image.with_suffix(".jpg").write_bytes(jpeg(1))
        with pytest.raises(ValueError, match=r"image of post '1' has changed since .* ingestion"):
            posts.examples()

    def test_an_image_that_came_later_is_not_used(self, make: Callable[..., Posts]) -> None:
        posts = make(1, {"1.txt": b"text"})
        (posts.folder / "1.jpg").write_bytes(jpeg(0))
        assert posts.examples()["image"].null_count == 1

    def test_no_image_is_read_before_the_stream_is(self, make: Callable[..., Posts]) -> None:
        posts = make(1, {"1.txt": b"text", "1.jpg": jpeg(0)})
        (posts.folder / "1.jpg").unlink()
        prepare_examples(posts.posts, posts.manifest, posts.files, PIXELS)

    def test_it_is_saved_as_it_comes(self, make: Callable[..., Posts], tmp_path: Path) -> None:
        posts = make(2, {"1.jpg": jpeg(1), "2.txt": b"text"})
        dataset = ArrowStreamDataset(filepath=str(tmp_path / "examples.arrow"))
        dataset.save(prepare_examples(posts.posts, posts.manifest, posts.files, PIXELS))
        assert dataset.load().equals(posts.examples())
        preview = dataset.preview()
        assert "image" not in preview["columns"]
        json.dumps(preview, allow_nan=False)

    def test_how_it_went_is_logged(
        self, make: Callable[..., Posts], caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO):
            make(3, {"1.jpg": jpeg(1), "2.jpg": b"", "3.txt": b"text"}).examples()
        assert "3 of 3 posts prepared, 1 with an image" in caplog.text


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
        groups = group_duplicates(posts.examples())
        assert groups["guid"].tolist() == ["1", "2", "3", "4", "5"]
        assert groups["group"].tolist() == [0, 1, 0, 1, 2]


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
        report = report_ingestion(posts.examples(), posts.files)
        assert report["posts"] == 30
        assert report["tags"] == {"good": 20, "bad": 10}
        assert report["problems"] == {
            "empty text": {"posts": 1, "first": ["7"]},
            "image broken": {"posts": 2, "first": ["5", "6"]},
            "no image": {"posts": 2, "first": ["29", "30"]},
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
        alone = report_ingestion(posts.examples(), posts.files)["chardet_alone"]
        assert alone["posts_asked"] == 5
        assert alone["same text"] + alone["another text"] + alone["no text"] == 5
        assert sum(alone["encodings"].values()) == 5

    def test_it_lists_readings_in_doubt(self, posts: Posts) -> None:
        examples = posts.examples()
        doubts = [""] * 29 + ["no image; encoding uncertain: gb18030 0.60, utf-8 0.40"]
        at = examples.schema.get_field_index("problems")
        flagged = report_ingestion(
            examples.set_column(at, "problems", pa.array(doubts)), posts.files
        )["flagged_encodings"]
        assert flagged["posts"] == 1
        assert flagged["first"] == [
            {
                "guid": "30",
                "encoding": "gb18030",
                "encoding_confidence": pytest.approx(1.0, abs=0.01),
                "problems": doubts[-1],
                "text": "今天天气很好 30",
                "chardet": chardet.detect("今天天气很好 30".encode("gb18030"))["encoding"],
            }
        ]

    def test_it_says_what_a_random_split_would_have_leaked(self, posts: Posts) -> None:
        examples = posts.examples()
        groups = group_duplicates(examples)
        splitting = SplittingParameters(validation_fraction=0.5, seed=3)
        twins = report_labelled_ingestion(examples, posts.files, groups, splitting)["twins"]
        held_out = set(np.random.default_rng(3).permutation(30)[:15])
        assert twins == {
            "posts": 2,  # 3 and 4
            "groups": 1,
            "groups_with_several_tags": 1,
            "random_split": {
                "validation_posts": 15,
                "with_a_twin_in_training": len(held_out & {2, 3}) % 2,
            },
        }

    @pytest.mark.parametrize("files", [{"1.txt": b""}, {"1.jpg": jpeg(1)}])
    def test_it_is_json_whatever_is_missing(
        self, make: Callable[..., Posts], files: dict[str, bytes]
    ) -> None:
        posts = make(2, files)
        examples = posts.examples()
        groups = group_duplicates(examples)
        splitting = SplittingParameters(validation_fraction=0.5, seed=0)
        report = report_labelled_ingestion(examples, posts.files, groups, splitting)
        assert json.loads(json.dumps(report, allow_nan=False)) == report

    def test_four_figures_show_it(self, posts: Posts) -> None:
        examples = posts.examples()
        figures = plot_ingestion(examples, report_ingestion(examples, posts.files))
        assert len(figures) == 4
        assert all(figure.data for figure in figures)

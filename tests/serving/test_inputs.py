"""Ways to call `predict`: each is answered, row by row, or refused in one line."""

from __future__ import annotations

import decimal
import io
import os
from collections import deque
from itertools import repeat

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from PIL import Image

from multimodal_sentiment import ClassifierError, load_classifier

from .conftest import TEXTS, photo

PNG = io.BytesIO()
photo(0, 60, 80).save(PNG, "PNG")
BYTES = PNG.getvalue()
GREY = np.full((40, 30), 90, np.uint8)


def big() -> Image.Image:
    return Image.new("1", (20_000, 20_000))


def closed() -> io.BytesIO:
    file = io.BytesIO(BYTES)
    file.close()
    return file


MOVING = ("GIF", "PNG", "WEBP", "TIFF")


class Raises:
    def __array__(self, *_, **__):
        raise RuntimeError("first\nsecond")


@pytest.fixture
def classifier(model):
    return load_classifier(model, "cpu", "fp32")


ROWS = {  # what is given, and each row's problems but for what is not given at all
    "list": (TEXTS, ["", "", "empty text", ""]),
    "tuple": (tuple(TEXTS), ["", "", "empty text", ""]),
    "generator": ((text for text in TEXTS), ["", "", "empty text", ""]),
    "Series": (pd.Series(TEXTS), ["", "", "empty text", ""]),
    "strings of pandas": (pd.Series(["a", None], dtype="string"), ["", "no text"]),
    "category": (pd.Series(["a", "b"], dtype="category"), ["", ""]),
    "NumPy": (np.array(["a", "b"]), ["", ""]),
    "NumPy objects": (np.array(["a", None], dtype=object), ["", "no text"]),
    "masked": (np.ma.array(["a", "b"], mask=[0, 1]), ["", "no text"]),
    "Arrow": (pa.array(["a", None]), ["", "no text"]),
    "Arrow in chunks": (pa.chunked_array([["a"], ["b"]]), ["", ""]),
    "Arrow's other strings": (pa.array(["a", None], pa.large_string()), ["", "no text"]),
    "Arrow's categories": (pa.array(["a", None]).dictionary_encode(), ["", "no text"]),
    "strings of Arrow in pandas": (
        pd.Series(["a", None], dtype="string[pyarrow]"),
        ["", "no text"],
    ),
    "a queue": (deque(["a"]), [""]),
    "strings of NumPy": ([np.str_("a"), np.bytes_(b"a")], ["", ""]),
    "in a list each": (
        np.array([["a"], ["b"]]),
        ["text unreadable: ndarray is no text"] * 2,
    ),
    "other kinds": (
        [True, pd.Timestamp("2020-01-01"), io.BytesIO(b"a"), torch.zeros(2)],
        [
            f"text unreadable: {kind} is no text"
            for kind in ("bool", "Timestamp", "BytesIO", "Tensor")
        ],
    ),
    "words for nothing": (["nan", "None", "NULL"], [""] * 3),
    "missing": ([None, np.nan, pd.NA, pd.NaT, decimal.Decimal("nan")], ["no text"] * 5),
    "no text": (
        [5, ["a"], {}],
        [f"text unreadable: {kind} is no text" for kind in ("int", "list", "dict")],
    ),
    "spaces": ([" \n", "\u00a0"], ["empty text"] * 2),
    "bytes": ([b"fine", bytearray(b"fine"), b""], ["", "", "empty text"]),
    "bytes in the model's encoding": (["déjà vu, c'était".encode("cp1252")], [""]),
    "surrogates": (["ab\ud83d", "\ud83d\ude00"], ["lone surrogates: 1", ""]),
    "controls": (["a\0b"], ["control characters"]),
    "huge": (["x" * 2**20 + "y"], ["text too large: 1.0 MB"]),
    "none": ([], []),
}


@pytest.mark.parametrize("name", ROWS)
def test_texts(classifier, name):
    texts, problems = ROWS[name]

    answers = classifier.predict(texts)

    assert [said.removesuffix("no image").removesuffix("; ") for said in answers["problems"]] == (
        problems
    )
    assert not answers.isna().any().any()


def unread(reason: str) -> str:
    return f"image unreadable: {reason}"


def in_file(image: Image.Image, kind: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


TURNED = {"save_all": True, "append_images": [photo(1, 60, 80)]}
SIXTEEN = Image.fromarray((np.arange(4800).reshape(60, 80) * 13).astype(np.uint16))

IMAGES = {
    "animated": ([in_file(photo(0, 60, 80), kind, **TURNED) for kind in MOVING], [""] * 4),
    "16 bits": ([in_file(SIXTEEN, "PNG"), SIXTEEN], [""] * 2),
    "palette, transparent": ([in_file(photo(0, 60, 80).convert("RGBA").quantize(8), "PNG")], [""]),
    "a JPEG in CMYK": ([in_file(photo(0, 60, 80).convert("CMYK"), "JPEG")], [""]),
    "one pixel": ([Image.new("RGB", (1, 1)), Image.new("RGB", (5000, 1))], [""] * 2),
    "no pixel": ([Image.new("RGB", (0, 5))], [unread("cannot write empty image")]),
    "as data sets have them": (
        [{"bytes": BYTES, "path": None}, {"bytes": None, "path": None}, {"url": "a"}],
        ["", "no image", unread("dict is no image")],
    ),
    "Arrow's structures": (pa.array([{"bytes": BYTES, "path": "a.png"}, None]), ["", "no image"]),
    "Arrow's bytes": (pa.array([BYTES, None], pa.large_binary()), ["", "no image"]),
    "a tensor of a network": (
        torch.rand(1, 3, 40, 40),
        [
            unread(
                "an array of float32 and shape (3, 40, 40): give uint8 of shape (height, width, 3)"
            )
        ],
    ),
    "read backwards": ([np.zeros((50, 40, 3), np.uint8)[::2, ::-1]], [""]),
    "a closed file": ([closed()], [unread("I/O operation on closed file.")]),
    "bytes": ([BYTES, bytearray(BYTES), memoryview(BYTES)], [""] * 3),
    "open file, twice": ([PNG, PNG], [""] * 2),
    "Pillow": ([photo(0, 60, 80)], [""]),
    "modes": (
        [photo(0, 60, 80).convert(mode) for mode in "1 L LA P RGBA CMYK HSV".split()],
        [""] * 7,
    ),
    "modes of numbers": (
        [Image.fromarray(GREY).convert(mode) for mode in ("I", "F", "I;16")],
        [""] * 3,
    ),
    "arrays": (
        [GREY, GREY[:, :, None], np.stack([GREY] * 3, -1), np.stack([GREY] * 4, -1)],
        [""] * 4,
    ),
    "an array of images": (np.zeros((2, 40, 40, 3), np.uint8), [""] * 2),
    "tensor": (torch.zeros(2, 40, 40, 3, dtype=torch.uint8), [""] * 2),
    "other arrays": (
        [GREY / 255, np.zeros((3, 40, 40), np.uint8), np.zeros((0, 0, 3), np.uint8)],
        [
            unread(f"an array of {what}: give uint8 of shape (height, width, 3)")
            for what in (
                "float64 and shape (40, 30)",
                "uint8 and shape (3, 40, 40)",
                "uint8 and shape (0, 0, 3)",
            )
        ],
    ),
    "missing": ([None, np.nan, pd.NA, ""], ["no image"] * 4),
    "links": (["https://example.org/a.jpg"], [unread("links are not followed: fetch it first")]),
    "no file": (
        ["nowhere.jpg", "a\0b", "/"],
        [unread(x) for x in ("No such file or directory", "embedded null byte", "not a file")],
    ),
    "no image": ([5, Raises()], [unread("int is no image"), unread("first second")]),
    "as text": ([io.StringIO("x")], [unread("a file that is open as text: open it with mode rb")]),
    "broken": (
        [b"", b"JFIF", BYTES[:-30]],
        [
            "image broken: empty file",
            "image broken: not a JPEG, PNG, WebP, AVIF, BMP, GIF or TIFF",
            "image broken: truncated",
        ],
    ),
    "a bomb": ([big()], ["image broken: claims over 100 megapixels"]),
}


@pytest.mark.parametrize("name", IMAGES)
def test_images(classifier, name):
    images, problems = IMAGES[name]

    answers = classifier.predict(images=images)

    assert [said.removeprefix("no text").removeprefix("; ") for said in answers["problems"]] == (
        problems
    )


def test_what_has_no_end_is_not_read(classifier, tmp_path):
    os.mkfifo(tmp_path / "fifo")

    said = classifier.predict(images=[tmp_path / "fifo", "/dev/zero", tmp_path])["problems"]

    assert set(said) == {"no text; image unreadable: not a file"}


def test_one_missing_file_costs_the_others_nothing(classifier, photos, tmp_path):
    images = [photos[0], tmp_path / "nowhere.jpg", photos[2]]
    answers = classifier.predict(["a", "b", "c"], images)

    alone = classifier.predict(["a", "c"], [photos[0], photos[2]])
    np.testing.assert_allclose(answers["p_good"][[0, 2]], alone["p_good"], atol=1e-5)


def test_bytes_are_read_as_the_models_own_posts(classifier):
    text = "déjà vu, c'était très bien"

    encoded, plain = classifier.predict([text.encode("cp1252"), text])["p_good"]

    assert encoded == plain


FRAMES = {
    "pandas": pd.DataFrame,
    "Arrow": pa.table,
    "polars": lambda table: pytest.importorskip("polars").DataFrame(table),
}


@pytest.mark.parametrize("kind", FRAMES)
def test_a_frame_has_columns_for_both(classifier, kind):
    frame = FRAMES[kind]({"text": ["a", None], "image": [BYTES, None], "other": [1, 2]})

    assert list(classifier.predict(frame)["problems"]) == ["", "no text; no image"]
    assert classifier.predict(frame["text"], frame["image"])["problems"].iloc[0] == ""


def test_columns_of_polars_may_have_nulls(classifier):
    polars = pytest.importorskip("polars")
    texts, images = polars.Series(["a", None, ""]), polars.Series([BYTES, None, None])

    said = classifier.predict(texts, images)["problems"]

    assert list(said) == ["", "no text; no image", "empty text; no image"]
    with pytest.raises(ClassifierError, match="LazyFrame holds no rows yet: give its collect"):
        classifier.predict(polars.LazyFrame({"text": ["a"]}))


def test_the_first_frame_of_what_moves_is_seen(classifier):
    files = [in_file(photo(0, 60, 80), kind, **TURNED) for kind in ("PNG", "TIFF")]

    alone, *first, other = classifier.predict(images=[BYTES, *files, photo(1, 60, 80)])["p_good"]

    assert first == pytest.approx([alone] * 2, abs=1e-6)
    assert other != pytest.approx(alone, abs=1e-6)


def test_an_index_of_pandas_is_kept(classifier):
    frame = pd.DataFrame({"text": TEXTS}, index=[9, 7, 5, 3])

    assert list(classifier.predict(frame).index) == [9, 7, 5, 3]
    assert list(classifier.predict(frame.text[1:]).index) == [7, 5, 3]
    assert list(classifier.predict(frame.text[:0])) == list(classifier.predict(frame))


REFUSED = {
    "nothing": ({}, "texts, images or both must be given"),
    "a string": ({"texts": "one"}, "texts must be a list with one entry a post, not one alone"),
    "a path": ({"images": "one.jpg"}, "images must be a list"),
    "an image": ({"images": Image.new("L", (9, 9))}, "images must be a list"),
    "an open file": ({"images": PNG}, "images must be a list"),
    "a set": ({"texts": {"a"}}, "texts must be a list with one entry a post, not set"),
    "a dictionary": ({"texts": {"a": 1}}, "not dict"),
    "a number": ({"texts": 5}, "not int"),
    "no dimensions": ({"texts": np.array("x")}, "texts must be a list"),
    "unequal": ({"texts": ["a", "b"], "images": [None]}, "there are 2 texts and 1 images"),
    "unequal generators": ({"texts": iter("ab"), "images": iter([None])}, "not as many texts as"),
    "other columns": ({"texts": pd.DataFrame({"tweet": ["a"]})}, "it has tweet"),
    "indexes": (
        {"texts": pd.Series(["a"]), "images": pd.Series([None], index=[4])},
        "different indexes",
    ),
    "one longer generator": ({"texts": ["a"], "images": repeat(None)}, "not as many texts as"),
    "two columns": (
        {"texts": pd.DataFrame([["a", "b"]], columns=["text", "text"])},
        "a frame has 2 columns named text: keep one of them",
    ),
    "a scalar of Arrow": ({"texts": pa.scalar("a")}, "not StringScalar"),
    "a type": ({"texts": str}, "not type"),
    "wording": ({"texts": ["a"], "problems": "prose"}, "choose one of words, codes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_list_of_posts_is_refused(classifier, name):
    posts, words = REFUSED[name]

    with pytest.raises(ClassifierError) as caught:
        classifier.predict(**posts)

    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_an_error_of_the_users_own_generator_is_theirs(classifier):
    def texts():
        yield "a"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        classifier.predict(texts())

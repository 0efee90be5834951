"""Ways to call `predict`: each is answered, row by row, or refused in one line."""

from __future__ import annotations

import decimal
import io
import tracemalloc
from collections import deque
from itertools import repeat

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from datasets import Dataset, Features, Value
from PIL import Image

from multimodal_sentiment import ClassifierError
from multimodal_sentiment.classifier.frames import write_posts
from multimodal_sentiment.classifier.inputs import read_entries

from ..small_model import TEXTS, photo

PNG = io.BytesIO()
photo(0, 60, 80).save(PNG, "PNG")
BYTES = PNG.getvalue()


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
        [pd.Timestamp("2020-01-01"), io.BytesIO(b"a"), torch.zeros(2)],
        [f"text unreadable: {kind} is no text" for kind in ("Timestamp", "BytesIO", "Tensor")],
    ),
    "words for nothing": (["nan", "None", "NULL"], [""] * 3),
    "missing": ([None, np.nan, pd.NA, pd.NaT, decimal.Decimal("nan")], ["no text"] * 5),
    "no text": (
        [["a"], {}],
        [f"text unreadable: {kind} is no text" for kind in ("list", "dict")],
    ),
    "spaces": ([" \n", "\u00a0"], ["empty text"] * 2),
    "bytes": ([b"fine", bytearray(b"fine"), b""], ["", "", "empty text"]),
    "bytes in the model's encoding": (["déjà vu, c'était".encode("cp1252")], [""]),
    "surrogates": (["ab\ud83d", "\ud83d\ude00"], ["lone surrogates: 1", ""]),
    "controls": (["a\0b"], ["control characters"]),
    "huge": (["x" * 2**20 + "y"], ["text too large: 1.1 MB, at most 1 MB"]),
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


NUMBERS = [12345, 2.5, 7.0, True, np.int64(12345), np.float32(2.5), np.bool_(True)]


def test_numbers_are_read_as_training_reads_them(classifier, tmp_path):
    frame = pd.DataFrame({"text": NUMBERS, "tag": "good"}, dtype=object)
    write_posts(frame, {"text": "text", "tag": "tag"}, tmp_path / "posts.parquet")
    written = pd.read_parquet(tmp_path / "posts.parquet")["text"]

    answers = classifier.predict(frame)

    assert list(answers["problems"]) == ["no image"] * len(NUMBERS)
    pd.testing.assert_frame_equal(answers, classifier.predict(list(written)))


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


@pytest.mark.parametrize("kind", [None, "numpy", "torch", "pandas", "arrow"])
def test_a_damaged_image_of_a_data_set_is_a_problem_of_its_row(classifier, kind):
    features = Features({"text": Value("string"), "image": datasets.Image()})
    images = [{"bytes": BYTES[:40], "path": None}, {"bytes": BYTES, "path": None}, None]
    rows = {"text": ["a", "b", "c"], "image": images}

    said = classifier.predict(Dataset.from_dict(rows, features).with_format(kind))["problems"]

    assert [it.partition(":")[0] for it in said] == ["image broken", "", "no image"]


def test_columns_of_polars_may_have_nulls(classifier):
    polars = pytest.importorskip("polars")
    texts, images = polars.Series(["a", None, ""]), polars.Series([BYTES, None, None])

    said = classifier.predict(texts, images)["problems"]

    assert list(said) == ["", "no text; no image", "empty text; no image"]
    with pytest.raises(ClassifierError, match="LazyFrame holds no rows yet: give its collect"):
        classifier.predict(polars.LazyFrame({"text": ["a"]}))


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
    "a frame without texts": (
        {"texts": pd.DataFrame({"tweet": ["a"]}), "images": [None]},
        "texts is a frame without a column named text",
    ),
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


def test_images_of_arrow_are_not_all_held_at_once():
    column = pa.chunked_array([[bytes(10_000)] * 1500, [bytes(10_000)] * 500], pa.large_binary())
    tracemalloc.start()
    try:
        assert sum(len(image) for image in read_entries("images", column)) == 20_000_000
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_entries_of_other_libraries_for_arrow_need_no_slices():
    class Column(list):
        def to_pylist(self):
            return ["a", "b"]

    assert list(read_entries("texts", Column([0, 1]))) == ["a", "b"]


def test_an_error_of_the_users_own_generator_is_theirs(classifier):
    def texts():
        yield "a"
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        classifier.predict(texts())

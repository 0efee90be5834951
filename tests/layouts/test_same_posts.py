"""The same posts give the same rows, split and answers, whichever layout they come in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.layouts import Options, open_source
from multimodal_sentiment.parameters import (
    IngestionParameters,
    Parameters,
    PreparationParameters,
    SplittingParameters,
    TwinsParameters,
)
from multimodal_sentiment.pipelines.ingestion.nodes import (
    describe_source,
    read_labelled_posts,
    read_unlabelled_posts,
)
from multimodal_sentiment.pipelines.prediction.nodes import predict_unlabelled
from multimodal_sentiment.pipelines.preparation.nodes import group_duplicates, prepare_examples
from multimodal_sentiment.pipelines.splitting.nodes import split_posts

from ..learning.fitting import fit
from .making import LAYOUTS, Row, copy_course, lay_out

INGESTION = IngestionParameters(
    layout=None,
    labels=["negative", "neutral", "positive"],
    encodings=None,
    links="inside",
    allow_missing=False,
)
PREPARATION = PreparationParameters(
    short_side=32, max_aspect_ratio=3.0, max_megapixels=10.0, storage="pixels"
)
SPLITTING = SplittingParameters(validation_fraction=0.2, seed=0)
TWINS = TwinsParameters(image_bits=0, text_similarity=None)
TOLD = ["guid", "text", "tag", "image", "height", "width", "image_hash"]


MODELLED = ["CSV in GB18030", "Feather with bytes and paths"]  # by the tests that always run


class Came(NamedTuple):
    """What came of a source."""

    posts: dict[str, pd.DataFrame]
    examples: dict[str, pa.Table]
    groups: pd.DataFrame
    split: tuple[pd.DataFrame, pd.DataFrame]  # training and validation posts
    about: dict[str, Any]


def come(raw: Path) -> Came:
    source = open_source(raw, Options(labels=INGESTION.labels))
    labelled = source.listing("labelled")
    posts, _, profile = read_labelled_posts(labelled, source.files(), INGESTION)
    frames = {"labelled": posts}
    if source.has("unlabelled"):
        others = source.listing("unlabelled")
        frames["unlabelled"], _ = read_unlabelled_posts(others, source.files(), profile, INGESTION)
    examples = {
        name: prepare_examples(frame, source.files(), PREPARATION).read_all()
        for name, frame in frames.items()
    }
    groups = group_duplicates(examples["labelled"], TWINS)
    declared, about = describe_source(labelled, source.files())
    split = split_posts(examples["labelled"], groups, declared, SPLITTING)
    return Came(frames, examples, groups, split, about)


def answers(came: Came, parameters: Parameters, folder: Path) -> dict[str, pd.DataFrame]:
    """What a model says of all posts that has learnt from the training posts."""
    learnt = LabelledPosts.select(came.split[0], came.examples["labelled"], came.groups)
    classifier, _ = fit(learnt, parameters, folder)
    return {
        name: predict_unlabelled(classifier, examples, parameters.compute)[0].drop(
            columns="problems"
        )
        for name, examples in came.examples.items()
    }


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Came:
    return come(copy_course(tmp_path_factory.mktemp("course") / "raw"))


@pytest.fixture(scope="module")
def rows(course: Came) -> list[Row]:
    frame = pd.concat(course.posts.values())
    return [
        Row(
            post.guid,
            None if "no_text" in post.problems else post.text,
            post.img_path.removeprefix("data/") or None,
            post.tag or None,
        )
        for post in frame.itertuples()
    ]


def test_the_sample_holds_what_makes_layouts_differ(course: Came) -> None:
    posts = pd.concat(course.posts.values())
    assert len(posts) == 200
    assert (~posts["text"].map(str.isascii)).sum() > 20
    assert (posts["img_path"] == "").any()
    assert posts["text"].str.contains('[",]').any()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_posts_come_of_every_layout(
    tmp_path: Path, layout: str, course: Came, rows: list[Row]
) -> None:
    came = come(lay_out(layout, tmp_path / "raw", rows))
    assert came.examples.keys() == ({"labelled"} if layout == "MVSA" else course.examples.keys())
    for name, other in came.examples.items():
        examples = course.examples[name]
        for column in TOLD:
            assert other[column].to_pylist() == examples[column].to_pylist(), column
    assert came.groups.equals(course.groups)
    for part, expected in zip(came.split, course.split, strict=True):
        assert part[["guid", "tag"]].equals(expected[["guid", "tag"]])
    assert came.about["layout"] == LAYOUTS[layout]


@pytest.fixture(scope="module")
def course_answers(
    course: Came, tiny: Callable[..., Parameters], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, pd.DataFrame]:
    return answers(course, tiny(), tmp_path_factory.mktemp("course_model"))


@pytest.mark.parametrize(
    "layout",
    [
        layout if layout in MODELLED else pytest.param(layout, marks=pytest.mark.slow)
        for layout in LAYOUTS
    ],
)
def test_a_model_of_the_same_posts_says_the_same_in_every_layout(
    tmp_path: Path,
    layout: str,
    tiny: Callable[..., Parameters],
    rows: list[Row],
    course_answers: dict[str, pd.DataFrame],
) -> None:
    came = come(lay_out(layout, tmp_path / "raw", rows))
    said = answers(came, tiny(), tmp_path / "model")
    for name, predictions in said.items():
        pd.testing.assert_frame_equal(predictions, course_answers[name], check_exact=True)

"""The same posts are the same rows, whichever layout they come in."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment.layouts import Options, open_source
from multimodal_sentiment.parameters import IngestionParameters, PreparationParameters
from multimodal_sentiment.pipelines.ingestion.nodes import (
    describe_source,
    read_labelled_posts,
    read_unlabelled_posts,
)
from multimodal_sentiment.pipelines.preparation.nodes import group_duplicates, prepare_examples

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
TOLD = ["guid", "text", "tag", "image", "height", "width", "image_hash"]


class Came(NamedTuple):
    """What came of a source."""

    posts: dict[str, pd.DataFrame]
    examples: dict[str, pa.Table]
    about: dict[str, Any]


def come(raw: Path) -> Came:
    source = open_source(raw, Options(labels=INGESTION.labels))
    labelled = source.listing("labelled")
    posts, _, profile = read_labelled_posts(labelled, source.files(), INGESTION)
    frames = {"labelled": posts}
    if source.has("unlabelled"):
        others = source.listing("unlabelled")
        frames["unlabelled"], _ = read_unlabelled_posts(others, source.files(), profile, INGESTION)
    return Came(
        frames,
        {
            name: prepare_examples(frame, source.files(), PREPARATION).read_all()
            for name, frame in frames.items()
        },
        describe_source(labelled, source.files())[1],
    )


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
    groups = group_duplicates(course.examples["labelled"])
    assert group_duplicates(came.examples["labelled"]).equals(groups)
    assert came.about["layout"] == LAYOUTS[layout]

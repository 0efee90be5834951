"""The saved split of the labelled posts."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment.parameters import SplittingParameters
from multimodal_sentiment.pipelines.splitting.nodes import split_posts
from multimodal_sentiment.posts.schema import POSTS

COLUMNS = list(POSTS)


def examples(tags: list[str]) -> pa.Table:
    numbers = range(len(tags))
    columns = {
        "guid": [f"0{n}" for n in numbers],
        "text": [f"text {n}\r" for n in numbers],
        "tag": tags,
        "img_path": "",
        "encoding": "ascii",
        "encoding_confidence": 1.0,
        "problems": ["no_image" if n % 2 else "" for n in numbers],
        "image": None,
        "height": None,
    }
    return pa.Table.from_pandas(pd.DataFrame(columns))


def groups(table: pa.Table, numbers: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"guid": table["guid"].to_pylist(), "group": numbers})


def parameters(fraction: float = 0.2, seed: int = 0) -> SplittingParameters:
    return SplittingParameters(validation_fraction=fraction, seed=seed)


def test_each_post_lands_on_one_side_as_it_was_and_in_order() -> None:
    table = examples(["a", "b"] * 50)
    train, validation = split_posts(table, groups(table, list(range(100))), parameters())
    assert (len(train), len(validation)) == (80, 20)
    assert train.columns.tolist() == validation.columns.tolist() == COLUMNS
    assert train.index.tolist() == list(range(80))
    for part in (train, validation):
        assert part["guid"].astype(int).is_monotonic_increasing
        assert part["tag"].value_counts().nunique() == 1
    both = pd.concat([train, validation]).sort_values("guid", key=lambda g: g.astype(int))
    expected = table.select(COLUMNS).to_pandas()
    pd.testing.assert_frame_equal(both.reset_index(drop=True), expected)


def test_twins_stay_together_whatever_the_order_of_the_groups() -> None:
    table = examples(["a", "b", "b", "a"] * 25)
    numbers = [n // 5 for n in range(100)]
    shuffled = groups(table, numbers).sample(frac=1, random_state=0)
    train, validation = split_posts(table, shuffled, parameters())
    assert not {int(g) // 5 for g in train["guid"]} & {int(g) // 5 for g in validation["guid"]}


def test_the_seed_and_the_fraction_are_used() -> None:
    table = examples(["a", "b"] * 50)
    alone = groups(table, list(range(100)))
    first = split_posts(table, alone, parameters())[1]
    assert first.equals(split_posts(table, alone, parameters())[1])
    assert not first.equals(split_posts(table, alone, parameters(seed=1))[1])
    assert len(split_posts(table, alone, parameters(fraction=0.35))[1]) == pytest.approx(35, abs=1)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        (["a"] * 5, "5 posts that are all tagged 'a'"),
        (["a", "a", "b"], "too few posts tagged 'b'"),
    ],
)
def test_what_cannot_be_split_is_an_error(tags: list[str], message: str) -> None:
    table = examples(tags)
    with pytest.raises(ValueError, match=message):
        split_posts(table, groups(table, list(range(len(tags)))), parameters())

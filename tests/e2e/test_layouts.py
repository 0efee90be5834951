"""A table of posts, trained on and predicted for by the commands."""

from __future__ import annotations

import json

import pandas as pd
import pytest

from ..commands import QUICK, Project, params


@pytest.fixture(scope="module")
def tabled(trained_project: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same posts as a Parquet file with bytes, in a data folder of their own."""
    place = tmp_path_factory.mktemp("tabled")
    posts = pd.concat(
        trained_project.frame(f"02_intermediate/{name}/posts.csv")
        for name in ("labelled", "unlabelled")
    )
    frame = pd.DataFrame(
        {
            "key": posts["guid"].astype(int),
            "said": posts["text"].where(~posts["problems"].str.contains("no_text"), None),
            "photo": [
                (trained_project.raw / path).read_bytes() if path else None
                for path in posts["img_path"]
            ],
            "mood": posts["tag"].where(posts["tag"] != "", None),
        }
    )
    frame.to_parquet(place / "posts.parquet")
    given = {
        "raw": place / "posts.parquet",
        "data": place / "data",
        "columns.guid": "key",
        "columns.text": "said",
        "columns.tag": "mood",
    }
    trained_project.kedro("run", "--env=scratch", "--params", params(given | QUICK))
    return Project(place)


@pytest.mark.parametrize(
    "table",
    [
        "04_feature/duplicate_groups.csv",
        "05_model_input/validation_posts.csv",
        "07_model_output/validation_predictions.csv",
        "07_model_output/unlabelled/predictions.csv",
    ],
)
def test_the_same_posts_in_a_table_give_the_same_answers(
    trained_project: Project, tabled: Project, table: str
) -> None:
    answers, others = trained_project.frame(table), tabled.frame(table)
    same = [name for name in answers if name not in ("img_path", "encoding", "problems")]
    assert len(same) > 1
    pd.testing.assert_frame_equal(answers[same], others[same])


def test_what_the_table_was_taken_for_is_noted(tabled: Project) -> None:
    source = json.loads(tabled.newest("02_intermediate/labelled/source.json").read_text("utf-8"))
    assert source["layout"] == "table"
    assert source["format"] == "parquet"
    assert source["columns"] == {"guid": "key", "text": "said", "tag": "mood", "image": "photo"}
    assert tabled.newest("02_intermediate/labelled/declared_split.csv").read_text() == (
        '"guid","split"\n'
    )

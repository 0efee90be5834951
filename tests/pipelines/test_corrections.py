"""Tags that a person has corrected, from the file to the figures."""

from __future__ import annotations

import pandas as pd
import pytest

from multimodal_sentiment.parameters import IngestionParameters
from multimodal_sentiment.pipelines.evaluation.questions import (
    compare_answers,
    count_corrections,
    judge_abstention,
    judge_modalities,
    judge_parts,
)
from multimodal_sentiment.pipelines.ingestion.corrections import record_corrections
from multimodal_sentiment.pipelines.splitting.nodes import split_posts
from multimodal_sentiment.posts.split import describe_split

from .test_splitting import declared, examples, groups, parameters

LABELS = ["negative", "positive"]
POSTS = pd.DataFrame({"guid": ["1", "2", "3"], "tag": ["negative", "positive", "positive"]})
DRAWING = {"samples": 100, "level": 0.95, "seed": 0}


def corrected(
    *rows: tuple[str, str], posts: pd.DataFrame = POSTS, labels: list[str] | None = None
) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["guid", "tag"]).assign(sha256="ab")
    ingestion = IngestionParameters(
        labels=labels or [*LABELS, "neutral"],
        encodings=None,
        layout=None,
        links="inside",
        allow_missing=False,
    )
    return record_corrections(table, posts, ingestion)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([("1", "positive")], "1 tag is corrected; 0 corrections change nothing"),
        ([("1", "negative")], "0 tags are corrected; 1 correction changes nothing"),
    ],
)
def test_one_correction_is_said_as_one(rows, words, caplog):
    with caplog.at_level("INFO"):
        corrected(*rows)

    assert words in caplog.text


def test_corrections_that_change_a_tag_are_kept_beside_the_original():
    table = corrected(("3", "neutral"), ("1", "positive"), ("2", "positive"))

    assert table.to_dict("records") == [
        {"guid": "1", "tag": "positive", "original": "negative", "sha256": "ab"},
        {"guid": "3", "tag": "neutral", "original": "positive", "sha256": "ab"},
    ]
    assert corrected().empty


def test_corrections_that_were_saved_again_as_other_numbers_are_the_same():
    posts = POSTS.assign(tag=["0", "1", "1"])
    rows = [("1", "1.0"), ("1", "1"), ("2", "1.0"), ("3", "2.0")]

    table = corrected(*rows, posts=posts, labels=["0", "1", "2"])

    assert dict(zip(table["guid"], table["tag"], strict=True)) == {"1": "1", "3": "2"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        (("4", "positive"), "corrections name post '4', which the labelled listing does not"),
        (("1", "happy"), "the unknown tag 'happy': use negative, neutral, positive"),
    ],
)
def test_unknown_posts_and_tags_are_refused(row, words):
    with pytest.raises(ValueError, match=words):
        corrected(row)


def test_a_post_with_two_corrections_is_refused():
    with pytest.raises(ValueError, match="the file of corrections gives different tags: post '1'"):
        corrected(("1", "positive"), ("1", "neutral"))


def test_the_split_has_the_corrected_tags_and_the_same_sides():
    table = examples(["a", "b"] * 50)
    alone = groups(table, list(range(100)))
    undeclared = declared(table, [""] * 100)
    before = split_posts(table, alone, undeclared, parameters())
    guids = [before[0]["guid"][3], before[1]["guid"][0]]
    corrections = pd.DataFrame({"guid": guids, "tag": "c"})

    after = split_posts(table, alone, undeclared, parameters(), corrections)

    for one, other in zip(before, after, strict=True):
        assert one["guid"].tolist() == other["guid"].tolist()
        changed = one["tag"] != other["tag"]
        assert one["guid"][changed].tolist() == [guid for guid in guids if guid in set(one["guid"])]
        assert (other["tag"][changed] == "c").all()
    assert "c" not in table["tag"].to_pylist()
    assert count_corrections(corrections.assign(sha256="ab"), *after) == {
        "posts": 2,
        "training": 1,
        "validation": 1,
        "sha256": "ab",
    }


@pytest.mark.parametrize("corrects", [False, True])
def test_a_split_that_was_drawn_is_known_to_be_drawn(corrects):
    table = examples(["a", "b"] * 50)
    alone = groups(table, list(range(100)))
    guids = table["guid"].to_pylist()[:60:2] * corrects
    changed = pd.DataFrame({"guid": guids, "tag": "b", "original": "a"}, dtype=str)
    sides = split_posts(table, alone, declared(table, [""] * 100), parameters(), changed)
    group_of = alone.set_index("guid")["group"]

    assert describe_split(*sides, changed, group_of, parameters()) == parameters().model_dump()
    others = describe_split(*sides, changed, group_of, parameters(seed=1))
    assert others == {"as": "given with the posts"}


@pytest.fixture
def predictions() -> pd.DataFrame:
    """80 posts: the text alone is right about half, the photo alone about all but the last ten."""
    tags = LABELS * 40
    other = [LABELS[1 - LABELS.index(tag)] for tag in tags]
    return pd.DataFrame(
        {
            "guid": [str(n) for n in range(80)],
            "tag": tags,
            "predicted": tags,
            "confidence": [0.95] * 40 + [0.6] * 40,
            "text_alone": tags[:40] + other[40:],
            "image_alone": tags[:70] + other[70:],
            "text_contribution": [0.1] * 75 + [0.0] * 5,
            "image_contribution": [0.2] * 80,
            "problems": [""] * 45 + ["no_image"] * 35,
        }
    )


def test_what_hiding_the_photo_costs_is_judged(predictions):
    alone = judge_modalities(predictions, pd.Series(range(80)), LABELS, margin=0.01, **DRAWING)

    assert alone is not None
    assert alone["text_alone"]["score"] == 0.5
    assert alone["text_alone"]["accuracy"]["difference"] == 0.5
    assert alone["text_alone"]["verdict"] == "better"
    assert alone["image_alone"]["score"] == 70 / 80
    assert judge_modalities(predictions[["tag", "predicted"]], pd.Series(range(80)), LABELS,
                            margin=0.01, **DRAWING) is None  # fmt: skip


def test_twins_count_once_where_answers_do_not_differ():
    tags = pd.Series(LABELS * 150)
    same = {"model": tags, "other": tags}
    verdicts = [
        compare_answers(tags, same, groups, LABELS, margin=0.01, **DRAWING)[0]["verdict"]
        for groups in (pd.Series(range(300)), pd.Series(range(300)) // 5)
    ]

    assert verdicts == ["no different", "cannot tell"]


def test_parts_with_posts_enough_are_judged(predictions):
    always = {"majority": [LABELS[0]] * 80}
    parts = judge_parts(
        predictions, pd.Series(range(80)), LABELS, modality="both", baselines=always, **DRAWING
    )

    # Text and photo disagree on 40 to 69; the text of the last five is missing.
    assert {name: part["n"] for name, part in parts.items()} == {
        "something is wrong with the post": 35,
        "text and photo agree": 45,
        "text and photo disagree": 30,
    }
    # Tags take turns, so one that is always answered is right about every second post.
    assert parts["text and photo disagree"]["baselines"] == {"majority": 0.5}


def test_parts_that_are_twins_of_each_other_are_not_judged(predictions):
    groups = pd.Series([*range(40), *[40] * 30, *range(41, 51)])
    parts = judge_parts(predictions, groups, LABELS, modality="both", baselines={}, **DRAWING)

    # All posts on which text and photo disagree are one group of twins; of the 35 with a problem,
    # 25 are.
    assert list(parts) == ["text and photo agree"]


@pytest.mark.parametrize(
    ("modality", "problems", "posts"),
    [
        ("text", ["no_image", 'encoding_rare("GB18030"); no_image'], 40),
        ("text", ["no_image", ""], 0),
        ("image", ["no_image", "no_text; encoding_rare(big5)"], 40),
        ("image", ["no_text", "encoding_rare(big5)"], 0),
        ("both", ["no_text", "no_image"], 80),
        ("text", ["listed_repeatedly(2)", "as version 0.1 wrote it"], 80),
    ],
)
def test_only_what_a_model_reads_can_be_wrong_with_a_post(predictions, modality, problems, posts):
    given = predictions[["tag", "predicted"]].assign(problems=problems * 40)
    parts = judge_parts(
        given, pd.Series(range(80)), LABELS, modality=modality, baselines={}, **DRAWING
    )

    assert {name: part["n"] for name, part in parts.items()} == (
        {"something is wrong with the post": posts} if posts else {}
    )


def test_claims_of_confidence_are_held_against_the_answers(predictions):
    predictions.loc[36:39, "predicted"] = "other"
    predictions.loc[30:39, "confidence"] = 0.94  # ten, of which four are wrong

    said = judge_abstention(
        predictions, pd.Series(range(80)), [*LABELS, "other"], target=0.9, **DRAWING
    )

    assert said["claimed"]["n"] == 40
    assert said["claimed"]["accuracy"] == 0.9
    assert said["claimed"]["least_sure"] == {"below": 0.95, "n": 10, "accuracy": 0.6}
    assert said["trusted"]["confidence"] == 0.95  # all thirty are right
    assert [step["n"] for step in said["curve"]] == [30, 40, 80]


def test_corrections_that_leave_a_tag_unlearnt_are_refused_before_the_training():
    table = examples(["a", "b", "c", "c"] * 25)
    alone = groups(table, list(range(100)))
    undeclared = declared(table, [""] * 100)
    train, validation = split_posts(table, alone, undeclared, parameters())
    merged = train.loc[train["tag"] == "c", ["guid"]].assign(tag="b")
    with pytest.raises(ValueError, match=r"the tag 'c' after them, and 10 .*; to merge two tags"):
        split_posts(table, alone, undeclared, parameters(), merged)
    new = validation.head(1)[["guid"]].assign(tag="d")
    with pytest.raises(
        ValueError, match=r"the tag 'd' after them, and 1 .*: correct training posts"
    ):
        split_posts(table, alone, undeclared, parameters(), new)

from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.assessment import (
    contradicting_duplicates,
    doubtful_tags,
    summarise_comparison,
)
from multimodal_sentiment.assessment.variants import judge_slices, judge_variants

LABELS = ["negative", "positive"]
DRAWING = {"samples": 200, "level": 0.95, "seed": 0}


def test_scores_are_means_over_seeds_with_their_spread():
    true = ["positive", "positive", "negative", "negative"]
    answers = [["positive"] * 4, true]
    score = judge_variants(true, {"a": answers}, range(4), LABELS, **DRAWING)["a"]

    assert (score["n"], score["seeds"]) == (4, 2)
    assert score["accuracy"] == 0.75
    assert score["spread"]["accuracy"] == pytest.approx(0.25 * 2**0.5)
    assert score["by_seed"]["accuracy"] == [0.5, 1]
    # positive: 2 * 2 / (4 + 2) and 1; negative: 0 and 1
    assert score["per_class"]["positive"] == {"f1": pytest.approx((2 / 3 + 1) / 2), "support": 2}
    assert score["macro_f1"] == pytest.approx((1 / 3 + 1) / 2)
    low, high = score["intervals"]["accuracy"]
    assert low < 0.75 < high


def test_one_seed_has_no_spread():
    score = judge_variants(["positive"], {"a": [["positive"]]}, [0], LABELS, **DRAWING)["a"]

    assert score["spread"] == {"accuracy": None, "macro_f1": None, "weighted_f1": None}


def test_slices_are_scored_alone_and_empty_ones_left_out():
    true = np.array(["positive"] * 4)
    answers = np.array([["positive", "positive", "negative", "negative"]])
    parts = {"first": [True, True, True, False], "none": [False] * 4}
    judged = judge_slices(true, {"a": answers}, range(4), LABELS, parts, **DRAWING)

    assert list(judged) == ["first"]
    assert judged["first"]["n"] == 3
    assert judged["first"]["variants"]["a"]["accuracy"] == pytest.approx(2 / 3)


def test_doubted_tags_are_those_believed_least_among_those_answered_otherwise():
    chances = [[0.6, 0.4], [0.9, 0.1], [0.2, 0.8], [0.55, 0.45]]
    doubts = doubtful_tags(["positive"] * 4, chances, LABELS, most=2)

    assert doubts["position"].tolist() == [1, 0]
    assert doubts["probability"].tolist() == [0.1, 0.4]
    assert doubts["answer"].tolist() == ["negative"] * 2
    assert len(doubtful_tags(["positive"] * 4, chances, LABELS, most=9)) == 3


def test_contradicting_twins_name_each_other():
    tags = ["positive", "negative", "positive", "positive", "positive", "negative"]

    assert contradicting_duplicates(tags, [7, 7, 7, 3, 3, 9], 3) == {0: [1], 1: [0, 2], 2: [1]}


def test_of_many_contradicting_twins_some_of_each_tag_name_each_other():
    tags = ["positive"] * 50_000 + ["negative"] * 50_000

    found = contradicting_duplicates(tags, [7] * 100_000, 4)

    first, second = [0, 1], [50_000, 50_001]
    assert found == {0: second, 1: second, 50_000: first, 50_001: first}
    assert contradicting_duplicates(tags[49_997:50_001], [7] * 4, 3) == {0: [3], 1: [3], 3: [0, 1]}


def pair(first: str, second: str, difference: float, p_adjusted: float) -> dict:
    interval = (difference - 0.02, difference + 0.02)
    test = {"difference": difference, "interval": interval, "p_adjusted": p_adjusted}
    return {"first": first, "second": second, "accuracy": test, "macro_f1": test}


def summarise(comparison: dict, modalities: dict[str, str], margin: float = 0.01) -> list[str]:
    return summarise_comparison(comparison, modalities, "positive", level=0.95, margin=margin)


@pytest.mark.parametrize(
    ("difference", "p_adjusted", "margin", "words"),
    [
        (0.021, 0.03, 0.01, "The image helps: both beats text, by +2.1 points"),
        (
            0.021,
            0.06,
            0.01,
            "Whether the image helps cannot be told from 1,200 posts: both and tex",
        ),
        (-0.021, 0.0001, 0.01, "The image hurts: both is worse than text, by -2.1 points"),
        (0.0, 0.9, 0.02, "The image makes no difference that matters (2 points of accuracy or le"),
        (0.001, 0.9, 0.02, "Whether the image helps cannot be told from 1,200 posts"),
        (-0.03, 0.001, 0.05, "The image makes no difference that matters (5 points of accuracy or"),
    ],
)
def test_the_verdict_says_whether_the_image_helps(difference, p_adjusted, margin, words):
    comparison = {
        "n": 1200,
        "groups": 1200,
        "pairs": [pair("both", "text", difference, p_adjusted)],
        "against_baselines": [pair("text", "majority", 0.1, 0.001), pair("text", "tfidf", 0.1, 1)],
    }
    first, second = summarise(comparison, {"text": "text", "both": "both"}, margin)[:2]

    assert first.startswith(words)
    assert f"(95% interval {100 * difference - 2:+.1f} to {100 * difference + 2:+.1f}" in first
    assert ("p < 0.001" in first) == (p_adjusted < 0.001)
    assert second == (
        "text beats always answering positive (+10.0, p = 0.001), and cannot be told apart from "
        "counting words (TF-IDF) (+10.0, p = 1.000)."
    )


@pytest.mark.fault("set", "a comparison on few posts", "the verdict: it cannot be told")
@pytest.mark.parametrize(
    ("posts", "difference", "interval", "words"),
    [
        (12, 0.25, (0.0, 0.5), "Whether the image helps cannot be told from 12 posts: "),
        (1, 0.0, (0.0, 0.0), "Whether the image helps cannot be told from 1 post: "),
        # Not one answer differs; on so few posts that proves little: 3 / 299 > 1 point.
        (299, 0.0, (0.0, 0.0), "Whether the image helps cannot be told from 299 posts: "),
        (300, 0.0, (0.0, 0.0), "The image makes no difference that matters (1 point of accuracy "),
        (300, 0.0, (-0.01, 0.01), "The image makes no difference that matters"),
        (5000, 0.0, (-0.011, 0.01), "Whether the image helps cannot be told from 5,000 posts: "),
    ],
)
def test_few_posts_prove_neither_a_difference_nor_none(posts, difference, interval, words):
    compared = pair("both", "text", difference, 0.2)
    compared["accuracy"] |= {"interval": interval}
    comparison = {"n": posts, "groups": posts, "pairs": [compared], "against_baselines": []}

    assert summarise(comparison, {"text": "text", "both": "both"})[0].startswith(words)


def test_twins_count_once_where_a_difference_is_said_not_to_matter():
    compared = pair("both", "text", 0.0, 0.2)
    compared["accuracy"] |= {"interval": (0.0, 0.0)}
    comparison = {"n": 300, "groups": 60, "pairs": [compared], "against_baselines": []}

    assert "cannot be told from 300" in summarise(comparison, {"text": "text", "both": "both"})[0]


def test_the_verdict_does_not_hide_that_macro_f1_tells_variants_apart():
    compared = pair("both", "text", 0.02, 0.2)
    compared["macro_f1"] = compared["macro_f1"] | {"p_adjusted": 0.002}
    comparison = {"n": 80, "groups": 80, "pairs": [compared], "against_baselines": []}

    sentence = summarise(comparison, {"text": "text", "both": "both"})[0]

    assert sentence.startswith("Whether the image helps cannot be told from 80 posts")
    assert sentence.endswith("p = 0.002), which does tell them apart.")


@pytest.mark.parametrize(
    ("difference", "p_adjusted", "margin", "words"),
    [
        (0.05, 0.01, 0.01, "gated beats concat, by +5.0 points of accuracy"),
        (-0.05, 0.01, 0.01, "gated is worse than concat, by -5.0 points of accuracy"),
        (0.05, 0.9, 0.01, "gated and concat cannot be told apart by 900 posts: they differ by +5"),
        (
            0.05,
            0.9,
            0.1,
            "Between gated and concat there is no difference that matters (10 points ",
        ),
    ],
)
def test_pairs_of_the_same_modality_are_compared_without_a_word_on_help(
    difference, p_adjusted, margin, words
):
    comparison = {
        "n": 900,
        "groups": 900,
        "pairs": [pair("gated", "concat", difference, p_adjusted)],
        "against_baselines": [pair("gated", "tfidf", -0.1, 0.01)],
    }
    first, second, _ = summarise(comparison, {"gated": "both", "concat": "both"}, margin)

    assert first.startswith(words)
    assert second == "gated is worse than counting words (TF-IDF) (-10.0, p = 0.010)."

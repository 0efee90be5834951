from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.assessment import compare_with_former

JUDGING = {"name": "the model A", "samples": 1000, "level": 0.95, "margin": 0.01, "seed": 0}
TAGS = np.array(["good", "bad"] * 50)


def wrong_on(posts: int) -> np.ndarray:
    """Answers that are right but for the first posts."""
    answers = TAGS.copy()
    answers[:posts] = [{"good": "bad", "bad": "good"}[tag] for tag in answers[:posts]]
    return answers


@pytest.mark.parametrize(
    ("new", "former", "verdict", "words"),
    [
        (5, 30, "better", "The new model is better than the model A, and that is sure: on 100 "),
        (30, 5, "worse", "The new model is WORSE than the model A, and that is sure"),
        (20, 22, "cannot tell", "The new model cannot be told apart from the model A"),
    ],
)
def test_a_verdict_in_words_with_an_interval(new, former, verdict, words):
    judged = compare_with_former(
        TAGS, wrong_on(new), wrong_on(former), range(100), ["bad", "good"], **JUDGING
    )

    assert judged["verdict"] == verdict
    assert judged["sentence"].startswith(words)
    assert judged["accuracies"] == {"new": 1 - new / 100, "former": 1 - former / 100}
    low, high = judged["accuracy"]["interval"]
    assert low <= (former - new) / 100 <= high
    assert f"(95% interval {100 * low:+.1f} to {100 * high:+.1f}, p = " in judged["sentence"]


@pytest.mark.parametrize(
    ("groups", "new"), [(range(29), 29), ([*range(20)] * 5, 20), ([0] * 100, 1)]
)
def test_too_few_posts_are_not_compared(groups, new):
    posts = len(groups)
    answers = wrong_on(5)[:posts]
    judged = compare_with_former(TAGS[:posts], answers, answers, groups, ["bad", "good"], **JUDGING)

    assert judged == {
        "n": posts,
        "verdict": "not compared",
        "sentence": "The new model cannot be compared with the model A: too few validation posts "
        f"are new to both: {new}, twins counted once.",
    }


@pytest.mark.parametrize(
    ("groups", "verdict"), [(range(300), "no different"), (np.arange(300) // 5, "cannot tell")]
)
def test_twins_count_once_where_no_answer_differs(groups, verdict):
    tags = np.tile(TAGS, 3)
    judged = compare_with_former(tags, tags, tags, groups, ["bad", "good"], **JUDGING)

    assert judged["verdict"] == verdict

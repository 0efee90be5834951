from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.assessment.baselines import majority_baseline, tfidf_baseline

GOOD, BAD = "what a lovely sunny day", "awful weather again and again"


def test_majority_answers_the_commonest_training_tag():
    assert majority_baseline(["negative", "positive", "positive"], 2).predicted.tolist() == [
        "positive",
        "positive",
    ]
    assert majority_baseline(["positive", "negative"], 1).predicted.tolist() == ["negative"]


def test_tfidf_learns_words():
    answers = tfidf_baseline(
        [GOOD, BAD] * 5, ["positive", "negative"] * 5, ["a lovely day", "awful"]
    )

    assert answers.predicted.tolist() == ["positive", "negative"]
    assert answers.method.startswith("TF-IDF")


def test_tfidf_learns_scripts_without_spaces_between_words():
    answers = tfidf_baseline(
        ["今日はとても楽しい", "本当に楽しい一日", "今日はとても悲しい", "本当に悲しい一日"],
        ["positive", "positive", "negative", "negative"],
        ["昨日は楽しいね", "昨日は悲しいね"],
    )

    assert answers.predicted.tolist() == ["positive", "negative"]


@pytest.mark.parametrize(
    "texts",
    [["", "", ""], ["   ", "!", "?"], ["one", "cat", "bus"], ["lonely"] + [""] * 2],
    ids=["empty", "no letters", "nothing shared", "one word once"],
)
def test_texts_that_teach_nothing_fall_back_to_the_majority_and_say_so(texts):
    answers = tfidf_baseline(texts, ["positive", "positive", "negative"], ["one", ""])

    assert answers.predicted.tolist() == ["positive", "positive"]
    assert answers.method == "the commonest training tag: the training texts share nothing"


def test_one_training_tag_is_the_only_answer_and_is_said():
    answers = tfidf_baseline([GOOD] * 3, ["neutral"] * 3, [BAD])

    assert answers.predicted.tolist() == ["neutral"]
    assert answers.method == "the commonest training tag: the training posts have one tag"


def test_one_shared_word_is_enough():
    answers = tfidf_baseline(["good"] * 3 + ["bad"], ["positive"] * 3 + ["negative"], ["good", ""])

    assert answers.predicted[0] == "positive"
    assert len(answers.predicted) == 2


def test_no_posts_get_no_answers():
    assert len(tfidf_baseline([GOOD, BAD] * 2, ["positive", "negative"] * 2, []).predicted) == 0


def test_the_same_posts_get_the_same_answers():
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(["sun", "rain", "dog", "cat", "car"], 4)) for _ in range(60)]
    tags = list(rng.choice(["negative", "neutral", "positive"], 60))

    first, second = (tfidf_baseline(texts, tags, texts) for _ in range(2))

    assert first.predicted.tolist() == second.predicted.tolist()

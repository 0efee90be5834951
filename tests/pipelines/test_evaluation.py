"""The nodes that judge a model on the validation posts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.fingerprint import digest
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.pipelines.evaluation.nodes import (
    evaluate_predictions,
    plot_evaluation,
    predict_validation,
)
from multimodal_sentiment.reporting.key_points import describe_photo

LABELS = ["bad", "good"]
VERSION = "2026-01-01T00.00.00.000Z"


def frame(prefix: str, tags: list[str], texts: list[str]) -> pd.DataFrame:
    guids = [f"{prefix}{number}" for number in range(len(tags))]
    return pd.DataFrame({"guid": guids, "text": texts, "tag": tags})


@pytest.fixture
def model(tiny) -> SentimentClassifier:
    """A model that says that it has learnt from t0 to t9; its temperature is 2."""
    built, tokenizer = build_model(tiny(model__modality="text").model, LABELS, ["sun"], {})
    learnt = digest(sorted(f"t{number}" for number in range(10)))
    built.config.training = {"posts_sha256": learnt, "seed": 7}
    built.config.calibration_temperature = 2.0
    return SentimentClassifier(built, tokenizer, {}, VERSION)


@pytest.fixture
def judged(tiny, model):
    """Judge 40 validation posts, of which 30 are answered right; 32 of them are in Latin letters.

    Of ten training posts six are good; of the validation posts, half.
    """
    parameters = tiny(evaluation__bootstrap_samples=200, evaluation__calibration_bins=10)
    tags = ["bad", "good"] * 20
    train = frame("t", ["good"] * 6 + ["bad"] * 4, [f"{n} word" for n in range(10)])
    validation = frame("v", tags, ["天气很好"] * 8 + [f"a day {n}" for n in range(32)])
    right = np.arange(40) >= 10
    predicted = np.where(right, tags, np.roll(LABELS * 20, 1))
    logits = np.where(predicted[:, None] == np.array(LABELS), 2.0, 0.0)
    shares = np.exp(logits / 2)
    shares /= shares.sum(axis=1, keepdims=True)
    predictions = validation[["guid", "tag"]].assign(
        predicted=predicted,
        confidence=shares.max(axis=1),
        p_bad=shares[:, 0],
        p_good=shares[:, 1],
        logit_bad=logits[:, 0],
        logit_good=logits[:, 1],
        problems="",
    )
    everyone = [*train["guid"], *validation["guid"]]
    groups = pd.DataFrame({"guid": everyone[::-1], "group": range(50)})
    manifest = pd.DataFrame({"file": ["data/t0.txt"], "sha256": ["ab"]})

    def judge(
        train_posts: pd.DataFrame = train,
        corrected: dict[str, str] | None = None,
        groups: pd.DataFrame = groups,
    ):
        tags = corrected or {}
        corrections = pd.DataFrame({"guid": list(tags), "tag": list(tags.values())}, dtype=str)
        listed = pd.concat([train, validation]).set_index("guid")["tag"]
        known = validation["guid"].map(tags).fillna(validation["tag"])
        return predictions, evaluate_predictions(
            predictions,
            model,
            train_posts,
            validation.assign(tag=known),
            groups,
            corrections.assign(original=corrections["guid"].map(listed), sha256="ef"),
            manifest,
            parameters.splitting,
            parameters.evaluation,
            parameters.comparison,
        )

    return judge


def test_scores_and_baselines_are_those_of_the_validation_posts(judged):
    _, metrics = judged()

    assert metrics["n"] == 40
    assert metrics["accuracy"] == 0.75
    # Of the ten wrong answers, five are to each label: precision and recall are 15 of 20.
    assert metrics["macro_f1"] == pytest.approx(0.75)
    low, high = metrics["accuracy_interval"]
    assert 0.55 < low < 0.75 < high < 0.95
    assert metrics["baselines"]["majority"]["accuracy"] == 0.5  # which always answers good
    assert set(metrics["baselines"]) == {"majority", "tfidf"}


def test_the_model_is_compared_with_each_baseline(judged):
    _, metrics = judged()

    pairs = {pair["second"]: pair for pair in metrics["against_baselines"]}
    assert set(pairs) == {"majority", "tfidf"}
    assert pairs["majority"]["accuracy"]["difference"] == 0.25
    assert pairs["majority"]["verdict"] == "cannot tell"  # from forty posts, of two comparisons
    assert metrics["modalities"] is None  # a model of texts alone


def test_where_validation_tags_were_corrected_both_figures_are_given(judged):
    _, metrics = judged()
    assert "corrected" not in metrics
    assert metrics["protocol"]["corrections"]["posts"] == 0

    # The answer for v0 is wrong by its original tag, and right by the corrected one.
    _, corrected = judged(corrected={"v0": "good", "t3": "bad"})

    assert corrected["accuracy"] == metrics["accuracy"] == 30 / 40
    assert corrected["corrected"]["accuracy"] == 31 / 40
    assert corrected["protocol"]["corrections"] == {
        "posts": 2,
        "training": 1,
        "validation": 1,
        "sha256": "ef",
    }


def test_twins_of_training_posts_are_counted_and_left_out_once(judged):
    everyone = [f"t{n}" for n in range(10)] + [f"v{n}" for n in range(40)]
    # v10 to v14, which are answered right, are twins of t0 to t4; v0 and v1 of each other.
    numbers = [*range(10), 50, 50, *range(52, 60), *range(5), *range(65, 90)]
    groups = pd.DataFrame({"guid": everyone, "group": numbers})

    _, metrics = judged(groups=groups)

    assert metrics["accuracy"] == 0.75
    assert metrics["twins_in_training"]["posts"] == 5
    assert metrics["twins_in_training"]["without"]["n"] == 35
    assert metrics["twins_in_training"]["without"]["accuracy"] == pytest.approx(25 / 35)
    assert judged()[1]["twins_in_training"] == {"posts": 0, "without": None}


def test_scripts_of_few_posts_are_not_judged(judged):
    _, metrics = judged()

    (script,) = metrics["scripts"].values()
    assert (script["n"], script["accuracy"]) == (32, 30 / 32)


def test_calibration_is_told_with_the_temperature_and_without(judged):
    _, metrics = judged()
    calibration = metrics["calibration"]

    # Each answer has the logits 2 and 0, and three of four are right.
    before, after = 1 / (1 + np.exp(-2)), 1 / (1 + np.exp(-1))
    assert calibration["temperature"] == 2
    assert calibration["before"]["expected_calibration_error"] == pytest.approx(before - 0.75)
    assert calibration["after"]["expected_calibration_error"] == pytest.approx(0.75 - after)


def test_the_protocol_says_what_the_numbers_belong_to(judged):
    predictions, metrics = judged()
    protocol = metrics["protocol"]

    assert protocol["posts"] == {"training": 10, "validation": 40}
    assert protocol["validation_sha256"] == digest(predictions["guid"])
    assert protocol["manifest_sha256"] == digest(["data/t0.txt ab"])
    assert protocol["model"]["version"] == VERSION
    assert protocol["model"]["seed"] == 7
    assert describe_photo(metrics) == "It looks at the text alone."
    assert protocol["split"] == {"as": "given with the posts"}  # no draw gives these


def test_a_model_that_has_learnt_from_other_posts_is_not_judged(judged):
    others = frame("t", ["good", "bad"] * 6, ["word"] * 12)

    with pytest.raises(ValueError, match="has learnt from other posts than train_posts") as caught:
        judged(others)

    assert VERSION in str(caught.value)
    assert "pin versions that belong together with --load-versions" in str(caught.value)


def test_the_order_of_the_training_posts_does_not_matter(judged):
    train = frame("t", ["good"] * 6 + ["bad"] * 4, [f"{n} word" for n in range(10)])

    assert judged(train[::-1])[1]["n"] == 40


def test_validation_posts_are_answered_in_their_own_order(model, make_examples, tiny):
    examples = make_examples(["sun", "rain", "fog"], ["good", "bad", "bad"], [None] * 3)
    posts = pd.DataFrame({"guid": ["102", "100"]})

    answered = predict_validation(model, posts, examples, None, tiny().compute)

    assert answered["guid"].tolist() == ["102", "100"]
    assert answered["tag"].tolist() == ["bad", "good"]


def test_the_figures_show_the_same_numbers(judged):
    predictions, metrics = judged()

    confusion, f1, reliability, confidence, contributions = plot_evaluation(predictions, metrics)

    assert confusion.data[0].text == (["15<br>75%", "5<br>25%"], ["5<br>25%", "15<br>75%"])
    assert f1.data and reliability.data and confidence.data
    assert not contributions.data  # a model of texts has nothing to weigh

"""The nodes that predict unlabelled posts and write the submission."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.pipelines.prediction.nodes import (
    match_model,
    plot_predictions,
    predict_unlabelled,
    write_submission,
)

LABELS = ["bad", "good"]
PICTURE = np.zeros((64, 64, 3), np.uint8)


@pytest.fixture
def make_model(tiny):
    def make(modality: str = "both", pictures=None) -> SentimentClassifier:
        model, tokenizer = build_model(tiny(model__modality=modality).model, LABELS, ["sun"], {})
        model.config.training = {} if pictures is None else {"pictures": pictures}
        return SentimentClassifier(model, tokenizer, {})

    return make


@pytest.fixture
def examples(make_examples):
    """Four posts: whole, without image, without text, with neither."""
    table = make_examples(["sun", "rain", "", ""], [""] * 4, [PICTURE, None, PICTURE, None])
    bounds = '{"short_side": 256, "max_aspect_ratio": 3.0}'
    return table.replace_schema_metadata(table.schema.metadata | {b"pictures": bounds})


def predictions(**answers: str) -> pd.DataFrame:
    return pd.DataFrame({"guid": list(answers), "predicted": list(answers.values())})


def listing(*guids: str) -> pd.DataFrame:
    return pd.DataFrame({"guid": guids, "tag": ["null"] * len(guids)})


def test_every_post_has_its_row_whatever_it_lacks(make_model, examples, tiny):
    answered, projected = predict_unlabelled(make_model(), examples, tiny().compute)

    assert projected.read_all().column_names == ["guid"]  # a model without a summary asks no more
    assert answered["guid"].tolist() == examples["guid"].to_pylist()
    assert set(answered["predicted"]) <= set(LABELS)
    assert answered[["p_bad", "p_good"]].sum(axis=1).to_numpy() == pytest.approx(1)
    assert answered["problems"].tolist() == ["", "no_image", "", "no_image"]
    assert {"decided_by", "text_contribution", "image_contribution"} <= set(answered)


def test_the_log_says_label_before_count_as_labels_may_be_numbers(
    make_model, examples, tiny, caplog
):
    with caplog.at_level("INFO"):
        answered, _ = predict_unlabelled(make_model(), examples, tiny().compute)

    counts = answered["predicted"].value_counts()
    said = ", ".join(f"{label}: {count}" for label, count in counts.items())
    assert f"4 posts predicted ({said})" in caplog.text


def test_known_tags_are_spelled_as_the_model_spells_its_labels(tiny, make_examples):
    model, tokenizer = build_model(tiny().model, ["0.0", "True"], ["sun"], {})
    model.config.training = {}
    posts = make_examples(["sun"] * 4, ["0", "true", "", "good"], [PICTURE] * 4)

    answered, _ = predict_unlabelled(
        SentimentClassifier(model, tokenizer, {}), posts, tiny().compute
    )

    assert answered["tag"].tolist() == ["0.0", "True", "", "good"]


def test_a_model_of_texts_weighs_nothing(make_model, examples, tiny):
    answered, _ = predict_unlabelled(make_model("text"), examples, tiny().compute)

    assert "decided_by" not in answered
    assert answered["problems"].tolist() == [""] * 4  # it does not miss the images


def test_pictures_prepared_as_the_models_own_are_answered(make_model, examples):
    model = make_model(pictures={"short_side": 256, "max_aspect_ratio": 3.0})

    assert match_model(model, examples) is model


@pytest.mark.parametrize(
    ("learnt", "wanted"),
    [
        ({"short_side": 128, "max_aspect_ratio": 3.0}, "preparation.short_side=128,"),
        (
            {"short_side": 128, "max_aspect_ratio": 2.0},
            "preparation.short_side=128,preparation.max_aspect_ratio=2.0,",
        ),
    ],
)
def test_pictures_prepared_otherwise_are_refused(make_model, examples, learnt, wanted):
    with pytest.raises(ValueError, match="prepared otherwise") as caught:
        match_model(make_model(pictures=learnt), examples)

    assert f"--params {wanted} or train anew" in str(caught.value)


def test_a_model_that_sees_no_pictures_or_does_not_say_how_is_let_through(make_model, examples):
    blind = make_model("text", pictures={"short_side": 128})
    silent = make_model()

    assert match_model(blind, examples) is blind
    assert match_model(silent, examples) is silent


def test_the_submission_has_each_listed_post_once_in_the_listings_order():
    versioned, handed_in = write_submission(
        predictions(a="good", b="bad", c="good"), listing("c", "a", "c", "b")
    )

    expected = pd.DataFrame({"guid": ["c", "a", "b"], "tag": ["good", "good", "bad"]})
    pd.testing.assert_frame_equal(versioned, expected)
    pd.testing.assert_frame_equal(handed_in, expected)


@pytest.mark.parametrize(
    ("answered", "listed", "words"),
    [
        ({"a": "good"}, ["a", "b"], "1 guids stand in only one of them, such as 'b'"),
        ({"a": "good", "b": "bad", "c": "bad"}, ["a"], "2 guids stand in only one of them"),
        ({"b": "bad"}, ["a"], "2 guids stand in only one of them, such as 'a'"),
    ],
)
def test_a_submission_that_does_not_answer_the_listing_is_refused(answered, listed, words):
    with pytest.raises(ValueError, match="the predictions do not answer the listing") as caught:
        write_submission(predictions(**answered), listing(*listed))

    assert words in str(caught.value)


def test_two_answers_to_one_post_are_refused():
    twice = pd.concat([predictions(a="good"), predictions(a="bad")])

    with pytest.raises(ValueError, match="the predictions do not answer the listing"):
        write_submission(twice, listing("a"))


def test_the_plot_counts_the_predicted_tags():
    (bars,) = plot_predictions(predictions(a="good", b="bad", c="good")).data

    assert bars.x == (1, 2)  # bad, good

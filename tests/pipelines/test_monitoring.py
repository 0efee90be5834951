"""The nodes that compare new posts with the validation posts."""

from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import MonitoringParameters
from multimodal_sentiment.pipelines.fitting.nodes import summarise_validation
from multimodal_sentiment.pipelines.monitoring.nodes import (
    compare_new_posts,
    write_inference_report,
)
from multimodal_sentiment.pipelines.prediction.nodes import predict_unlabelled
from multimodal_sentiment.pipelines.preparation.nodes import report_ingestion

LABELS = ["bad", "good"]
POSTS = 40
GIVEN = MonitoringParameters(significance_level=0.01, shown_posts=3)


@pytest.fixture
def posts(make_examples):
    """Posts of one source as a seed draws them, in colour or in grey."""

    def make(seed: int, *, grey: bool = False):
        rng = np.random.default_rng(seed)
        pictures = rng.integers(0, 256, (POSTS, 16, 16, 1 if grey else 3), dtype=np.uint8)
        pictures = np.repeat(pictures.repeat(4, axis=1).repeat(4, axis=2), 3 if grey else 1, axis=3)
        letters = rng.choice(list("abcdefgh"), (POSTS, 6))
        texts = [f"text {' '.join(row)} of the day" for row in letters]
        made = make_examples(texts, [""] * POSTS, list(pictures))
        hashes = [f"{seed:08x}{number:08x}" for number in range(POSTS)]
        made = made.set_column(made.column_names.index("image_hash"), "image_hash", [hashes])
        for name, values in (
            ("encoding", [["ascii"] * POSTS]),
            ("encoding_confidence", [[1.0] * POSTS]),
            ("original_height", made["height"]),
            ("original_width", made["width"]),
        ):
            made = made.append_column(name, values)
        return made

    return make


@pytest.fixture
def model(posts, tiny):
    parameters = tiny(compute__workers=0)
    validation = posts(1)
    network, tokenizer = build_model(parameters.model, LABELS, validation["text"].to_pylist(), {})
    classifier = SentimentClassifier(network, tokenizer, {})
    listed = validation.select(["guid"]).to_pandas()
    return summarise_validation(classifier, listed, validation, None, parameters.compute)


def compare(model, examples, tiny, test_metrics=None):
    predictions, projections = predict_unlabelled(model, examples, tiny(compute__workers=0).compute)
    drift = compare_new_posts(model, examples, predictions, projections.read_all(), GIVEN)
    report = report_ingestion(examples)
    tested = test_metrics or {"n": 0}
    return drift, write_inference_report(drift, examples, predictions, report, tested)


def test_posts_of_the_same_source_are_like_the_validation_posts(model, posts, tiny):
    drift, page = compare(model, posts(2), tiny)

    assert not drift["unlike"]
    assert drift["posts"] == drift["posts_compared"] == drift["validation_posts"] == POSTS
    assert len(drift["least_like"]) == 3
    assert "cannot be told from" in page


def test_of_posts_with_tags_the_accuracy_is_said(model, posts, tiny):
    assert "Only posts with tags can tell." in compare(model, posts(2), tiny)[1]
    scores = {"accuracy": 0.66, "accuracy_interval": [0.52, 0.8]}
    tested = {"n": 30, **scores, "twins_in_training": {"posts": 2, "without": scores}}

    _, page = compare(model, posts(2), tiny, tested)

    assert "does not measure accuracy" not in page
    assert "carry a tag, 66.0% (52.0% to 80.0%) are answered rightly" in page
    assert "2 of them have a twin among the posts that the model has learnt from" in page


def test_grey_photos_are_noticed(model, posts, tiny, caplog):
    drift, page = compare(model, posts(2, grey=True), tiny)

    named = [it["name"] for it in drift["comparisons"] if it["unlike"]]
    assert "colourfulness" in named
    assert "The new posts are unlike the validation posts" in page
    assert any(it.levelname == "WARNING" and "unlike" in it.message for it in caplog.records)


def test_a_model_without_a_summary_says_so_and_goes_on(model, posts, tiny):
    old = SentimentClassifier(model.model, model.tokenizer, {})
    drift, page = compare(old, posts(2), tiny)

    assert (drift["p_value"], drift["comparisons"]) == (None, [])
    assert sum(tag["posts"] for tag in drift["predicted_tags"].values()) == POSTS
    assert "trained before summaries of validation posts were kept" in page


def test_no_new_posts_are_nothing_to_compare(model, posts, tiny):
    drift, page = compare(model, posts(2).slice(0, 0), tiny)

    assert (drift["posts"], drift["unlike"]) == (0, False)
    assert "There are no new posts." in page

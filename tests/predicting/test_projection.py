"""Predictions with a projection of what the encoders make of posts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from torch.nn import functional

from multimodal_sentiment.batches import PostDataset, StoredImages
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.monitoring import draw_projections
from multimodal_sentiment.posts.content_keys import content_keys
from multimodal_sentiment.predicting import (
    predict_and_project,
    predict_examples,
    read_projected,
    tabulate_projected,
    with_validation_summary,
)

LABELS = ["negative", "positive"]
POSTS = 9


@pytest.fixture
def examples(make_examples):
    """Posts of which the first three lack their text, their image and both."""
    rng = np.random.default_rng(0)
    texts = [f"word{index} and more" for index in range(POSTS)]
    pictures = list(rng.integers(0, 255, (POSTS, 64, 64, 3), dtype=np.uint8))
    texts[0], pictures[1], texts[2], pictures[2] = "", None, " ", None
    made = make_examples(texts, ["positive"] * POSTS, pictures)
    for name, values in (
        ("encoding", ["ascii"] * POSTS),
        ("original_height", made["height"]),
        ("original_width", made["width"]),
    ):
        made = made.append_column(name, [values] if isinstance(values, list) else values)
    return made


@pytest.fixture
def build(examples, tiny):
    def made(modality="both"):
        parameters = tiny(
            model__modality=modality,
            model__fusion__kind="concat",
            compute__prediction_batch_size=4,
            compute__workers=0,
        )
        torch.manual_seed(1)
        model, tokenizer = build_model(parameters.model, LABELS, examples["text"].to_pylist(), {})
        return SentimentClassifier(model, tokenizer, {}), parameters.compute

    return made


def projections_of(classifier):
    branches = classifier.model.branches
    return draw_projections({name: branch.size for name, branch in branches.items()})


@pytest.mark.parametrize("modality", ["both", "text", "image"])
def test_the_predictions_are_the_same(build, examples, modality):
    classifier, compute = build(modality)
    rows = np.arange(POSTS)
    expected = predict_examples(classifier, examples, rows, compute)
    given, projected = predict_and_project(
        classifier, examples, rows, compute, projections_of(classifier)
    )

    pd.testing.assert_frame_equal(given, expected)
    assert set(projected) == ({"text", "image"} if modality == "both" else {modality})


def test_features_of_unit_length_are_projected(build, examples):
    classifier, compute = build()
    rows = np.array([5, 1, 0, 2])
    projections = projections_of(classifier)
    _, projected = predict_and_project(classifier, examples, rows, compute, projections)

    texts = examples["text"].take(rows).to_pylist()
    posts = PostDataset(classifier, texts, StoredImages(examples, rows))
    with torch.inference_mode():
        encoded = classifier.model.eval().encode(**posts.__getitems__([0, 1, 2, 3]))
    expected = functional.normalize(encoded["text"]).numpy() @ projections["text"]
    np.testing.assert_allclose(projected["text"][:2], expected[:2], atol=1e-5)
    assert np.isnan(projected["text"][2:]).all()  # these have no text
    assert np.isnan(projected["image"][[1, 3]]).all()
    assert np.isfinite(projected["image"][[0, 2]]).all()


def test_each_post_is_encoded_once(build, examples, monkeypatch):
    classifier, compute = build()
    encode, encoded = classifier.model.encode, []

    def counted(**batch):
        features = encode(**batch)
        encoded.append(len(features["text"]))
        return features

    monkeypatch.setattr(classifier.model, "encode", counted)
    projections = projections_of(classifier)
    predict_and_project(classifier, examples, np.arange(POSTS), compute, projections)

    assert sum(encoded) == POSTS


def test_a_table_keeps_them(build, examples):
    classifier, compute = build()
    projections = projections_of(classifier)
    for rows in (np.arange(POSTS), np.arange(0)):
        _, projected = predict_and_project(classifier, examples, rows, compute, projections)
        guids = examples["guid"].take(rows)
        table = tabulate_projected(guids, projected, "v1")
        again = read_projected(table, guids.to_pylist(), "v1")
        for name, values in projected.items():
            np.testing.assert_array_equal(again[name], values)


@pytest.mark.parametrize(("guids", "version"), [(["1"], "v1"), (["0"], "v2"), ([], "v1")])
def test_projections_of_others_are_refused(guids, version):
    projected = {"text": np.zeros((1, 4), np.float32)}
    table = tabulate_projected(pa.chunked_array([["0"]]), projected, "v1")

    with pytest.raises(ValueError, match="of other posts or of another model"):
        read_projected(table, guids, version)


def test_a_model_takes_a_summary_of_its_validation_posts_along(build, examples, tmp_path):
    classifier, compute = build()
    known = with_validation_summary(classifier, examples, np.arange(1, POSTS), compute)
    known.save_pretrained(tmp_path)
    again = SentimentClassifier.load(tmp_path).validation

    assert again.posts == POSTS - 1
    assert again.categories["parts"] == {"text alone": 1, "neither": 1, "text and image": 6}
    assert again.categories["predicted"].keys() <= set(LABELS)
    assert len(again.features["text"]) == 7
    assert again.projections["image"].shape == (classifier.model.branches["image"].size, 64)
    kept = (tmp_path / "validation_summary.json").read_text()
    assert "word" not in kept
    assert "guid" not in kept


def test_near_duplicates_of_what_was_learnt_are_not_summarised(build, examples):
    classifier, compute = build()
    learnt = np.unique(content_keys(["RT @me: Word4 and more"], [""]))
    classifier = replace(classifier, learnt_keys=learnt[learnt > 0])

    known = with_validation_summary(classifier, examples, np.arange(3, POSTS), compute)

    assert known.validation.posts == POSTS - 4
    assert len(known.validation.features["text"]) == POSTS - 4

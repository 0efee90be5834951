from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import fit_classifier
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.pipelines.evaluation.against_former_model import judge_succession
from multimodal_sentiment.posts.content_keys import content_keys
from multimodal_sentiment.predicting import encode_examples, predict_examples

NEW, LATER = "2026-02-01T00.00.00.000Z", "2026-02-02T00.00.00.000Z"
LABELS = ["bad", "good"]
TEXTS = [f"{'dull rain' if number % 2 else 'lovely sun'} on day {number}" for number in range(80)]
TAGS = [LABELS[number % 2] for number in range(80)]


@pytest.fixture
def judge(tiny, make_examples):
    """Judge a model against a former one, on 80 posts without an image."""
    parameters = tiny(evaluation__bootstrap_samples=200)
    examples = make_examples(TEXTS, TAGS, [None] * 80)
    bounds = {b"pictures": b'{"short_side": 256, "max_aspect_ratio": 3.0}'}
    examples = examples.replace_schema_metadata(examples.schema.metadata | bounds)
    guids = examples["guid"].to_pylist()
    groups = pd.DataFrame({"guid": guids, "group": range(80)})

    def make(version, learnt=None, posts="one", labels=LABELS, modality="text", side=256):
        own = tiny(model__modality=modality).model
        model, tokenizer = build_model(own, labels, TEXTS, {})
        model.config.training = {"posts_sha256": posts, "pictures": {"short_side": side}}
        return SentimentClassifier(model, tokenizer, {}, version, learnt_keys=learnt)

    def judge(former, labels=LABELS):
        model = make(NEW, labels=labels)
        predictions = predict_examples(model, examples, np.arange(80), parameters.compute)
        predictions["tag"] = predictions["tag"].replace(dict(zip(LABELS, labels, strict=True)))
        return judge_succession(
            predictions,
            model,
            former and make(**former),
            examples,
            None,
            groups,
            parameters.evaluation,
            parameters.comparison,
            parameters.compute,
        )

    return judge


def keys(texts):
    return np.unique(content_keys(texts, [""] * len(texts)))


def test_posts_that_the_former_model_knows_do_not_count(judge):
    learnt = keys([f"RT @friend: {text.upper()}" for text in TEXTS[:30]])

    judged = judge({"version": "old", "learnt": learnt})

    assert judged["former"] == "old"
    assert judged["n"] == 50
    assert "on 50 validation posts that neither has learnt from" in judged["sentence"]


@pytest.mark.parametrize(
    ("former", "words"),
    [
        (None, "There is no model before this one"),
        ({"version": NEW}, f"The model that answers, {NEW}, is no former one"),
        ({"version": LATER}, f"{LATER}, is no former one to compare this one, {NEW}, with."),
        (
            {"version": "old", "learnt": keys(TEXTS[:60])},
            "too few validation posts are new to both: 20,",
        ),
        ({"version": "old", "posts": "others"}, "which does not say what it learnt from"),
        ({"version": "old", "labels": ["bad", "fine"]}, "which has other labels"),
        (
            {"version": "old", "modality": "both", "side": 128},
            "the model old, which was trained on pictures prepared otherwise",
        ),
    ],
)
def test_what_cannot_be_compared_is_said(judge, former, words):
    judged = judge(former)

    assert judged["verdict"] == "not compared"
    assert words in judged["sentence"]


@pytest.mark.parametrize("former", [{"side": 128}, {"modality": "both"}])
def test_pictures_matter_where_a_model_looks_at_them_and_they_were_prepared_otherwise(
    judge, former
):
    assert judge({"version": "old"} | former)["n"] == 80


def test_labels_that_are_only_spelled_otherwise_are_the_same(judge):
    judged = judge({"version": "old", "labels": ["0.0", "TRUE"]}, labels=["0", "true"])

    assert judged["n"] == 80
    assert judged["accuracies"]["former"] > 0.1  # none of its answers were right as it spells them


def test_a_model_of_the_same_training_posts_knows_no_validation_post(judge):
    """As version 0.1 wrote them, without the keys of posts."""
    assert judge({"version": "old", "posts": "one"})["n"] == 80


def test_a_trained_model_knows_its_own_posts(tiny, make_examples, tmp_path):
    parameters = tiny(model__modality="text")
    examples = make_examples(TEXTS, TAGS, [None] * 80)
    posts = LabelledPosts(examples, np.arange(60), np.array(TAGS[:60], dtype=object), np.arange(60))
    given = parameters.model, parameters.training
    store = EncoderStore(tmp_path, tmp_path)
    features = encode_examples(examples, [given], store, parameters.compute)
    checkpoints = tmp_path / "checkpoints"
    classifier, _ = fit_classifier(
        posts, {}, *given, parameters.compute, checkpoints, store, features
    )

    (tmp_path / "model").mkdir()
    classifier.save_pretrained(tmp_path / "model")
    read = SentimentClassifier.load(tmp_path / "model").learnt_keys

    hashes = examples["image_hash"].to_pylist()
    expected = np.unique(content_keys(TEXTS[:60], hashes[:60]))
    assert read.tolist() == expected[expected > 0].tolist()

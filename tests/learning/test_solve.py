"""Heads that are solved on frozen features, joined by a pool, with counted words."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.predicting import predict_examples, predict_logits
from multimodal_sentiment.predicting.feature_table import take_features

from .fitting import encode, fit

LABELS = ["negative", "neutral", "positive"]
POSTS = 60


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    """Posts whose words tell their tags, and whose images tell them but for a third."""
    rng = np.random.default_rng(0)
    words = {"negative": "awful", "neutral": "table", "positive": "lovely"}
    light = {"negative": 20, "neutral": 120, "positive": 230}
    tags = [LABELS[index % 3] for index in range(POSTS)]
    texts = [f"{words[tag]} thing {chr(97 + index % 26)}" for index, tag in enumerate(tags)]
    pictures: list[Any] = [
        np.full((64, 64, 3), light[tag if index % 3 else "neutral"], np.uint8)
        + rng.integers(0, 9, (64, 64, 3), dtype=np.uint8)
        for index, tag in enumerate(tags)
    ]
    texts[0], pictures[1], texts[2], pictures[2] = "", None, " ", None
    examples = make_examples(texts, tags, pictures)
    return LabelledPosts(examples, np.arange(POSTS), np.array(tags, dtype=object), np.arange(POSTS))


@pytest.fixture
def pooled(
    tiny: Callable[..., Parameters], freezing: dict[str, dict[str, Any]]
) -> Callable[..., Parameters]:
    """Parameters of a pool on tiny frozen encoders."""
    options = freezing["text"] | freezing["image"] | {"model__text__max_tokens": 24}

    def build(**changes: Any) -> Parameters:
        words = changes.get("model__modality") != "image"
        fixed = {"model__fusion__kind": "pool", "model__text__count_words": words}
        return tiny(**options | fixed | changes)

    return build


@pytest.mark.parametrize("modality", ["text", "image", "both"])
def test_a_solved_model_answers_alike_from_features_and_from_posts_and_when_loaded(
    modality: str, posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = pooled(model__modality=modality)
    classifier, _ = fit(posts, parameters, tmp_path / "checkpoints")
    table = encode(posts, parameters, tmp_path)
    columns = classifier.config.training["features"]
    features = take_features(table, posts.examples, posts.rows, columns)
    classifier.save_pretrained(tmp_path / "model")
    loaded = SentimentClassifier.load(tmp_path / "model")

    compute = parameters.compute
    answers = predict_examples(classifier, posts.examples, posts.rows, compute, table)
    expected = predict_logits(classifier, posts.as_dataset(classifier), compute)
    computed = predict_logits(classifier, posts.as_dataset(classifier, features), compute)
    again = predict_logits(loaded, posts.as_dataset(loaded), compute)
    assert np.isfinite(expected).all()
    np.testing.assert_allclose(computed, expected, atol=1e-4)
    np.testing.assert_allclose(again, expected, atol=1e-5)
    logits = answers[[f"logit_{label}" for label in LABELS]].to_numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert not (tmp_path / "checkpoints").exists()


def test_the_log_says_what_is_fitted_and_what_stays_as_it_is(
    posts: LabelledPosts,
    pooled: Callable[..., Parameters],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        classifier, _ = fit(posts, pooled(), tmp_path / "checkpoints")
    said = next(line for line in caplog.messages if line.startswith("Training "))
    fitted = sum(
        weight.numel()
        for name, weight in classifier.model.named_parameters()
        if ".encoder." not in name
    )
    assert said.startswith(f"Training {fitted:,} weights: linear heads, bert of ")
    assert ", clip_vision_model at 64 px (" in said
    assert said.count(", frozen)") == 2
    assert said.endswith("), on cpu in fp32: 60 posts to learn from")


def test_what_is_taught_is_learnt_and_what_is_missing_is_not_asked(
    posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = pooled()
    classifier, history = fit(posts, parameters, tmp_path)
    answers = predict_examples(classifier, posts.examples, posts.rows, parameters.compute)

    complete = answers.iloc[3:]
    assert (complete["predicted"] == complete["tag"]).mean() > 0.9
    assert answers["text_contribution"][[0, 2]].tolist() == [0, 0]
    assert answers["image_contribution"][[1, 2]].tolist() == [0, 0]
    # Of a post that has nothing it knows how common each tag is: all three are alike here.
    shares = answers.loc[2, [f"p_{label}" for label in LABELS]].to_numpy(dtype=float)
    np.testing.assert_allclose(shares, [1 / 3] * 3, atol=0.01)
    assert sorted(history["voice"].unique()) == ["image", "text", "words"]
    assert history.groupby("voice")["chosen"].sum().eq(1).all()


def test_words_of_fewer_than_three_posts_are_not_kept(
    posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    classifier, _ = fit(posts, pooled(), tmp_path)
    classifier.save_pretrained(tmp_path / "model")
    kept = (tmp_path / "model" / "terms.json").read_text(encoding="utf-8")

    assert "lovely thing" in classifier.terms
    assert "thing q" not in classifier.terms
    assert '"awful"' in kept
    assert "thing q" not in kept


def test_nothing_is_drawn_that_changes_the_result(
    posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    torch.manual_seed(1)
    one, _ = fit(posts, pooled(), tmp_path)
    torch.manual_seed(2)
    other, _ = fit(posts, pooled(), tmp_path)

    pairs = zip(one.model.state_dict().values(), other.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


def test_a_model_without_its_words_is_refused(
    posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    classifier, _ = fit(posts, pooled(model__modality="text"), tmp_path)
    classifier.save_pretrained(tmp_path / "model")
    terms = tmp_path / "model" / "terms.json"
    for content, words in [
        ("[]", "holds 0 different words"),
        ("{}", "is no list of words"),
        ("[", "is no JSON"),
    ]:
        terms.write_text(content)
        with pytest.raises(ValueError, match=f"terms.json {words}"):
            SentimentClassifier.load(tmp_path / "model")
    terms.unlink()
    with pytest.raises(ValueError, match=r"terms\.json is missing: the model counts words"):
        SentimentClassifier.load(tmp_path / "model")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model__fusion__kind": "pool"}, r"'pool' needs frozen encoders.*learning_rate\.text"),
        ({"model__text__count_words": True}, r"count_words needs model\.fusion\.kind 'pool'"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(
    tiny: Callable[..., Parameters], changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        tiny(**changes)


def test_predictions_do_not_depend_on_their_batch(
    posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = pooled()
    classifier, _ = fit(posts, parameters, tmp_path)
    one_by_one = parameters.compute.model_copy(update={"prediction_batch_size": 1})
    columns = [f"logit_{label}" for label in LABELS]

    np.testing.assert_allclose(
        predict_examples(classifier, posts.examples, posts.rows, one_by_one)[columns],
        predict_examples(classifier, posts.examples, posts.rows, parameters.compute)[columns],
        atol=2e-3,  # features of a random encoder are much alike: standardised, rounding shows
    )


def test_few_and_many_posts_are_answered_alike_in_bf16(
    posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = pooled(compute__precision="bf16")
    classifier, _ = fit(posts, parameters, tmp_path)
    table = encode(posts, parameters, tmp_path)
    columns = classifier.config.training["features"]
    features = take_features(table, posts.examples, posts.rows, columns)

    def logits(count: int) -> np.ndarray:
        some = posts.take(np.arange(count))
        known = {name: rows[:count] for name, rows in features.items()}
        return predict_logits(classifier, some.as_dataset(classifier, known), parameters.compute)

    # From 16 posts on, linear layers are replaced by kernels in bf16; the heads must stay exact.
    np.testing.assert_allclose(logits(16)[:15], logits(15), atol=1e-4)


@pytest.fixture
def without_images(posts: LabelledPosts, make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    blank = make_examples(posts.texts, list(posts.tags), [None] * POSTS)
    return LabelledPosts(blank, posts.rows, posts.tags, posts.groups)


def test_a_modality_that_was_never_seen_changes_nothing(
    posts: LabelledPosts,
    without_images: LabelledPosts,
    pooled: Callable[..., Parameters],
    tmp_path: Path,
) -> None:
    parameters = pooled()
    classifier, _ = fit(without_images, parameters, tmp_path)
    columns = [f"p_{label}" for label in LABELS]
    with_images = predict_examples(classifier, posts.examples, posts.rows, parameters.compute)
    with_texts = predict_examples(
        classifier, without_images.examples, posts.rows, parameters.compute
    )

    np.testing.assert_allclose(with_images[columns], with_texts[columns], atol=1e-5)
    assert (with_images["image_contribution"].abs() < 1e-5).all()


def test_posts_without_anything_that_a_model_reads_are_refused(
    without_images: LabelledPosts,
    pooled: Callable[..., Parameters],
    tmp_path: Path,
) -> None:
    with pytest.raises(ValueError, match=r"^not one of the 60 posts .* has a usable image$"):
        fit(without_images, pooled(model__modality="image"), tmp_path)


def test_one_image_decides_little(
    posts: LabelledPosts,
    pooled: Callable[..., Parameters],
    make_examples: Callable[..., pa.Table],
    tmp_path: Path,
) -> None:
    pictures: list[Any] = [None] * POSTS
    pictures[6] = np.full((64, 64, 3), 120, np.uint8)
    few, lonely = (
        make_examples(texts, list(posts.tags), pictures) for texts in (posts.texts, [""] * POSTS)
    )
    parameters = pooled()
    classifier, _ = fit(
        LabelledPosts(few, posts.rows, posts.tags, posts.groups), parameters, tmp_path
    )
    answers = predict_examples(classifier, lonely, posts.rows, parameters.compute)

    assert answers["confidence"][6] < 0.8


def test_a_tag_with_one_training_post_is_named(
    posts: LabelledPosts, pooled: Callable[..., Parameters], tmp_path: Path
) -> None:
    groups = posts.groups.copy()
    groups[posts.tags == "neutral"] = 1
    alike = LabelledPosts(posts.examples, posts.rows, posts.tags, groups)

    with pytest.raises(ValueError, match="too few posts tagged 'neutral' for 2 parts"):
        fit(alike, pooled(model__modality="text"), tmp_path)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.batches import PostDataset, StoredImages
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import ComputeParameters, Parameters
from multimodal_sentiment.predicting import predict_examples, predict_logits
from multimodal_sentiment.predicting.predict import posts_of, tabulate_predictions

LABELS = ["negative", "neutral", "positive"]
POSTS = 12


@pytest.fixture
def examples(make_examples: Callable[..., pa.Table]) -> pa.Table:
    """Posts of which the first three lack their text, their image and both."""
    rng = np.random.default_rng(0)
    texts = [f"word{index} and more" for index in range(POSTS)]
    pictures: list[Any] = list(rng.integers(0, 255, (POSTS, 64, 64, 3), dtype=np.uint8))
    texts[0], pictures[1], texts[2], pictures[2] = "", None, " ", None
    return make_examples(texts, ["positive"] * POSTS, pictures)


@pytest.fixture
def build(
    examples: pa.Table, tiny: Callable[..., Parameters]
) -> Callable[..., tuple[SentimentClassifier, ComputeParameters]]:
    """A model whose weights and missing embeddings were drawn by chance, and what it runs on."""

    def made(**changes: Any) -> tuple[SentimentClassifier, ComputeParameters]:
        torch.manual_seed(1)
        changes = {"compute__prediction_batch_size": 5} | changes
        parameters = tiny(
            model__fusion__kind="concat", model__fusion__auxiliary_weight=0.0, **changes
        )
        model, tokenizer = build_model(parameters.model, LABELS, examples["text"].to_pylist(), {})
        for branch in model.branches.values():
            torch.nn.init.normal_(branch.missing)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if not name.startswith("branches."):
                    weight.mul_(20)  # so that answers differ
        model.config.calibration_temperature = 1.7
        return SentimentClassifier(model, tokenizer, {}), parameters.compute

    return made


def asked(
    classifier: SentimentClassifier, examples: pa.Table, text: bool, image: bool
) -> np.ndarray:
    """Probabilities from a forward pass of all posts of which text or image are taken away."""
    texts = examples["text"].to_pylist() if text else [""] * POSTS
    pictures = StoredImages(examples, np.arange(POSTS)) if image else [None] * POSTS
    posts = PostDataset(classifier, texts, pictures)
    with torch.inference_mode():
        logits = classifier.model.eval()(**posts.__getitems__(list(range(POSTS)))).logits
    return softmax(logits.numpy(), 1.7)


def test_contributions_are_the_shapley_values_of_four_passes(
    build: Any, examples: pa.Table
) -> None:
    classifier, compute = build()
    answers = predict_examples(classifier, examples, np.arange(POSTS), compute)
    whole, text, image, neither = (
        asked(classifier, examples, *seen)[np.arange(POSTS), position]
        for position in [asked(classifier, examples, True, True).argmax(axis=1)]
        for seen in [(True, True), (True, False), (False, True), (False, False)]
    )

    np.testing.assert_allclose(
        answers["text_contribution"], ((text - neither) + (whole - image)) / 2, atol=1e-5
    )
    np.testing.assert_allclose(
        answers["image_contribution"], ((image - neither) + (whole - text)) / 2, atol=1e-5
    )
    np.testing.assert_allclose(
        answers["text_contribution"] + answers["image_contribution"], whole - neither, atol=1e-5
    )
    assert answers["text_contribution"].abs().max() > 1e-3
    more_text = answers["text_contribution"] > answers["image_contribution"]
    assert (answers.loc[more_text, "decided_by"] != "image").all()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_a_post_lacks_has_contributed_exactly_nothing(
    build: Any, examples: pa.Table, precision: str
) -> None:
    classifier, compute = build(compute__precision=precision)
    answers = predict_examples(classifier, examples, np.arange(POSTS), compute)

    assert answers["text_contribution"][[0, 2]].tolist() == [0, 0]
    assert answers["image_contribution"][[1, 2]].tolist() == [0, 0]
    assert (answers[["text_contribution", "image_contribution"]].iloc[3:] != 0).all(axis=None)
    assert answers["decided_by"][2] == "neither"


def test_answers_are_those_of_one_pass_with_text_and_image(build: Any, examples: pa.Table) -> None:
    classifier, compute = build()
    rows = np.arange(POSTS)
    answers = predict_examples(classifier, examples, rows, compute)
    logits = predict_logits(classifier, posts_of(classifier, examples, rows), compute)

    added = ["decided_by", "text_contribution", "image_contribution", "text_alone", "image_alone"]
    plain = tabulate_predictions(classifier, examples, rows, logits)
    assert answers.drop(columns=added).equals(plain)


def test_each_post_goes_through_each_encoder_once(build: Any, examples: pa.Table) -> None:
    classifier, compute = build()
    seen = {"text": 0, "image": 0}

    def count(name: str) -> Callable[..., None]:
        def add(_: Any, inputs: tuple[torch.Tensor, ...], __: Any) -> None:
            seen[name] += len(inputs[0])

        return add

    for name, branch in classifier.model.branches.items():
        branch.encoder.register_forward_hook(count(name))
    weights = list(classifier.model.state_dict())
    predict_examples(classifier, examples, np.arange(POSTS), compute)

    assert seen == {"text": POSTS - 2, "image": POSTS - 2}
    assert list(classifier.model.state_dict()) == weights


@pytest.mark.parametrize("modality", ["text", "image"])
def test_a_model_of_one_modality_has_nothing_to_share_out(
    build: Any, examples: pa.Table, modality: str
) -> None:
    classifier, compute = build(model__modality=modality)
    answers = predict_examples(classifier, examples, np.arange(POSTS), compute)

    assert "decided_by" not in answers


def test_no_posts_are_answered_by_no_rows(build: Any, examples: pa.Table) -> None:
    classifier, compute = build()

    assert predict_examples(classifier, examples, np.arange(0), compute).empty

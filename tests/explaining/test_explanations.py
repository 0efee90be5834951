from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest

from multimodal_sentiment import ClassifierError
from multimodal_sentiment.explaining import Explanation, explain
from multimodal_sentiment.explaining.regions import MaskedImages

from .conftest import TEXT
from .test_shapley import by_permutations

FUSIONS = ["concat", "gated", "late", "pool"]


@pytest.fixture(autouse=True)
def few_regions(monkeypatch):
    """So few that all sets of them can be asked."""
    monkeypatch.setattr(explain, "GRID", 2)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_words_share_what_the_text_added_in_whatever_order_they_come(build, image, fusion):
    classifier = build(fusion)
    explanation = classifier.explain(TEXT, image)
    words = TEXT.split()
    texts = [
        " ".join(word for word, kept in zip(words, row, strict=True) if kept)
        for row in product([0, 1], repeat=4)
    ]
    with_image = classifier.predict(texts, [image] * 16)[f"p_{explanation.predicted}"]
    without = classifier.predict(texts)[f"p_{explanation.predicted}"]
    table = (with_image + without).to_numpy() / 2

    expected = by_permutations(lambda members: table[members @ [8, 4, 2, 1]], 4)

    weights = [word.weight for word in explanation.words]
    assert [TEXT[word.start : word.end] for word in explanation.words] == words
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    assert np.abs(weights).max() > 1e-3


@pytest.mark.parametrize("fusion", FUSIONS)
def test_regions_share_what_the_image_added(build, image, fusion):
    classifier = build(fusion)
    explanation = classifier.explain(TEXT, image)
    boxes = [
        tuple(round(edge * side) for edge, side in zip(region.box, [80, 64] * 2, strict=True))
        for region in explanation.regions
    ]
    images = list(MaskedImages(image, boxes, np.array(list(product([0, 1], repeat=4)), bool)))
    both = classifier.predict([TEXT] * 16, images)[f"p_{explanation.predicted}"]
    alone = classifier.predict(images=images)[f"p_{explanation.predicted}"]
    table = (both + alone).to_numpy() / 2

    expected = by_permutations(lambda members: table[members @ [8, 4, 2, 1]], 4)

    weights = [region.weight for region in explanation.regions]
    np.testing.assert_allclose(weights, expected, atol=1e-5)
    assert np.abs(weights).max() > 1e-3


@pytest.mark.parametrize("fusion", FUSIONS)
def test_weights_add_up_to_what_a_prediction_says_of_text_and_image(build, image, fusion):
    classifier = build(fusion)
    text = "one two three four five six seven eight nine ten " * 3
    predicted = classifier.predict([text], [image]).iloc[0]

    explanation = classifier.explain(text, image)

    assert explanation.predicted == predicted["predicted"]
    assert explanation.confidence == pytest.approx(predicted["confidence"], abs=1e-5)
    for name, parts in (("text", explanation.words), ("image", explanation.regions)):
        added = getattr(explanation, f"{name}_contribution")
        assert added == pytest.approx(predicted[f"{name}_contribution"], abs=1e-5)
        assert sum(part.weight for part in parts) == pytest.approx(added, abs=1e-9)
    both = explanation.text_contribution + explanation.image_contribution
    assert both == pytest.approx(explanation.confidence - explanation.baseline, abs=1e-5)


@pytest.mark.parametrize("modality", ["both", "text"])
def test_an_answer_that_was_given_is_shared_out_as_it_was(build, image, modality):
    """A second computation may differ in bf16, and would contradict the table of answers."""
    classifier = build("concat", modality)
    new = classifier.explain(TEXT, image)
    label = "bad" if new.predicted != "bad" else "good"
    given = {"predicted": label, "confidence": 0.9}
    if modality == "both":
        given |= {"text_contribution": 0.5, "image_contribution": 0.1}

    old = explain.explain_post(
        classifier._classifier, TEXT, image, classifier._compute, answered=given
    )

    assert (old.predicted, old.confidence) == (label, 0.9)
    text = 0.5 if modality == "both" else 0.9 - old.baseline
    assert old.text_contribution == pytest.approx(text)
    assert sum(word.weight for word in old.words) == pytest.approx(text)
    assert sum(region.weight for region in old.regions) == pytest.approx(
        0.1 if modality == "both" else 0
    )
    nothing = classifier.predict([""], [None] if modality == "both" else None)
    assert old.baseline == pytest.approx(nothing.iloc[0][f"p_{label}"], abs=1e-6)


@pytest.mark.parametrize("fusion", ["concat", "pool"])
def test_what_a_post_lacks_has_no_parts(build, image, fusion):
    classifier = build(fusion)

    no_image = classifier.explain(TEXT)
    no_text = classifier.explain(None, image)
    neither = classifier.explain()

    assert (no_image.regions, no_image.photo, no_image.image_contribution) == ((), None, 0)
    assert no_image.text_contribution == pytest.approx(no_image.confidence - no_image.baseline)
    assert (no_text.words, no_text.text_contribution, no_text.problems) == ((), 0, "no text")
    assert (neither.words, neither.regions) == ((), ())
    assert neither.confidence == pytest.approx(neither.baseline)


@pytest.mark.parametrize("fusion", ["concat", "pool"])
@pytest.mark.parametrize("modality", ["text", "image"])
def test_a_model_of_one_modality_explains_by_it_alone(build, image, fusion, modality):
    explanation = build(fusion, modality).explain(TEXT, image)

    other = {"text": "image", "image": "text"}[modality]
    parts = {"text": explanation.words, "image": explanation.regions}
    added = getattr(explanation, f"{modality}_contribution")
    assert added == pytest.approx(explanation.confidence - explanation.baseline)
    assert sum(part.weight for part in parts[modality]) == pytest.approx(added)
    assert len(parts[modality]) == 4
    assert parts[other] == ()
    assert getattr(explanation, f"{other}_contribution") is None


def test_what_the_encoder_does_not_read_has_no_weight(build):
    """Of 16 tokens, 14 are words."""
    text = f"{TEXT} " * 10

    explanation = build("concat").explain(text)

    assert len(explanation.words) == 14
    assert text[: explanation.words[-1].end].split() == text.split()[:14]
    weights = [word.weight for word in explanation.words]
    assert sum(weights) == pytest.approx(explanation.text_contribution)


def test_what_only_counted_words_have_seen_is_one_part(build):
    text = f"{TEXT} " * 10

    explanation = build("pool").explain(text)

    assert len(explanation.words) == 15
    assert (
        text[explanation.words[-1].start : explanation.words[-1].end].split() == (text.split()[14:])
    )
    assert explanation.words[-1].weight != 0


def test_a_long_text_has_few_parts(build, monkeypatch):
    monkeypatch.setattr(explain, "MOST_WORDS", 5)

    text = f"{TEXT} {TEXT}"

    runs = build().explain(text).words

    assert [len(text[run.start : run.end].split()) for run in runs] == [2, 1, 2, 1, 2]


def test_many_threads_get_the_explanations_of_one(build, image):
    classifier = build()
    texts = ["what a day", "lovely day", "a day", "lovely"]
    expected = list(classifier.explain_many(texts, [image] * 4))

    with ThreadPoolExecutor(4) as pool:
        explained = list(pool.map(classifier.explain, texts, [image] * 4))

    assert explained == expected
    assert len({explanation.confidence for explanation in expected}) == 4


def test_an_explanation_survives_json(build, image):
    explanation = build().explain(TEXT, image)

    plain = json.loads(json.dumps(explanation.to_dict()))

    assert Explanation.from_dict(plain) == explanation


@pytest.mark.parametrize(
    ("text", "image", "line"),
    [
        ([TEXT], None, "text must be one, not list: explain_many takes"),
        ({3}, None, "text must be one, not set: explain_many takes"),
        (np.array([TEXT]), None, "text must be one, not ndarray: explain_many takes"),
        (iter([TEXT]), None, "text must be one, not list_iterator"),
        (TEXT, ["1.jpg"], "image must be one, not list"),
    ],
)
def test_lists_are_refused_where_one_post_is_explained(build, text, image, line):
    with pytest.raises(ClassifierError, match=f"^{line}"):
        build().explain(text, image)


def test_what_is_wrong_with_a_post_is_said(build, tmp_path):
    explanation = build().explain(b"caf\xe9", tmp_path / "none.jpg")

    assert explanation.text.startswith("caf")
    assert "image" in explanation.problems


def test_an_explanation_leaves_the_model_as_it_is(build, image):
    classifier = build()
    before = copy.deepcopy(classifier._classifier.model.state_dict())

    classifier.explain(TEXT, image)

    after = classifier._classifier.model.state_dict()
    assert all((after[name] == before[name]).all() for name in before)

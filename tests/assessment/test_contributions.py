from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.assessment.contributions import modality_contributions


def test_values_are_as_worked_out_by_hand():
    shares = modality_contributions(
        both=[[0.1, 0.9]], text_only=[[0.4, 0.6]], image_only=[[0.3, 0.7]], neither=[[0.6, 0.4]]
    )

    # text: first 0.6 - 0.4, second 0.9 - 0.7; image: first 0.7 - 0.4, second 0.9 - 0.6
    assert shares.loc[0, "text_value"] == pytest.approx(0.2)
    assert shares.loc[0, "image_value"] == pytest.approx(0.3)
    assert shares.loc[0, "decided_by"] == "image"


def test_values_add_up_to_what_both_give_beyond_neither():
    rng = np.random.default_rng(0)
    both, text, image, neither = rng.dirichlet([1, 1, 1], size=(4, 500))

    shares = modality_contributions(both, text, image, neither)

    answer = both.argmax(axis=1)
    rows = np.arange(500)
    np.testing.assert_allclose(
        shares["text_value"] + shares["image_value"],
        both[rows, answer] - neither[rows, answer],
        atol=1e-12,
    )


def test_exchanging_the_modalities_exchanges_their_values():
    rng = np.random.default_rng(1)
    both, text, image, neither = rng.dirichlet([1, 1, 1], size=(4, 50))

    one = modality_contributions(both, text, image, neither)
    other = modality_contributions(both, image, text, neither)

    np.testing.assert_array_equal(one["text_value"], other["image_value"])


def test_a_missing_modality_has_a_value_of_exactly_zero():
    rng = np.random.default_rng(2)
    text, neither = rng.dirichlet([1, 1, 1], size=(2, 100)).astype(np.float32)

    shares = modality_contributions(both=text, text_only=text, image_only=neither, neither=neither)

    assert (shares["image_value"] == 0).all()
    assert set(shares["decided_by"]) <= {"text", "neither"}


def test_where_nothing_speaks_for_the_answer_nobody_decided_and_equals_decide_together():
    shares = modality_contributions(
        both=[[0.6, 0.4], [0.75, 0.25], [0.5, 0.5]],
        text_only=[[0.7, 0.3], [0.625, 0.375], [0.5, 0.5]],
        image_only=[[0.7, 0.3], [0.625, 0.375], [0.5, 0.5]],
        neither=[[0.8, 0.2], [0.5, 0.5], [0.5, 0.5]],
    )

    assert shares["decided_by"].tolist() == ["neither", "both", "neither"]


def test_no_posts_have_no_values():
    assert modality_contributions(*[np.empty((0, 3))] * 4).empty

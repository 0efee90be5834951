from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from multimodal_sentiment.assessment import (
    accuracy_by_coverage,
    judge_part,
    least_trusted_confidence,
)

LABELS = ["bad", "good"]


def curve_of(right: np.ndarray, confidence: np.ndarray, groups: np.ndarray | None = None):
    true = np.full(len(right), "good", dtype=object)
    predicted = np.where(right, "good", "bad").astype(object)
    owners = np.arange(len(right)) if groups is None else groups
    return accuracy_by_coverage(
        true, predicted, confidence, owners, LABELS, samples=100, level=0.95, seed=0
    )


def test_the_surest_are_kept_first_and_at_last_all():
    right = np.array([True] * 10 + [False] * 10)
    confidence = np.linspace(0.99, 0.4, 20)

    curve = curve_of(right, confidence)

    assert [step["n"] for step in curve] == list(range(1, 21))
    assert [step["coverage"] for step in curve] == pytest.approx(np.arange(1, 21) / 20)
    assert [step["accuracy"] for step in curve[:10]] == [1.0] * 10
    assert curve[14]["accuracy"] == pytest.approx(10 / 15)
    assert curve[-1]["confidence"] == 0.4


def test_answers_of_equal_confidence_are_kept_or_left_together():
    curve = curve_of(np.array([True, False] * 10), np.array([0.9] * 8 + [0.6] * 12))

    assert [(step["confidence"], step["n"]) for step in curve] == [(0.9, 8), (0.6, 20)]


def test_where_all_are_right_the_bounds_are_exact_and_twins_count_once():
    true = ["good"] * 30
    groups = [*range(20), *[19] * 10]

    judged = judge_part([True] * 30, true, true, groups, LABELS, samples=100, level=0.95, seed=0)

    assert judged["accuracy_interval"] == pytest.approx(
        (0.025 ** (1 / 20), 1.0)
    )  # Clopper and Pearson's, of 20


def test_confidence_is_trusted_as_far_as_exact_tests_pass_one_after_the_other():
    right = np.array([True] * 120 + [False] * 80)
    confidence = np.linspace(0.99, 0.4, 200)
    passed = [  # every tenth post, as the steps are
        n
        for n in range(10, 201, 10)
        if binom.sf(min(n, 120) - 1, n, 0.8) <= 0.05  # as many right, by chance, if 80% were
    ]
    assert passed == list(range(20, 131, 10))

    least = least_trusted_confidence(right, confidence, np.arange(200), target=0.8, level=0.95)

    assert least == confidence[129]


def test_a_step_that_fails_ends_it_though_later_ones_would_pass():
    right = np.array([True] * 14 + [False] * 26 + [True] * 360)

    least = least_trusted_confidence(
        right, np.linspace(0.99, 0.4, 400), np.arange(400), target=0.8, level=0.95
    )

    assert least is None


def test_few_posts_or_copies_of_one_prove_nothing():
    right, confidence = np.ones(100, dtype=bool), np.linspace(0.99, 0.9, 100)

    few = least_trusted_confidence(
        right[:20], confidence[:20], np.arange(20), target=0.9, level=0.95
    )
    copies = least_trusted_confidence(
        right, confidence, np.arange(100) % 20, target=0.9, level=0.95
    )
    enough = least_trusted_confidence(right, confidence, np.arange(100), target=0.9, level=0.95)

    assert (few, copies) == (None, None)
    assert enough == confidence[-1]


def test_a_model_that_is_below_the_target_is_seldom_trusted():
    rng = np.random.default_rng(0)
    trusted = [
        least_trusted_confidence(
            rng.random(200) < 0.89, rng.random(200), np.arange(200), target=0.9, level=0.95
        )
        for _ in range(200)
    ]

    assert sum(least is not None for least in trusted) <= 0.08 * 200


def test_twins_that_are_answered_differently_count_as_wrong():
    right, groups = np.tile([True, False], 60), np.arange(120) // 2

    least = least_trusted_confidence(
        right, np.linspace(0.99, 0.9, 120), groups, target=0.6, level=0.95
    )

    assert least is None

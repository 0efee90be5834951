"""Two-sample tests, by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import chi2_contingency, fisher_exact

from multimodal_sentiment.monitoring.two_sample import (
    _energy,
    categories_test,
    features_test,
    numbers_test,
    pool_rare,
)


def test_two_categories_are_compared_exactly():
    found = categories_test({"a": 10}, {"b": 10})

    assert found.name == "Fisher's exact test"
    assert found.p_value == pytest.approx(2 / math.comb(20, 10))


def test_more_categories_are_compared_by_chi_square():
    found = categories_test({"a": 20, "b": 20, "c": 20}, {"a": 30, "b": 20, "c": 10})

    # Expected are 25, 20 and 15 of each: 2 * (25 / 25 + 25 / 15), with 2 degrees of freedom.
    assert found.p_value == pytest.approx(math.exp(-(2 + 10 / 3) / 2))


def test_rare_categories_count_as_one():
    counts = pool_rare({"a": 50, "b": 2, "c": 1}, {"a": 50, "d": 3})

    assert counts == {"a": (50, 50), "all others": (3, 3)}


@pytest.mark.parametrize(("old", "new"), [({}, {"a": 9}), ({"a": 9}, {}), ({"a": 9}, {"a": 9})])
def test_nothing_to_compare(old, new):
    assert categories_test(old, new) is None


def test_numbers_are_compared_by_their_distributions():
    assert numbers_test(range(5), range(10, 15)).p_value == pytest.approx(2 / math.comb(10, 5))
    assert numbers_test(range(4), range(10, 15)) is None


@pytest.mark.filterwarnings("error")
def test_numbers_that_hardly_differ_are_compared_without_a_warning():
    nearly = [0.0] * 79 + [1.0]  # the exact p-value would come out above 1

    assert numbers_test([0.0] * 80, nearly).p_value == pytest.approx(1)


def test_the_energy_distance_is_that_of_its_definition():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(6, 3)), rng.normal(1, 1, size=(4, 3))

    def mean_distance(first, second):
        return np.mean([np.linalg.norm(one - other) for one in first for other in second])

    expected = 2 * mean_distance(old, new) - mean_distance(old, old) - mean_distance(new, new)
    both = np.concatenate([old, new])
    distances = np.linalg.norm(both[:, None] - both, axis=2).astype(np.float32)
    assert _energy(distances, (np.arange(10) >= 6)[None])[0] == pytest.approx(expected, rel=1e-5)


def test_unlike_features_get_the_least_p_value_there_is():
    rng = np.random.default_rng(0)
    old, new = rng.normal(size=(30, 8)), rng.normal(3, 1, size=(20, 8))

    assert features_test(old, new, 0).p_value == pytest.approx(1 / 10_000)


def test_features_of_one_source_get_any_p_value():
    rng = np.random.default_rng(0)
    p_values = [
        features_test(rng.normal(size=(40, 8)), rng.normal(size=(30, 8)), seed).p_value
        for seed in range(60)
    ]

    assert 0.35 < np.mean(p_values) < 0.65
    assert np.mean(np.array(p_values) < 0.2) < 0.35


def test_one_rare_post_among_few_is_no_other_source():
    old, new = {"ASCII": 640, "UTF-8": 360}, {"ASCII": 12, "UTF-8": 7, "CP1252": 1}
    assert pool_rare(old, new)["all others"] == (0, 1)  # as it is shown
    found = categories_test(old, new)
    assert found.name == "Fisher's exact test"
    assert found.p_value == pytest.approx(fisher_exact([[640, 12], [360, 8]]).pvalue)
    # Of four common kinds the rarest joins the rare ones.
    old, new = {"a": 500, "b": 400, "c": 300}, {"a": 50, "b": 40, "c": 29, "d": 1}
    expected = chi2_contingency([[500, 50], [400, 40], [300, 30]]).pvalue
    assert categories_test(old, new).p_value == pytest.approx(expected)

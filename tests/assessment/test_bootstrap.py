from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from multimodal_sentiment.assessment import bootstrap
from multimodal_sentiment.assessment.bootstrap import bootstrap_intervals, resampled_scores
from multimodal_sentiment.assessment.metrics import classification_metrics

LABELS = ["negative", "neutral", "positive"]


def posts(n: int, seed: int = 0, accuracy: float = 0.6) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    true = rng.choice(LABELS, size=n, p=[0.3, 0.1, 0.6])
    predicted = np.where(rng.random(n) < accuracy, true, rng.choice(LABELS, size=n))
    return true, predicted


def width(interval: tuple[float, float]) -> float:
    return interval[1] - interval[0]


def test_one_group_of_all_posts_is_always_drawn_whole_and_scores_as_scikit_learn_says():
    true, predicted = posts(50)
    metrics = classification_metrics(true, predicted, LABELS)

    bounds = bootstrap_intervals(true, predicted, ["same"] * 50, LABELS, samples=20, seed=0)

    for measure in ("accuracy", "macro_f1", "weighted_f1"):
        assert bounds[measure] == pytest.approx([metrics[measure]] * 2)
    for label in LABELS:
        assert bounds["per_class"][label] == pytest.approx([metrics["per_class"][label]["f1"]] * 2)


def test_posts_without_twins_get_the_interval_that_scipy_gives():
    true, predicted = posts(300)
    expected = stats.bootstrap(
        ((true == predicted).astype(float),),
        np.mean,
        n_resamples=20_000,
        method="percentile",
        rng=np.random.default_rng(1),
    ).confidence_interval

    bounds = bootstrap_intervals(true, predicted, range(300), LABELS, samples=20_000, seed=0)

    assert bounds["accuracy"] == pytest.approx(expected, abs=0.004)


def test_f1_intervals_are_those_of_drawing_groups_one_by_one():
    true, predicted = posts(120)
    groups = np.arange(120) // 3
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(1500):
        chosen = rng.integers(0, 40, size=40)
        rows = (chosen[:, None] * 3 + np.arange(3)).ravel()
        drawn.append(f1_score(true[rows], predicted[rows], average="macro"))

    bounds = bootstrap_intervals(true, predicted, groups, LABELS, samples=20_000, seed=0)

    assert bounds["macro_f1"] == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.015)


def test_copies_of_a_post_add_no_certainty_when_they_are_known_as_twins():
    true, predicted = posts(200)
    copied_true, copied_predicted = np.repeat(true, 4), np.repeat(predicted, 4)

    alone = bootstrap_intervals(true, predicted, range(200), LABELS, seed=0)
    twins = bootstrap_intervals(
        copied_true, copied_predicted, np.repeat(range(200), 4), LABELS, seed=0
    )
    ignored = bootstrap_intervals(copied_true, copied_predicted, range(800), LABELS, seed=0)

    assert twins["accuracy"] == pytest.approx(alone["accuracy"])
    assert width(twins["accuracy"]) == pytest.approx(2 * width(ignored["accuracy"]), rel=0.1)


def test_neither_the_order_of_posts_nor_the_names_of_groups_matter():
    true, predicted = posts(60)
    groups = np.arange(60) // 2
    shuffled = np.random.default_rng(3).permutation(60)

    bounds = bootstrap_intervals(true, predicted, groups, LABELS, seed=7)

    assert bounds == bootstrap_intervals(
        true[shuffled], predicted[shuffled], [f"g{g}" for g in groups[shuffled]], LABELS, seed=7
    )
    assert bounds != bootstrap_intervals(true, predicted, groups, LABELS, seed=8)


def test_several_seeds_get_the_interval_of_their_mean():
    true = np.array(["positive", "negative"] * 50)
    always = np.full(100, "positive")
    never_wrong = true

    bounds = bootstrap_intervals(
        true, np.stack([always, never_wrong]), range(100), LABELS, level=0.9, seed=0
    )
    lone = bootstrap_intervals(true, always, range(100), LABELS, level=0.9, seed=0)

    assert bounds["accuracy"] == pytest.approx((1 + np.array(lone["accuracy"])) / 2)


def test_a_label_that_no_resample_holds_scores_nothing_and_spoils_nothing():
    bounds = bootstrap_intervals(["positive"] * 9, ["positive"] * 9, range(9), LABELS, seed=0)

    assert bounds["macro_f1"] == pytest.approx((0.025 ** (1 / 9), 1))
    assert bounds["per_class"]["neutral"] == (0, 0)


def test_drawing_in_small_batches_gives_the_same_scores(monkeypatch):
    true, predicted = posts(80)
    whole = resampled_scores(true, predicted, range(80), LABELS, samples=50, seed=0)

    monkeypatch.setattr(bootstrap, "_DRAWS_AT_ONCE", 30)
    batched = resampled_scores(true, predicted, range(80), LABELS, samples=50, seed=0)

    np.testing.assert_array_equal(whole["macro_f1"], batched["macro_f1"])


def test_arrays_that_do_not_belong_together_are_refused():
    with pytest.raises(ValueError, match="2 true tags, 2 predicted tags and 3 groups"):
        bootstrap_intervals(["positive"] * 2, ["positive"] * 2, range(3), LABELS, seed=0)
    with pytest.raises(ValueError, match="at least one post"):
        bootstrap_intervals([], [], [], LABELS, seed=0)


def test_few_posts_that_are_all_right_do_not_show_that_all_answers_are():
    true = ["negative"] * 10 + ["positive"] * 20
    groups = [*range(9), 8, *range(10, 30)]  # two of the negative posts are twins

    bounds = bootstrap_intervals(true, true, groups, LABELS, samples=50, seed=0)

    # Clopper and Pearson's lower bound of n cases of n is (0.05 / 2) ** (1 / n).
    negative, positive = 0.025 ** (1 / 9), 0.025 ** (1 / 20)
    assert bounds["accuracy"] == pytest.approx((0.025 ** (1 / 29), 1))
    assert bounds["per_class"]["negative"] == pytest.approx((negative, 1))
    assert bounds["per_class"]["positive"] == pytest.approx((positive, 1))
    assert bounds["per_class"]["neutral"] == (0, 0)
    assert bounds["macro_f1"] == pytest.approx(((negative + positive) / 2, 1))
    assert bounds["weighted_f1"] == pytest.approx((negative / 3 + positive * 2 / 3, 1))


def test_a_label_that_is_never_mistaken_is_bounded_beside_others_that_are():
    true = ["negative"] * 10 + ["neutral"] * 5 + ["positive"] * 5
    predicted = ["negative"] * 10 + ["neutral"] * 3 + ["positive"] * 7

    bounds = bootstrap_intervals(true, predicted, range(20), LABELS, samples=200, seed=0)
    scores = resampled_scores(true, predicted, range(20), LABELS, samples=200, seed=0)

    assert bounds["per_class"]["negative"] == pytest.approx((0.025 ** (1 / 10), 1))
    assert bounds["macro_f1"] == pytest.approx(np.quantile(scores["macro_f1"], [0.025, 0.975]))


def test_few_wrong_answers_do_not_show_that_all_are():
    bounds = bootstrap_intervals(["negative"] * 8, ["positive"] * 8, range(8), LABELS, seed=0)

    assert bounds["accuracy"] == pytest.approx((0, 1 - 0.025 ** (1 / 8)))
    assert bounds["per_class"]["negative"] == pytest.approx((0, 1 - 0.025 ** (1 / 8)))

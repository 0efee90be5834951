from __future__ import annotations

import json

import numpy as np
import pytest

from multimodal_sentiment.assessment.paired_tests import compare_variants, holm, mcnemar

LABELS = ["negative", "positive"]


def tags(right: str) -> np.ndarray:
    """Tags of a classifier that is right where the string says 1; all true tags are positive."""
    return np.where(np.array(list(right)) == "1", "positive", "negative")


def noisy(true: np.ndarray, accuracy: float, rng: np.random.Generator) -> np.ndarray:
    wrong = np.where(true == "positive", "negative", "positive")
    return np.where(rng.random((2, len(true))) < accuracy, true, wrong)


def test_mcnemar_is_the_binomial_test_of_the_posts_on_which_they_differ():
    first, second = tags("111111111" + "0" + "1111"), tags("000000000" + "1" + "1111")

    result = mcnemar(["positive"] * 14, first, second)

    assert result["first_better"] == 9
    assert result["second_better"] == 1
    assert result["p_value"] == pytest.approx(2 * (1 + 10) / 2**10)


def test_mcnemar_of_equal_answers_finds_nothing():
    assert mcnemar(["positive"] * 3, tags("101"), tags("101"))["p_value"] == 1


def test_mcnemar_lets_a_post_speak_for_the_variant_that_is_right_under_more_seeds():
    first = np.stack([tags("110"), tags("101"), tags("100")])
    second = np.stack([tags("010"), tags("001"), tags("101")])

    result = mcnemar(["positive"] * 3, first, second)

    assert (result["first_better"], result["second_better"]) == (1, 1)  # 3:1, 1:1, 1:2


def test_holm_is_as_worked_out_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.6, 0.7]) == [1, 1]
    # 4 x 0.01, 3 x 0.01, 2 x 0.02, 1 x 0.03; none may be less than one before it
    assert holm([0.03, 0.01, 0.02, 0.01]) == pytest.approx([0.04, 0.04, 0.04, 0.04])
    assert holm([0.2]) == [0.2]
    assert holm([]) == []


def test_differences_are_those_of_the_means_over_seeds():
    true = tags("1111")
    predictions = {"a": np.stack([tags("1111"), tags("1110")]), "b": np.stack([tags("1100")] * 2)}

    (result,) = compare_variants(true, predictions, [("a", "b")], range(4), LABELS, seed=0)

    assert (result["first"], result["second"]) == ("a", "b")
    assert result["accuracy"]["difference"] == pytest.approx((1 + 3 / 4) / 2 - 1 / 2)
    # macro F1 of b: positive 2 * 2 / (4 + 2), negative 0; of a: 1, and (6 / 7 + 0) / 2
    assert result["macro_f1"]["difference"] == pytest.approx((1 + 3 / 7) / 2 - 1 / 3)


@pytest.mark.parametrize(("groups", "least"), [([0] * 4, 1), ([0, 0, 1, 1], 0.5), (range(4), 0.25)])
def test_a_few_groups_that_agree_prove_little(groups: list[int], least: float) -> None:
    true = tags("1111")
    predictions = {"a": tags("1111")[None], "b": tags("0100")[None]}

    (result,) = compare_variants(true, predictions, [("a", "b")], groups, LABELS, seed=0)

    assert result["accuracy"]["p_value"] == least
    assert result["macro_f1"]["p_value"] == least


def test_interval_and_p_value_are_those_of_drawing_groups_one_by_one():
    rng = np.random.default_rng(0)
    true = rng.choice(LABELS, size=90)
    first, second = noisy(true, 0.8, rng), noisy(true, 0.68, rng)
    gains = ((first == true).mean(axis=0) - (second == true).mean(axis=0)).reshape(30, 3)
    drawn = gains[rng.integers(0, 30, size=(20_000, 30))].mean(axis=(1, 2))

    (result,) = compare_variants(
        true, {"a": first, "b": second}, [("a", "b")], np.arange(90) // 3, LABELS, seed=0
    )

    assert result["accuracy"]["interval"] == pytest.approx(
        np.quantile(drawn, [0.025, 0.975]), abs=0.01
    )
    assert result["accuracy"]["p_value"] == pytest.approx(
        2 * min((drawn <= 0).mean(), (drawn >= 0).mean()), abs=0.01
    )


def test_p_value_is_under_five_percent_exactly_where_the_interval_leaves_out_zero():
    for seed in range(40):
        rng = np.random.default_rng(seed)
        true = rng.choice(LABELS, size=60)
        predictions = {"a": noisy(true, 0.8, rng), "b": noisy(true, 0.65, rng)}

        (result,) = compare_variants(
            true, predictions, [("a", "b")], range(60), LABELS, samples=999, seed=seed
        )

        for measure in ("accuracy", "macro_f1"):
            low, high = result[measure]["interval"]
            if abs(result[measure]["p_value"] - 0.05) > 0.004:  # quantiles fall between draws
                assert (result[measure]["p_value"] < 0.05) == (low > 0 or high < 0)


def test_exchanging_the_two_turns_the_signs_and_nothing_else():
    rng = np.random.default_rng(1)
    true = rng.choice(LABELS, size=80)
    predictions = {"a": noisy(true, 0.8, rng), "b": noisy(true, 0.6, rng)}

    forth, back = compare_variants(
        true, predictions, [("a", "b"), ("b", "a")], range(80), LABELS, seed=0
    )

    assert back["accuracy"]["difference"] == pytest.approx(-forth["accuracy"]["difference"])
    assert back["accuracy"]["interval"] == pytest.approx(
        [-bound for bound in forth["accuracy"]["interval"][::-1]]
    )
    assert back["accuracy"]["p_value"] == forth["accuracy"]["p_value"]


def test_copies_of_a_few_posts_prove_nothing_to_the_primary_test():
    first, second = tags("1111100"), tags("0001111")

    (result,) = compare_variants(
        np.repeat(tags("1" * 7), 50),
        {"a": [np.repeat(first, 50)], "b": [np.repeat(second, 50)]},
        [("a", "b")],
        np.repeat(range(7), 50),
        LABELS,
        seed=0,
    )

    assert result["mcnemar"]["p_value"] < 0.01
    assert result["accuracy"]["p_value"] > 0.3


def test_a_variant_against_itself_is_no_difference():
    (result,) = compare_variants(
        tags("1111"), {"a": [tags("1010")]}, [("a", "a")], range(4), LABELS, seed=0
    )

    assert result["accuracy"] == {
        "difference": 0,
        "interval": (0, 0),
        "p_value": 1,
        "p_adjusted": 1,
    }


def test_p_values_are_corrected_over_the_pairs():
    rng = np.random.default_rng(2)
    true = rng.choice(LABELS, size=200)
    predictions = {name: noisy(true, p, rng) for name, p in [("a", 0.9), ("b", 0.6), ("c", 0.87)]}

    results = compare_variants(
        true, predictions, [("a", "b"), ("a", "c")], range(200), LABELS, seed=0
    )

    for test in ("accuracy", "macro_f1", "mcnemar"):
        sure, unsure = (result[test] for result in results)
        assert sure["p_value"] < unsure["p_value"]
        assert sure["p_adjusted"] == pytest.approx(2 * sure["p_value"])
        assert unsure["p_adjusted"] == unsure["p_value"]
    assert json.loads(json.dumps(results, allow_nan=False))


def test_under_a_true_null_the_primary_test_seldom_rejects():
    rng = np.random.default_rng(3)
    true = rng.choice(LABELS, size=200)
    groups = rng.integers(0, 150, size=200)
    first, second = noisy(true, 0.85, rng), noisy(true, 0.6, rng)
    rejected = []
    for seed in range(200):
        swap = (rng.random(150) < 0.5)[groups]
        predictions = {"a": np.where(swap, first, second), "b": np.where(swap, second, first)}
        (result,) = compare_variants(
            true, predictions, [("a", "b")], groups, LABELS, samples=500, seed=seed
        )
        rejected.append(result["accuracy"]["p_value"] < 0.05)

    assert np.mean(rejected) <= 0.1  # 5% expected; 20 or more of 200 come once in 500 times


def test_no_pairs_make_no_comparisons():
    assert compare_variants(tags("11"), {}, [], range(2), LABELS, seed=0) == []

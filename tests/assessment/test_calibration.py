from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import log_loss

from multimodal_sentiment.assessment.calibration import (
    TEMPERATURES,
    expected_calibration_error,
    fit_temperature,
    reliability,
    softmax,
)


def drawn_posts(n: int, temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """Logits of a classifier that is perfectly calibrated once divided by `temperature`."""
    rng = np.random.default_rng(0)
    calibrated = rng.normal(scale=2, size=(n, 3))
    chances = np.exp(calibrated) / np.exp(calibrated).sum(axis=1, keepdims=True)
    true = (rng.random((n, 1)) > chances.cumsum(axis=1)).sum(axis=1)
    return calibrated * temperature, true


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_temperature_recovers_a_known_scaling(temperature):
    assert fit_temperature(*drawn_posts(20_000, temperature)) == pytest.approx(
        temperature, rel=0.05
    )


def test_temperature_lowers_the_loss_of_an_overconfident_classifier():
    logits, true = drawn_posts(500, 4.0)

    fitted = softmax(logits, fit_temperature(logits, true))

    assert log_loss(true, fitted) < log_loss(true, softmax(logits)) - 0.2


def test_nine_right_answers_of_nine_ask_for_ten_to_one_and_no_more():
    logits = np.tile([2.0, 0.0, 0.0], (9, 1))

    # n + 1 = 10 imagined posts for the true class, 1 for each other: exp(2 / T) = 10
    assert fit_temperature(logits, [0] * 9) == pytest.approx(2 / np.log(10), rel=1e-3)


def test_temperature_stays_within_its_bounds():
    low, high = TEMPERATURES

    assert fit_temperature(np.full((50, 2), [0.001, 0]), [0] * 50) == pytest.approx(low, rel=0.01)
    assert fit_temperature(np.full((50, 2), [9, 0]), [1] * 50) == pytest.approx(high, rel=0.01)


def test_no_posts_change_nothing():
    assert fit_temperature(np.empty((0, 3)), []) == 1


def test_logits_that_are_not_finite_are_refused():
    with pytest.raises(ValueError, match="1 of 2 posts have logits that are not finite"):
        fit_temperature([[0, 1], [np.nan, np.inf]], [0, 1])


def test_softmax_divides_by_the_temperature_and_stands_great_logits():
    np.testing.assert_allclose(softmax([[np.log(9), 0]], 2), [[0.75, 0.25]])
    np.testing.assert_allclose(softmax([[1e4, 0]]), [[1, 0]])


PROBABILITIES = [[0.95, 0.05], [0.85, 0.15], [0.15, 0.85], [0.35, 0.65], [0.5, 0.5]]
TRUE = [0, 0, 0, 1, 0]


def test_reliability_is_as_counted_by_hand():
    table = reliability(PROBABILITIES, TRUE, bins=5)
    table.index = table["high"].round(6)

    assert table["n"].to_dict() == {0.2: 0, 0.4: 0, 0.6: 1, 0.8: 1, 1.0: 3}
    assert table.loc[1.0, "confidence"] == pytest.approx((0.95 + 0.85 + 0.85) / 3)
    assert table.loc[1.0, "accuracy"] == pytest.approx(2 / 3)
    assert np.isnan(table.loc[0.2, "accuracy"])


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    assert reliability([[0.5, 0.5]], [0], bins=2)["n"].tolist() == [1, 0]
    assert reliability([[1.0 + 1e-12, 0.0]], [0], bins=2)["n"].tolist() == [0, 1]


def test_calibration_error_is_as_worked_out_by_hand():
    # bins: {0.5: right}, {0.65: right}, {0.95 right, 0.85 right, 0.85 wrong}
    expected = (1 * 0.5 + 1 * 0.35 + 3 * abs(2.65 / 3 - 2 / 3)) / 5

    assert expected_calibration_error(PROBABILITIES, TRUE, bins=5) == pytest.approx(expected)


def test_calibration_error_of_a_calibrated_classifier_is_small_and_of_a_boastful_one_great():
    logits, true = drawn_posts(20_000, 4.0)

    assert expected_calibration_error(softmax(logits, 4.0), true) < 0.02
    assert expected_calibration_error(softmax(logits), true) > 0.1


def test_calibration_error_of_no_posts_is_refused():
    with pytest.raises(ValueError, match="no posts"):
        expected_calibration_error(np.empty((0, 3)), [])

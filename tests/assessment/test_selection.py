from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, log_loss

from multimodal_sentiment.assessment.selection import compare_settings, objective_score

LABELS = ["negative", "neutral", "positive"]
DRAWING = {"samples": 400, "level": 0.95, "seed": 0}


def answers(truth: np.ndarray, right: float, rng: np.random.Generator) -> np.ndarray:
    """Probabilities under which about so large a share of the answers is right."""
    sure = rng.random(len(truth)) < right
    answer = np.where(sure, truth, (truth + rng.integers(1, 3, len(truth))) % 3)
    return np.where(np.arange(3) == answer[:, None], 0.8, 0.1)


@pytest.fixture
def truth() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 3, 600)


def compare(
    truth: np.ndarray, settings: dict[str, np.ndarray], objective: str = "accuracy"
) -> dict:
    tags = np.array(LABELS, dtype=object)[truth]
    return compare_settings(
        objective, tags, settings, "default", np.arange(len(truth)), LABELS, **DRAWING
    )


def test_scores_are_those_of_scikit_learn(truth: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    chances = rng.dirichlet(np.ones(3), len(truth))
    tags = np.array(LABELS)[truth]
    predicted = chances.argmax(axis=1)

    assert objective_score("accuracy", tags, chances, LABELS) == accuracy_score(truth, predicted)
    macro = f1_score(truth, predicted, average="macro")
    assert objective_score("macro_f1", tags, chances, LABELS) == pytest.approx(macro)
    loss = log_loss(tags, chances, labels=LABELS)
    assert objective_score("log_loss", tags, chances, LABELS) == pytest.approx(loss)


@pytest.mark.parametrize("objective", ["accuracy", "macro_f1", "log_loss"])
def test_a_clear_gain_among_many_settings_is_one(truth: np.ndarray, objective: str) -> None:
    rng = np.random.default_rng(2)
    settings = {f"trial {n}": answers(truth, 0.6, rng) for n in range(20)}
    settings |= {"default": answers(truth, 0.6, rng), "good": answers(truth, 0.75, rng)}
    found = compare(truth, settings, objective)

    assert found["good"]["p_value"] <= 0.01
    assert found["good"]["interval"][0] > 0
    sign = -1 if objective == "log_loss" else 1
    assert found["good"]["gain"] == pytest.approx(
        sign * (found["good"]["score"] - found["default"]["score"])
    )


def test_the_default_itself_and_what_answers_alike_have_no_gain(truth: np.ndarray) -> None:
    default = answers(truth, 0.6, np.random.default_rng(3))
    found = compare(truth, {"default": default, "same": default})

    for name in ("default", "same"):
        assert (found[name]["gain"], found[name]["p_value"]) == (0, 1)
        assert found[name]["interval"] == (0, 0)


@pytest.mark.parametrize("objective", ["accuracy", "log_loss"])
def test_the_luckiest_of_equal_settings_is_seldom_taken_for_better(objective: str) -> None:
    rng = np.random.default_rng(4)
    naive = alarms = 0
    for _ in range(30):
        truth = rng.integers(0, 3, 200)
        settings = {f"trial {n}": answers(truth, 0.5, rng) for n in range(25)}
        found = compare(truth, settings | {"default": answers(truth, 0.5, rng)}, objective)
        best = max(found.values(), key=lambda one: one["gain"])
        naive += best["interval"][0] > 0
        alarms += best["p_value"] <= 0.05

    assert naive > 5  # uncorrected, the luckiest passes for better again and again
    assert alarms <= 5  # 1.5 are expected; more than 5 of 30 come by chance once in 300 times


def test_copies_of_a_post_are_no_evidence(truth: np.ndarray) -> None:
    rng = np.random.default_rng(5)
    few = truth[:40]
    settings = {"default": answers(few, 0.5, rng), "other": answers(few, 0.7, rng)}
    tags = np.array(LABELS, dtype=object)[np.repeat(few, 20)]
    copied = {name: np.repeat(chances, 20, axis=0) for name, chances in settings.items()}
    groups = np.repeat(np.arange(40), 20)

    once = compare(few, settings)["other"]
    found = compare_settings("accuracy", tags, copied, "default", groups, LABELS, **DRAWING)
    assert found["other"]["gain"] == pytest.approx(once["gain"])
    assert found["other"]["interval"] == pytest.approx(once["interval"], abs=1e-9)

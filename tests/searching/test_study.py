"""The search itself, with a judge of arithmetic in place of trainings."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest

from multimodal_sentiment.parameters import Parameters, SearchParameters, Variant
from multimodal_sentiment.searching import Space
from multimodal_sentiment.searching.study import (
    best_of,
    describe_trial,
    importances,
    run_search,
)

SPACE = {
    "model": {
        "fusion": {
            "kind": ["late", "concat"],
            "dropout": {"low": 0.0, "high": 0.5, "when": {"model.fusion.kind": ["concat"]}},
        }
    },
    "training": {
        "class_weights": ["none", "sqrt", "balanced"],
        "weight_decay": {"low": 0.001, "high": 1.0, "log": True},
        "epochs": {"low": 1, "high": 20},
    },
}


def parameters(configured: Parameters, **changes: Any) -> SearchParameters:
    quick = {"trials": 12, "startup_trials": 6, "folds": 3, "pruning": True, "minutes": None}
    return configured.search.model_copy(update=quick | changes)


def worth(variant: Variant) -> float:
    """Best at 12 epochs, balanced weights, and little decay."""
    training = variant.training
    weights = {"none": 0, "sqrt": 1, "balanced": 2}[training.class_weights]
    return weights - abs(training.epochs - 12) / 5 - training.weight_decay


def judge(number: int, variant: Variant) -> Iterator[tuple[float, float]]:
    for fold in range(3):
        yield worth(variant) + 0.01 * fold, 1.0


def search(
    configured: Parameters, path: Path, judge: Callable[..., Any] = judge, **changes: Any
) -> list[dict[str, Any]]:
    space = Space.read(changes.pop("space", SPACE), configured.model, configured.training)
    trials = run_search(space, judge, parameters(configured, **changes), maximize=True, path=path)
    return [describe_trial(trial) for trial in trials]


def test_one_seed_draws_one_sequence_and_another_seed_another(
    configured: Parameters, tmp_path: Path
) -> None:
    first, again, other = (
        search(configured, tmp_path / f"{name}.db", seed=seed, trials=7)
        for name, seed in (("a", 0), ("b", 0), ("c", 1))
    )

    assert first == again
    assert first != other


def test_an_interrupted_search_ends_with_the_trials_it_would_have_had(
    configured: Parameters, tmp_path: Path
) -> None:
    whole = search(configured, tmp_path / "whole.db")
    folds_left = iter([3, 1, 8, 2])

    def interrupted(number: int, variant: Variant) -> Iterator[tuple[float, float]]:
        nonlocal left
        for step in judge(number, variant):
            if left == 0:
                raise KeyboardInterrupt
            left -= 1
            yield step

    for left in folds_left:  # noqa: B007 - the judge counts it down
        with pytest.raises(KeyboardInterrupt):
            search(configured, tmp_path / "parts.db", interrupted)

    assert search(configured, tmp_path / "parts.db") == whole
    assert len(whole) == 12


def test_the_path_of_a_search_may_hold_what_a_url_would_not(
    configured: Parameters, tmp_path: Path
) -> None:
    folder = tmp_path / "my%20posts%2F{a}?b=c#d"
    folder.mkdir()
    two = search(configured, folder / "search.db", trials=2)

    assert [path.name for path in folder.iterdir()] == ["search.db"]
    assert search(configured, folder / "search.db", trials=3)[:2] == two


def test_what_is_finished_guides_the_search(configured: Parameters, tmp_path: Path) -> None:
    guided, blind = (
        search(
            configured, tmp_path / f"{startup}.db", trials=20, startup_trials=startup, pruning=False
        )
        for startup in (6, 20)
    )

    assert guided[:6] == blind[:6]
    mean, of_blind = (sum(one["score"] for one in some[6:]) / 14 for some in (guided, blind))
    assert mean > of_blind + 0.5


def test_poor_trials_are_cut_short_and_are_never_the_best(
    configured: Parameters, tmp_path: Path
) -> None:
    space = Space.read(SPACE, configured.model, configured.training)
    trials = run_search(
        space, judge, parameters(configured), maximize=True, path=tmp_path / "search.db"
    )
    described = [describe_trial(trial) for trial in trials]
    states = {trial["state"]: trial["folds"] for trial in described}

    assert states == {"judged": 3, "cut short": 1}
    assert all(trial["state"] == "judged" for trial in described[:5])
    judged = [trial for trial in described if trial["state"] == "judged"]
    best = describe_trial(best_of(trials, maximize=True))
    assert best["score"] == max(trial["score"] for trial in judged)
    worst = describe_trial(best_of(trials, maximize=False))
    assert worst["score"] == min(trial["score"] for trial in judged)


def test_no_setting_is_tried_twice_and_a_small_space_ends_the_search(
    configured: Parameters, tmp_path: Path
) -> None:
    space = {
        "training": {"class_weights": ["none", "sqrt", "balanced"], "epochs": [1, 2]},
    }
    trials = search(configured, tmp_path / "search.db", space=space)

    tried = [tuple(trial["values"].items()) for trial in trials]
    assert len(tried) == len(set(tried)) == 6


def test_the_default_which_is_judged_apart_is_no_trial(
    configured: Parameters, tmp_path: Path
) -> None:
    space = {
        "training": {
            "class_weights": ["none", configured.training.class_weights],
            "epochs": {"choices": [1, 2], "when": {"training.class_weights": ["none"]}},
        }
    }

    trials = search(configured, tmp_path / "search.db", space=space)

    assert sorted([*trial["values"].values()] for trial in trials) == [["none", 1], ["none", 2]]


def test_a_budget_of_minutes_counts_what_was_spent_before_an_interruption(
    configured: Parameters, tmp_path: Path
) -> None:
    budget = {"trials": None, "minutes": 0.5, "pruning": False}  # ten trials of three seconds
    assert len(search(configured, tmp_path / "search.db", trials=7, pruning=False)) == 7

    assert len(search(configured, tmp_path / "search.db", **budget)) == 10


def test_a_budget_of_minutes_is_spent_by_trials_that_fail_too(
    configured: Parameters, tmp_path: Path
) -> None:
    def failing(number: int, variant: Variant) -> Iterator[tuple[float, float]]:
        assert number < 10
        time.sleep(0.05)
        raise ValueError("the loss is not finite")
        yield

    with pytest.raises(ValueError, match="no setting could be trained"):
        best_of(
            run_search(
                Space.read(SPACE, configured.model, configured.training),
                failing,
                parameters(configured, trials=None, minutes=0.2 / 60),
                maximize=True,
                path=tmp_path / "search.db",
            ),
            maximize=True,
        )


def test_a_setting_that_cannot_be_trained_is_noted_and_passed_over(
    configured: Parameters, tmp_path: Path
) -> None:
    space = {
        "model": {
            "text": {
                "encoder": [None],
                "scratch": {"hidden_size": {"low": 64, "high": 68}},
            },
            "fusion": {"kind": ["late"]},
        },
        "training": {"learning_rate": {"text": [1e-3]}},
    }
    trials = search(configured, tmp_path / "search.db", space=space, trials=5)

    failed = {t["values"]["model.text.scratch.hidden_size"] for t in trials if t["score"] is None}
    assert failed == {65, 66, 67}  # four heads do not divide them
    assert {trial["state"] for trial in trials} == {"failed", "judged"}


def test_a_setting_that_diverges_or_whose_processes_end_does_not_end_the_search(
    configured: Parameters, tmp_path: Path
) -> None:
    def failing(number: int, variant: Variant) -> Iterator[tuple[float, float]]:
        if number == 1:
            raise ValueError("the loss is not finite")
        if number == 3:
            raise ChildProcessError("a process of the training has ended 4 times")
        for score, seconds in judge(number, variant):
            yield (float("nan") if number == 2 else score), seconds

    trials = search(configured, tmp_path / "search.db", failing, trials=5)

    assert [trial["state"] for trial in trials] == ["judged", *["failed"] * 3, "judged"]
    assert trials[0]["seconds"] == 3
    assert 1 <= trials[2]["seconds"] < 2  # the fold that it was judged on, and what has led to it


def test_the_parameter_that_decides_is_the_most_important(
    configured: Parameters, tmp_path: Path
) -> None:
    space = Space.read(SPACE, configured.model, configured.training)
    found = run_search(
        space,
        judge,
        parameters(configured, trials=30, startup_trials=30, pruning=False),
        maximize=True,
        path=tmp_path / "search.db",
    )
    shares = importances(found, maximize=True)

    assert set(list(shares)[:2]) == {"training.class_weights", "training.epochs"}
    assert sum(shares.values()) == pytest.approx(1)
    assert importances(found[:1], maximize=True) == {}


def test_where_no_parameter_decides_none_is_called_important() -> None:
    choices = optuna.distributions.CategoricalDistribution(["none", "sqrt"])
    names = ["training.class_weights", "model.fusion.kind"]
    trials = [
        optuna.trial.create_trial(
            params=dict.fromkeys(names, choice),
            distributions=dict.fromkeys(names, choices),
            value=value,
        )
        for value in (0.9, 0.5, 0.4)
        for choice in ("none", "sqrt") * 2  # of twelve, Optuna's sums are rounded
    ]

    assert importances(trials, maximize=True) == {}

"""Settings are judged by grouped folds of the training posts, each fold trained once and kept."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from multimodal_sentiment.assessment import is_greater_better, objective_score
from multimodal_sentiment.files import mark_used
from multimodal_sentiment.fingerprint import digest
from multimodal_sentiment.learning import FoldTraining, KeptTrainings
from multimodal_sentiment.parameters import SearchParameters, Variant

from .space import Space
from .study import best_of, describe_trial, importances, run_search

logger = logging.getLogger(__name__)

DEFAULT = "default"


def search_settings(
    space: Space, kept: KeptTrainings, search: SearchParameters, folder: Path
) -> tuple[dict[str, Any], pd.DataFrame]:
    """Judge the default and many other settings.

    Args:
        space: The settings.
        kept: Trains and keeps, on folds of the training posts.
        search: The objective and the budget.
        folder: The folder of Optuna's storage, a file for each search that differs in anything but
            its budget.

    Returns:
        The search: `objective`, `folds`, `space` (in words), `default`, `trials`, the name of the
        `best` and `importances`; and the predictions of all training posts by the default and each
        trial that was judged on all folds.

    Raises:
        ValueError: If no trial was judged on all folds, or posts are too few for the folds.
    """
    maximize = is_greater_better(search.objective)
    default = space.apply({})
    kept.check(_on_folds(DEFAULT, default, search.folds))
    steps = list(_judge(kept, DEFAULT, default, search))
    score, seconds = steps[-1][0], sum(took for _, took in steps)
    logger.info("The default: %s %.4f on %d folds", search.objective, score, search.folds)
    path = folder / f"{_fingerprint(space, kept, search)}.db"
    trials = run_search(
        space,
        lambda number, variant: _judge_trial(kept, _name(number), variant, search),
        search,
        maximize=maximize,
        path=path,
    )
    mark_used(path)
    for trial in trials:  # those that were cut short are read by nobody
        variant = _variant(space, trial.params)
        if variant is not None:
            kept.mark_used(_on_folds(_name(trial.number), variant, search.folds))
    best = best_of(trials, maximize=maximize)
    described = [{"name": _name(trial.number), **describe_trial(trial)} for trial in trials]
    study = {
        "objective": search.objective,
        "folds": search.folds,
        "seed": search.seed,
        "space": {one.name: one.describe() for one in space.dimensions},
        "default": {"score": score, "seconds": round(seconds, 3), "values": space.tried_defaults()},
        "trials": described,
        "best": _name(best.number),
        "importances": importances(trials, maximize=maximize),
    }
    judged = {DEFAULT: default} | {
        one["name"]: space.apply(one["values"]) for one in described if one["state"] == "judged"
    }
    predictions = [
        kept.run(training)[0]
        for name, variant in judged.items()
        for training in _on_folds(name, variant, search.folds)
    ]
    return study, pd.concat(predictions, ignore_index=True)


def _variant(space: Space, values: Mapping[str, Any]) -> Variant | None:
    """Return the setting of a trial; None of one that failed as its values do not go together."""
    try:
        return space.apply(values)
    except ValidationError:
        return None


def _judge_trial(
    kept: KeptTrainings, name: str, variant: Variant, search: SearchParameters
) -> Iterator[tuple[float, float]]:
    """Do what `_judge` does; what a failed trial has left goes, as none goes on from it."""
    try:
        yield from _judge(kept, name, variant, search)
    except (ValueError, ChildProcessError, GeneratorExit):  # the last: it was cut short
        kept.drop_checkpoints(_on_folds(name, variant, search.folds))
        raise


def _judge(
    kept: KeptTrainings, name: str, variant: Variant, search: SearchParameters
) -> Iterator[tuple[float, float]]:
    """Yield the score on all folds so far, and the seconds that the last one took.

    Workers train on the folds at once. How many they are changes no score, and so no later draw.
    """
    answers: list[pd.DataFrame] = []
    for answer, _, seconds in kept.run_all(_on_folds(name, variant, search.folds)):
        answers.append(answer)
        known = pd.concat(answers)
        columns = [column for column in known.columns if column.startswith("p_")]
        labels = [column[2:] for column in columns]
        yield (
            objective_score(search.objective, known["tag"], known[columns].to_numpy(), labels),
            seconds,
        )


def _on_folds(name: str, variant: Variant, folds: int) -> list[FoldTraining]:
    return [
        FoldTraining(name, 0, fold, folds, variant.model, variant.training) for fold in range(folds)
    ]


def _name(number: int) -> str:
    return f"trial {number + 1}"


def _fingerprint(space: Space, kept: KeptTrainings, search: SearchParameters) -> str:
    """Return the hash of all that the trials rest on; the budget only says how many there are."""
    return digest(
        [
            kept.fingerprint(setting.model for setting in space.encoder_settings()),
            json.dumps(space.configured, sort_keys=True),
            json.dumps(search.model_dump(exclude={"trials", "minutes"})),
            version("optuna"),
        ]
    )[:20]

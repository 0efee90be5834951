"""The search itself: Optuna draws settings, folds judge them, and what is finished is kept.

Each draw depends on the finished trials and the trial's number alone. What a kill interrupts is
drawn again, and a search that is killed and started again ends with the trials that it would have
had.
"""

from __future__ import annotations

import logging
import math
import sqlite3
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.importance import PedAnovaImportanceEvaluator
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, RandomSampler, TPESampler
from optuna.storages import RDBStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from multimodal_sentiment.parameters import SearchParameters, Variant
from multimodal_sentiment.wording import one_line

from .dimensions import in_words
from .space import Space, Values

logger = logging.getLogger(__name__)

# Scores a setting on one fold after the other: the score of all folds so far, and the seconds that
# the last one took.
Judge = Callable[[int, Variant], Iterator[tuple[float, float]]]

_NAME = "search"
_PRUNED_AFTER = 5  # finished trials, before which there is no median to speak of
_BEST_SHARE = 1 / 3  # of trials, by which importances are told
_LEAST = 1e-12  # importance of all parameters, below which there is nothing but rounding
_GUIDED_DRAWS, _DRAWS = 10, 200  # of a setting that is new: guided by what is known, and at all
_STATES = {
    TrialState.COMPLETE: "judged",
    TrialState.PRUNED: "cut short",
    TrialState.FAIL: "failed",
}


def run_search(
    space: Space, judge: Judge, search: SearchParameters, *, maximize: bool, path: Path
) -> list[FrozenTrial]:
    """Try settings until the budget is spent, or the space has no more of them.

    Args:
        space: The settings.
        judge: Scores a trial's setting, given its number.
        search: The budget, the seed, and whether poor trials are cut short.
        maximize: Whether a greater score is better.
        path: The file of Optuna's storage, from which an interrupted search goes on.

    Returns:
        The trials, each with the values that were drawn in `params`, the score after each fold in
        `intermediate_values`, and `seconds` in `user_attrs`.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    direction = _direction(maximize=maximize)
    stored = _open_study(path, direction)
    finished = stored.get_trials()
    if finished:
        logger.info("%d trials were finished before: the search goes on from there", len(finished))
    while not _is_over(finished, search):
        began = time.monotonic()
        drawn = _draw(space, finished, search, direction)
        if drawn is None:
            logger.info("Every setting that could be drawn has been tried: the search ends here")
            break
        study, trial, values = drawn
        _run_trial(study, trial, values, space, judge, search, began)
        stored.add_trial(study.get_trials()[-1])
        finished = stored.get_trials()
        _log_last(finished, search, maximize=maximize)
    return finished


def best_of(trials: Sequence[FrozenTrial], *, maximize: bool) -> FrozenTrial:
    """Return the first of the trials with the best score on all folds.

    Raises:
        ValueError: If none was judged on all folds.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if not complete:
        raise ValueError(
            "search: no setting could be trained and judged on all folds: look at the trials that "
            "failed in the log, and raise search.trials or search.minutes"
        )
    scores = [trial.value if maximize else -float(trial.value or 0) for trial in complete]
    return complete[int(np.argmax(np.asarray(scores, dtype=float)))]


def importances(trials: Sequence[FrozenTrial], *, maximize: bool) -> dict[str, float]:
    """Return how much each parameter decides which trials are among the best third.

    Shares of 1, the largest first, by PED-ANOVA; none where the trials are too few or too equal to
    tell. The best tenth, which is usual, would be three of thirty trials, and the shares chance.
    Source: Watanabe et al., "PED-ANOVA", 2023.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE and trial.params]
    if len({trial.value for trial in complete}) <= 1:
        return {}
    study = optuna.create_study(direction=_direction(maximize=maximize))
    study.add_trials(complete)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = PedAnovaImportanceEvaluator(target_quantile=_BEST_SHARE)
        shares = optuna.importance.get_param_importances(
            study, evaluator=evaluator, normalize=False
        )
    total = sum(shares.values())  # of zeros but for rounding, Optuna would make equal shares
    return {name: float(share / total) for name, share in shares.items()} if total > _LEAST else {}


def describe_trial(trial: FrozenTrial) -> dict[str, Any]:
    """Return a trial as plain values: `number` counts from 1, `score` is that of `folds` folds."""
    return {
        "number": trial.number + 1,
        "state": _STATES[trial.state],
        "score": trial.value,
        "folds": len(trial.intermediate_values),
        "seconds": round(trial.user_attrs["seconds"], 3),
        "values": trial.params,
    }


def _direction(*, maximize: bool) -> StudyDirection:
    return StudyDirection.MAXIMIZE if maximize else StudyDirection.MINIMIZE


def _open_study(path: Path, direction: StudyDirection) -> Study:
    """Return the study that a file holds; a new one is there whole or not at all."""
    if not path.exists():
        unfinished = path.with_suffix(".partial")
        unfinished.unlink(missing_ok=True)
        storage = _open_storage(unfinished)
        optuna.create_study(storage=storage, study_name=_NAME, direction=direction)
        storage.engine.dispose()
        unfinished.replace(path)
    return optuna.load_study(study_name=_NAME, storage=_open_storage(path))


def _open_storage(path: Path) -> RDBStorage:
    """Return the storage in a file, whose path may hold what means something else in a URL."""
    return RDBStorage("sqlite://", engine_kwargs={"creator": partial(sqlite3.connect, path)})


def _is_over(finished: Sequence[FrozenTrial], search: SearchParameters) -> bool:
    seconds = sum(trial.user_attrs["seconds"] for trial in finished)
    enough = search.trials is not None and len(finished) >= search.trials
    late = search.minutes is not None and seconds >= 60 * search.minutes
    return enough or (late and bool(finished))


def _draw(
    space: Space,
    finished: Sequence[FrozenTrial],
    search: SearchParameters,
    direction: StudyDirection,
) -> tuple[Study, optuna.Trial, Values] | None:
    """Draw a setting that has not been tried yet, and is not the default, which is judged apart.

    Returns:
        A study in memory that knows the finished trials, the next trial in it, and its values; None
        if no new setting was found.
    """
    pruner: BasePruner = (
        MedianPruner(n_startup_trials=_PRUNED_AFTER) if search.pruning else NopPruner()
    )
    tried = [space.tried_defaults(), *(trial.params for trial in finished)]
    for attempt in range(_DRAWS):
        sampler = _sampler(search, len(finished), attempt)
        study = optuna.create_study(direction=direction, pruner=pruner, sampler=sampler)
        study.add_trials(finished)
        trial = study.ask()
        values = space.draw(trial)
        if values not in tried:
            return study, trial, values
    return None


def _sampler(search: SearchParameters, number: int, attempt: int) -> BaseSampler:
    """Return the sampler of one trial; where it keeps drawing what is known, one without guide."""
    seed = int(np.random.SeedSequence([search.seed, number, attempt]).generate_state(1)[0])
    if attempt >= _GUIDED_DRAWS:
        return RandomSampler(seed=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that group is new in Optuna
        return TPESampler(
            seed=seed, n_startup_trials=search.startup_trials, multivariate=True, group=True
        )


def _run_trial(
    study: Study,
    trial: optuna.Trial,
    values: Values,
    space: Space,
    judge: Judge,
    search: SearchParameters,
    began: float,
) -> None:
    """Judge a setting, fold by fold, until it is done or too poor to go on with.

    One that cannot be trained, such as one that diverges or needs more memory than there is, does
    not end the search. The time since it `began`, or since its last fold, counts as well: a search
    in which all fails is over at the end of its minutes too.
    """
    seconds, score, state = 0.0, 0.0, TrialState.COMPLETE
    try:
        for step, (score, took) in enumerate(judge(trial.number, space.apply(values)), start=1):
            seconds, began = seconds + took, time.monotonic()
            if not math.isfinite(score):
                raise ValueError("its predictions are not finite")
            trial.report(score, step)
            if step < search.folds and trial.should_prune():
                state = TrialState.PRUNED
                break
    except (ValueError, ChildProcessError) as error:  # pydantic's too
        state = TrialState.FAIL
        seconds += time.monotonic() - began
        trial.set_user_attr("reason", one_line(error))
    trial.set_user_attr("seconds", seconds)
    study.tell(trial, score if state == TrialState.COMPLETE else None, state=state)


def _log_last(trials: Sequence[FrozenTrial], search: SearchParameters, *, maximize: bool) -> None:
    last = trials[-1]
    number = f"Trial {last.number + 1}" + (f" of {search.trials}" if search.trials else "")
    values = ", ".join(f"{name} {in_words(value)}" for name, value in last.params.items())
    if last.state == TrialState.FAIL:
        logger.warning("%s failed: %s: %s", number, values, last.user_attrs.get("reason"))
        return
    pruned = last.state == TrialState.PRUNED
    folds = f" after {len(last.intermediate_values)} of {search.folds} folds: cut short"
    best = best_of(trials, maximize=maximize)
    logger.info(
        "%s: %s %.4f%s (best so far: %.4f, trial %d): %s",
        number,
        search.objective,
        last.value,
        folds if pruned else "",
        best.value,
        best.number + 1,
        values,
    )

"""What a search has found: whether its best setting is better than the default, and how sure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
import yaml

from multimodal_sentiment.assessment import (
    compare_settings,
    compare_variants,
    is_greater_better,
    judge_variants,
    say_p_value,
)
from multimodal_sentiment.reporting.names import OBJECTIVES
from multimodal_sentiment.wording import counted

from .space import as_tree
from .trying import DEFAULT


def judge_choice(
    study: Mapping[str, Any],
    on_folds: pd.DataFrame,
    on_validation: pd.DataFrame,
    groups: pd.Series[str],
    *,
    samples: int,
    level: float,
    seed: int,
) -> dict[str, Any]:
    """Choose between the best trial and the default by folds, and judge both on validation posts.

    The best trial is chosen if its gain on folds is more than chance would show among all trials;
    the default is kept otherwise. Validation posts choose nothing: they say what the choice is
    worth. That a better setting was found is said where both agree.

    Args:
        study: The search: `objective`, `best` (a trial's name), `trials` and `default`.
        on_folds: The predictions of the training posts, with the columns of `run_trainings`; one
            variant for the default and for each trial that was judged on all folds.
        on_validation: The predictions of the validation posts by the default and the best trial.
        groups: The group of each post, by guid; near duplicates share one.
        samples: The number of times that the bootstrap draws.
        level: The level of the intervals.
        seed: The seed of the draws.

    Returns:
        `found_better`, `chosen` (the best trial's name, or `default`), `verdict` (sentences), `n`
        validation posts; `folds` and `validation`, each with what `compare_settings` says of the
        default and the best; `optimism`, the score on folds less that on validation posts, above 0
        where it promised too much; `table` and `pair`, of the validation posts, as `judge_variants`
        and `compare_variants` give them; and the `values` of the chosen and of the best setting.
    """
    objective, best = study["objective"], study["best"]
    labels = [name[2:] for name in on_folds.columns if name.startswith("p_")]
    drawing: dict[str, Any] = {"samples": samples, "level": level, "seed": seed}
    compared = []
    for frame in (on_folds, on_validation):
        true, owners, chances = _by_variant(frame, groups, [f"p_{label}" for label in labels])
        compared.append(
            compare_settings(objective, true, chances, DEFAULT, owners, labels, **drawing)
        )
    folds, validation = ({DEFAULT: one[DEFAULT], "best": one[best]} for one in compared)
    chosen = best if folds["best"]["p_value"] <= 1 - level else DEFAULT
    true, owners, answers = _by_variant(on_validation, groups, ["predicted"])
    named = {name: answers[name].T for name in (DEFAULT, best)}  # as of one seed
    (pair,) = compare_variants(true, named, [(best, DEFAULT)], owners, labels, **drawing)
    table = judge_variants(true, named, owners, labels, **drawing)
    sign = 1 if is_greater_better(objective) else -1
    values = next(trial["values"] for trial in study["trials"] if trial["name"] == best)
    result = {
        "objective": objective,
        "found_better": chosen == best and validation["best"]["interval"][0] > 0,
        "chosen": chosen,
        "best": best,
        "tried": len(study["trials"]),
        "judged": len(compared[0]) - 1,
        "n": len(true),
        "folds": folds,
        "validation": validation,
        "optimism": {
            name: sign * (folds[name]["score"] - validation[name]["score"])
            for name in (DEFAULT, "best")
        },
        "table": table,
        "pair": pair,
        "values": {"chosen": values if chosen == best else {}, "best": values},
        "level": level,
    }
    return {"verdict": _sentences(result), **result}


def write_parameters(result: Mapping[str, Any]) -> str:
    """Return the chosen setting as a file of parameters, with what is known of it as comments."""
    chosen = result["values"]["chosen"]
    best = yaml.safe_dump(as_tree(result["values"]["best"]), sort_keys=False)
    lines = [f"# {sentence}" for sentence in result["verdict"]]
    if chosen:
        use = [
            "# Copy this file into conf/local. For an environment (--env), write its values into",
            "# conf/ENVIRONMENT/parameters.yml instead, in the place of those that stand there.",
            "# Kedro refuses a parameter in two files of a folder: take it out of the other one.",
        ]
        return "\n".join([*lines, *use, best])
    unused = [f"# {line}" for line in best.splitlines()]
    return "\n".join(
        [
            *lines,
            f"# So nothing is changed here. {result['best'].capitalize()} had:",
            *unused,
            "{}",
            "",
        ]
    )


def _by_variant(
    predictions: pd.DataFrame, groups: pd.Series[str], columns: list[str]
) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
    """Return the posts' tags and groups, and for each variant some columns, (posts, columns)."""
    default = predictions[predictions["variant"] == DEFAULT]
    values = {
        str(name): own.set_index("guid").loc[default["guid"], columns].to_numpy()
        for name, own in predictions.groupby("variant", sort=False)
    }
    return default["tag"].to_numpy(), groups.loc[default["guid"]].to_numpy(), values


def _sentences(result: Mapping[str, Any]) -> list[str]:
    """Say in words what was found, what it is worth, and how far the search's own score is off."""
    objective, best = result["objective"], result["best"]
    folds, validation, optimism = result["folds"], result["validation"], result["optimism"]
    p_value, gain = folds["best"]["p_value"], validation["best"]["gain"]
    low, high = validation["best"]["interval"]
    sure = (
        f"{100 * result['level']:g}% interval {_more(objective, low)} to {_more(objective, high)}"
    )
    chosen = result["chosen"] == best
    verdict = (
        f"The search found a setting that is better than the default: {best}."
        if result["found_better"]
        else f"The search chose {best}, but validation posts do not confirm that it is better than "
        "the default."
        if chosen
        else "The search found nothing better than the default: among so many settings, the best "
        "may have such a lead by chance."
        if folds["best"]["gain"] > 0
        else "The search found nothing better than the default: no other setting did better on the "
        "folds."
    )
    return [
        verdict,
        f"On folds of the training posts, {best} has {_named(objective, folds['best'])}, the "
        f"default {_score(folds[DEFAULT])}: {_more(objective, folds['best']['gain'], unit=True)} "
        f"({say_p_value(p_value)}, corrected for the "
        f"{counted(result['judged'], 'setting')} judged on all folds, of {result['tried']} tried).",
        f"On {counted(result['n'], 'validation post')} that chose nothing, {best} has "
        f"{_named(objective, validation['best'])}, the default {_score(validation[DEFAULT])}: "
        f"{_more(objective, gain, unit=True)} ({sure}).",
        f"The score of {best} on folds is {_off(objective, optimism['best'])} than on validation "
        f"posts; that of the default, which nobody chose, is "
        f"{_off(objective, optimism[DEFAULT])}.",
    ]


def _named(objective: str, one: Mapping[str, Any]) -> str:
    article = "an" if objective == "accuracy" else "a"
    return f"{article} {OBJECTIVES[objective]} of {_score(one)}"


def _score(one: Mapping[str, Any]) -> str:
    return f"{one['score']:.3f}"


def _more(objective: str, gain: float, *, unit: bool = False) -> str:
    """Say a gain with its sign; of a loss, how much less it is."""
    if objective == "log_loss":
        return f"{gain:+.3f}" + (" nats better" if unit else "")
    return f"{100 * gain:+.1f}" + (" points" if unit else "")


def _off(objective: str, optimism: float) -> str:
    size = (
        f"{abs(optimism):.3f} nats"
        if objective == "log_loss"
        else f"{100 * abs(optimism):.1f} points"
    )
    return f"{size} {'better' if optimism >= 0 else 'worse'}"

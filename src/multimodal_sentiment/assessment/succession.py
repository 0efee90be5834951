"""Whether a new model is better than the one that answered before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import FEWEST_GROUPS
from .judging import compare_answers
from .summary import say_p_value

_WORDS = {
    "better": "is better than {}, and that is sure",
    "worse": "is WORSE than {}, and that is sure",
    "no different": "does not differ in a way that matters from {}",
    "cannot tell": "cannot be told apart from {}",
}


def compare_with_former(
    true: ArrayLike,
    predicted: ArrayLike,
    former: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    *,
    name: str,
    margin: float,
    **drawing: Any,
) -> dict[str, Any]:
    """Compare a model with the former one on posts that neither has learnt from.

    Args:
        true: Tags of shape (n,).
        predicted: The model's answers, of shape (n,).
        former: The former model's, of shape (n,).
        groups: Each post's group, of shape (n,); near duplicates share one.
        labels: Every label a tag may be.
        name: The former model's, for the sentence.
        margin: The largest difference of accuracy that does not matter.
        **drawing: `samples`, `level` and `seed` of the bootstrap over groups.

    Returns:
        `n` and `verdict` (`better`, `worse`, `no different`, `cannot tell`, or `not compared` where
        there are too few groups); where they are compared, each model's `accuracies`, and
        `accuracy`, `macro_f1` and `mcnemar` as `compare_variants` gives them, new minus former; and
        a `sentence` that says it.
    """
    truth = np.asarray(true, dtype=object)
    units = len(np.unique(np.asarray(groups)))
    if units < FEWEST_GROUPS:
        said = (
            f"The new model cannot be compared with {name}: too few validation posts are new to "
            f"both: {units:,}, twins counted once."
        )
        return {"n": len(truth), "verdict": "not compared", "sentence": said}
    answers = {
        "new": np.asarray(predicted, dtype=object),
        "former": np.asarray(former, dtype=object),
    }
    (pair,) = compare_answers(truth, answers, groups, labels, margin=margin, **drawing)
    accuracies = {which: float((tags == truth).mean()) for which, tags in answers.items()}
    return {
        "n": len(truth),
        "verdict": pair["verdict"],
        "accuracies": accuracies,
        "sentence": _say(pair, name, len(truth), accuracies, drawing["level"]),
    } | {measure: pair[measure] for measure in ("accuracy", "macro_f1", "mcnemar")}


def _say(
    pair: Mapping[str, Any], name: str, count: int, accuracies: Mapping[str, float], level: float
) -> str:
    """Say in a sentence how a model compares with the former one, which has this name."""
    test = pair["accuracy"]
    low, high = test["interval"]
    return (
        f"The new model {_WORDS[pair['verdict']].format(name)}: on {count:,} validation posts that "
        f"neither has learnt from, it has an accuracy of {accuracies['new']:.3f}, the former one "
        f"{accuracies['former']:.3f}, {100 * test['difference']:+.1f} points ({100 * level:g}% "
        f"interval {100 * low:+.1f} to {100 * high:+.1f}, {say_p_value(test['p_adjusted'])})."
    )

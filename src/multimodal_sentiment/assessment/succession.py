"""Whether a new model is better than the one that answered before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .bootstrap import FEWEST_GROUPS
from .paired_tests import compare_variants
from .summary import judge_difference, say_p_value

_NEW, _FORMER = "new", "former"


def compare_with_former(
    true: ArrayLike,
    predicted: ArrayLike,
    former: ArrayLike,
    groups: ArrayLike,
    labels: Sequence[str],
    *,
    name: str,
    samples: int,
    level: float,
    margin: float,
    seed: int,
) -> dict[str, Any]:
    """Compare a model with the former one on posts that neither has learnt from.

    Args:
        true: Tags of shape (n,).
        predicted: The model's answers, of shape (n,).
        former: The former model's, of shape (n,).
        groups: Each post's group, of shape (n,); near duplicates share one.
        labels: Every label a tag may be.
        name: The former model's, for the sentence.
        samples: The number of times that the groups are drawn anew.
        level: The level of the intervals.
        margin: The largest difference of accuracy that does not matter.
        seed: The seed of the draws.

    Returns:
        `n` and `verdict` (`better`, `worse`, `no different`, `cannot tell`, or `not compared` where
        there are too few groups); where they are compared, each model's `accuracies`, and
        `accuracy`, `macro_f1` and `mcnemar` as `compare_variants` gives them, new minus former; and
        a `sentence` that says it.
    """
    truth = np.asarray(true, dtype=object)
    count = len(truth)
    units = len(np.unique(np.asarray(groups)))
    if units < FEWEST_GROUPS:
        twice = ", counting twins once" if units < count else ""
        said = (
            f"The new model cannot be compared with {name}: only {units:,} validation "
            f"{'post is' if units == 1 else 'posts are'} new to both{twice}."
        )
        return {"n": count, "verdict": "not compared", "sentence": said}
    answers = {
        which: np.asarray(tags, dtype=object)
        for which, tags in ((_NEW, predicted), (_FORMER, former))
    }
    (pair,) = compare_variants(
        truth,
        {which: tags[None] for which, tags in answers.items()},
        [(_NEW, _FORMER)],
        groups,
        labels,
        samples=samples,
        level=level,
        seed=seed,
    )
    test = pair["accuracy"]
    outcome = judge_difference(test, units, level, margin)
    accuracies = {which: float((tags == truth).mean()) for which, tags in answers.items()}
    sentence = _say(outcome, name, count, accuracies, test, level)
    return {"n": count, "verdict": outcome, "accuracies": accuracies, "sentence": sentence} | {
        measure: pair[measure] for measure in ("accuracy", "macro_f1", "mcnemar")
    }


def _say(
    outcome: str,
    name: str,
    count: int,
    accuracies: Mapping[str, float],
    test: Mapping[str, Any],
    level: float,
) -> str:
    """Say in a sentence how a model compares with the former one, which has this name."""
    low, high = test["interval"]
    words = {
        "better": f"is better than {name}, and that is sure",
        "worse": f"is WORSE than {name}, and that is sure",
        "no different": f"does not differ in a way that matters from {name}",
        "cannot tell": f"cannot be told apart from {name}",
    }[outcome]
    return (
        f"The new model {words}: on {count:,} validation posts that neither has learnt from, it "
        f"has an accuracy of {accuracies[_NEW]:.3f}, the former one {accuracies[_FORMER]:.3f}, "
        f"{100 * test['difference']:+.1f} points ({100 * level:g}% interval {100 * low:+.1f} to "
        f"{100 * high:+.1f}, {say_p_value(test['p_adjusted'])})."
    )

"""How a search went."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from multimodal_sentiment.wording import counted

from ..names import OBJECTIVES, write_score
from .axes import count_axis, linear_axis
from .canvas import Chart

_STATES = {"judged": "first", "cut short": "neither"}


def search_history(study: Mapping[str, Any]) -> Chart | None:
    """Draw the score of each trial in their order, the best so far, and the default's.

    Args:
        study: `objective`, `default` with its `score`, and `trials`, each with `number`, `state`
            (`judged` on all folds, `cut short` or `failed`), `name`, `score` and `folds`.
    """
    objective = study["objective"]
    trials = [trial for trial in study["trials"] if trial["score"] is not None]
    if not trials:
        return None
    default = study["default"]["score"]
    scores = [default, *(trial["score"] for trial in trials)]
    room = 0.05 * (max(scores) - min(scores)) or 0.01
    last = max(trial["number"] for trial in study["trials"])
    chart = Chart(
        count_axis(0, last + 1, "trial"),
        linear_axis(min(scores) - room, max(scores) + room, f"{OBJECTIVES[objective]} on folds"),
    )
    chart.line([0, last + 1], [default, default], "limit")
    judged = [trial for trial in trials if trial["state"] == "judged"]
    if judged:
        better = min if objective == "log_loss" else max
        best = [*accumulate((trial["score"] for trial in judged), better)]
        edges = [*(trial["number"] for trial in judged), last + 1]
        chart.steps(edges, best, "second", "best so far")
    for trial in trials:
        folds = counted(trial["folds"], "fold")
        hint = f"{trial['name']}: {write_score(trial['score'], objective)} on {folds}"
        chart.points([trial["number"]], [trial["score"]], _STATES[trial["state"]], hint)
    return chart.described(
        "Trials in their order",
        "Each dot is a setting. The dashed line is the default.",
        f"{OBJECTIVES[objective]} on folds of {len(trials)} trials; the default has "
        f"{write_score(default, objective)}.",
        [*((style, state) for state, style in _STATES.items()), ("second", "best so far")],
    )

"""Write the report of a search: what it found, and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import charts
from .names import MEASURES, OBJECTIVES
from .templating import render


def write_search_page(search: Mapping[str, Any], study: Mapping[str, Any], parameters: str) -> str:
    """The report of a search.

    Args:
        search: What was found, as the pipeline's `judge_search` gives it.
        study: The trials, as its `try_settings` gives them.
        parameters: The file of the chosen parameters.

    Returns:
        HTML that asks for nothing from any network, and runs nothing.
    """
    objective = OBJECTIVES[search["objective"]]
    write = "{:.3f}".format if search["objective"] == "log_loss" else "{:.1%}".format
    default = {"name": "default", "state": "judged", "folds": study["folds"], **study["default"]}
    return render(
        "search.html",
        search=search,
        study=study,
        objective=objective,
        tone="good" if search["found_better"] else "unsure",
        scores=[_scores(search, measure, title) for measure, title in MEASURES.items()],
        trials=[
            {
                **trial,
                "score": "" if trial["score"] is None else write(trial["score"]),
                "settings": _settings(trial["values"]),
            }
            for trial in (default, *study["trials"])
        ],
        parameters=parameters,
        history=charts.search_history(study, objective, write),
        importances={_short(name): share for name, share in study["importances"].items()},
    )


def _scores(search: Mapping[str, Any], measure: str, title: str) -> charts.DotPlot:
    return charts.dot_plot(
        title,
        [
            charts.Estimate(
                name,
                row[measure],
                row["intervals"][measure],
                "chosen" if name == search["chosen"] else "",
                "first" if name == search["chosen"] else "",
            )
            for name, row in search["table"].items()
        ],
    )


def _settings(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        _short(name): f"{one:.4g}" if isinstance(one, float) else json.dumps(one).strip('"')
        for name, one in values.items()
    }


def _short(name: str) -> str:
    return name.removeprefix("model.").removeprefix("training.")

"""Write the report of a search: what it found, and what that is worth."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from . import charts
from .names import OBJECTIVES, short_parameter, write_score
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
    objective = search["objective"]
    default = {"name": "default", "state": "judged", "folds": study["folds"], **study["default"]}
    return render(
        "search.html",
        search=search,
        study=study,
        objective=OBJECTIVES[objective],
        tone="good" if search["found_better"] else "unsure",
        scores=charts.score_plots(
            (f"{name}, chosen", row, "first") if name == search["chosen"] else (name, row, "")
            for name, row in search["table"].items()
        ),
        trials=[
            {
                **trial,
                "score": "" if trial["score"] is None else write_score(trial["score"], objective),
                "settings": _settings(trial["values"]),
            }
            for trial in (default, *study["trials"])
        ],
        parameters=parameters,
        history=charts.search_history(study),
        importances={short_parameter(name): it for name, it in study["importances"].items()},
    )


def _settings(values: Mapping[str, Any]) -> dict[str, str]:
    return {
        short_parameter(name): f"{one:.4g}"
        if isinstance(one, float)
        else json.dumps(one).strip('"')
        for name, one in values.items()
    }

"""A search that has found something, as its pipeline writes it down."""

from __future__ import annotations

from typing import Any

from .reporting.conftest import scores

STUDY: dict[str, Any] = {
    "objective": "accuracy",
    "folds": 3,
    "seed": 0,
    "space": {"model.fusion.kind": "pool, gated", "training.weight_decay": "0.001 to 0.3"},
    "default": {"score": 0.7, "seconds": 3.0, "values": {"model.fusion.kind": "pool"}},
    "trials": [
        {
            "number": number,
            "name": f"trial {number}",
            "state": state,
            "score": score,
            "folds": folds,
            "seconds": 2.0,
            "values": {"model.fusion.kind": "gated", "training.weight_decay": 0.123456},
        }
        for number, state, score, folds in [
            (1, "judged", 0.6, 3),
            (2, "cut short", 0.5, 1),
            (3, "failed", None, 0),
            (4, "judged", 0.8, 3),
        ]
    ],
    "importances": {"training.weight_decay": 0.75, "model.fusion.kind": 0.25},
}
SEARCH: dict[str, Any] = {
    "objective": "accuracy",
    "found_better": True,
    "chosen": "trial 4",
    "best": "trial 4",
    "tried": 4,
    "judged": 2,
    "n": 1000,
    "level": 0.95,
    "verdict": ["The search found a better setting: trial 4.", "On folds it has 0.800."],
    "table": {"default": scores(0.7, (0.68, 0.72)), "trial 4": scores(0.78, (0.76, 0.8))},
    "protocol": {
        "posts": {"training": 4000, "validation": 1000},
        "chosen": "by folds",
        "judged": "once",
        "validation_sha256": "ab" * 32,
    },
}

"""Training and inference, in miniature."""

from __future__ import annotations

import os
import sys
import time
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.pipeline import Node, Pipeline


def count_rows(source: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"rows": [len(source)]})


def train(counts: pd.DataFrame, scratch: Path, trouble: dict[str, Any]) -> dict[str, int]:
    (scratch / "state").touch()
    if trouble["fork"]:
        child = os.fork()
        if not child:
            sys.exit()
        os.waitpid(child, 0)
    if trouble["worker"]:
        get_context("fork").Process(target=hold_on, args=[Path(trouble["hold"])]).start()
    time.sleep(trouble["sleep"])
    if trouble["hold"]:
        hold_on(Path(trouble["hold"]))
    if trouble["error"]:
        raise {"value": ValueError, "key": KeyError}[trouble["error"]]("tag [x]\nis unknown")
    if trouble["interrupt"]:
        raise KeyboardInterrupt
    return {"rows": int(counts["rows"].iloc[0]), "ballast": "x" * trouble["ballast"]}


def hold_on(mark: Path) -> None:
    """Show a test that it can do something meanwhile, until it takes the mark away."""
    mark.touch()
    end = time.monotonic() + 60
    while mark.exists() and time.monotonic() < end:
        time.sleep(0.02)


def judge(model: dict[str, int]) -> dict[str, Any]:
    return {
        "accuracy": 0.7314,
        "accuracy_interval": [0.7, 0.76],
        "macro_f1": 0.571,
        "baselines": {
            "majority": {"accuracy": 0.597, "macro_f1": 0.25},
            "tfidf": {"accuracy": 0.671, "macro_f1": 0.5},
        },
        "rows": model["rows"],
    }


def predict(model: dict[str, int]) -> tuple[pd.DataFrame, pd.DataFrame]:
    predictions = pd.DataFrame({"rows": [model["rows"]]})
    return predictions, predictions


def audit(counts: pd.DataFrame, model: dict[str, int]) -> bool:
    return bool(counts["rows"].iloc[0] == model["rows"])


def register_pipelines() -> dict[str, Pipeline]:
    counting = Pipeline([Node(count_rows, "source", "counts", name="count_rows")])
    fitting = Pipeline(
        [
            Node(train, ["counts", "scratch", "params:trouble"], "fusion_model", name="train"),
            Node(judge, "fusion_model", "metrics", name="judge"),
        ]
    )
    inference = Pipeline(
        [Node(predict, "fusion_model", ["predictions", "submission_file"], name="predict")]
    )
    auditing = Pipeline([Node(audit, ["counts", "fusion_model"], "agreement", name="audit")])
    return {
        "__default__": counting + fitting + inference,
        "training": counting + fitting,
        "counting": counting,
        "fitting": fitting,
        "inference": inference,
        "auditing": auditing,
        "copying": Pipeline([Node(audit, ["counts", "metrics"], "fusion_model", name="copy")]),
    }

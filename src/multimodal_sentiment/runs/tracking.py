"""Hands a finished run on to MLflow, where `MLFLOW_TRACKING_URI` names a place for it."""

from __future__ import annotations

import importlib.util
import json
import logging
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from multimodal_sentiment.config_loader import flatten

from .closing_summary import COMPARISON, METRICS, MODEL, PAGES
from .records import Record

logger = logging.getLogger(__name__)

PLACE = "MLFLOW_TRACKING_URI"

_EXPERIMENT = "multimodal_sentiment"
_LONGEST = 60.0  # s that a tracking server may take
_MOST_SHOWN = 200  # characters of a reason
_DRIFT = "drift"
_SENT = (*PAGES, "model_card", METRICS, _DRIFT, COMPARISON)
# What MLflow's client does where the user does not say: it would try for minutes.
_SETTINGS = {"MLFLOW_HTTP_REQUEST_TIMEOUT": "10", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
_NO_TELEMETRY = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def track_run(record: Record, places: Mapping[str, Path]) -> None:
    """Record a run that is complete, once; whatever fails is a line in the log.

    Another process does it, so that the run waits no longer than it has to, and neither its
    libraries nor its threads are this process's.

    Args:
        record: The record of the run.
        places: The file or folder of the version that it wrote, by dataset.
    """
    if importlib.util.find_spec("mlflow") is None:
        logger.warning(
            '%s is set, but MLflow is missing: pip install "multimodal-sentiment[mlflow]"', PLACE
        )
        return
    path = os.pathsep.join(filter(None, sys.path))
    try:
        run = describe_run(record, places)
        done = subprocess.run(
            [sys.executable, "-m", "multimodal_sentiment.runs.mlflow_client"],
            input=json.dumps(run),
            env=_SETTINGS | os.environ | _NO_TELEMETRY | {"PYTHONPATH": path},
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired:
        _warn(record, f"no answer within {_LONGEST:.0f} s")
    except (OSError, ValueError) as error:
        _warn(record, str(error))
    else:
        if done.returncode:
            said = done.stderr.strip().splitlines()
            _warn(record, said[-1] if said else f"exit status {done.returncode}")
        else:
            run_id = done.stdout.split()[-1]  # after what MLflow itself says
            logger.info("%s is recorded in MLflow as %s", record.name, run_id)


def describe_run(record: Record, places: Mapping[str, Path]) -> dict[str, Any]:
    """Return what MLflow is told of a run.

    Args:
        record: The record of the run.
        places: The file or folder of the version that it wrote, by dataset.

    Returns:
        The name of the `experiment`; the `name` of the run, which is the version that it saved
        under; when it `started` and `ended`, ISO 8601; all `parameters`, by their path; `metrics`,
        of those with an interval also its ends, as `NAME.low` and `NAME.high`; `tags`, where its
        code and its model are; `artifacts`, the files that are sent.
    """
    model = places.get(MODEL)
    tags = {
        "pipelines": "+".join(record.pipelines),
        "mlflow.source.type": "PROJECT",
        "mlflow.source.name": record.command or "",
        "mlflow.source.git.commit": record.git or "",
        "model_version": record.run if model else record.reads.get(MODEL) or "",
        "model_folder": str(model.absolute()) if model else "",
    }
    metrics: dict[str, float] = {}
    if METRICS in places:
        metrics |= dict(_training_metrics(json.loads(places[METRICS].read_text("utf-8"))))
    if _DRIFT in places:
        metrics |= dict(_drift_metrics(json.loads(places[_DRIFT].read_text("utf-8"))))
    return {
        "experiment": os.environ.get("MLFLOW_EXPERIMENT_NAME") or _EXPERIMENT,
        "name": record.run,
        "started": record.started,
        "ended": record.ended or record.started,
        "parameters": {name: _written(value) for name, value in flatten(record.parameters)},
        "metrics": {name: value for name, value in metrics.items() if math.isfinite(value)},
        "tags": {name: value for name, value in tags.items() if value},
        "artifacts": [str(places[name]) for name in _SENT if name in places],
    }


def _training_metrics(metrics: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield the scores of the model and of the baselines, with their intervals."""
    yield from _scores(metrics, "")
    for label, scores in metrics.get("per_class", {}).items():
        interval = metrics.get("intervals", {}).get("per_class", {}).get(label)
        yield from _with_interval(f"f1.{label}", scores["f1"], interval)
        yield f"precision.{label}", scores["precision"]
        yield f"recall.{label}", scores["recall"]
    for name, baseline in metrics.get("baselines", {}).items():
        yield from _scores(baseline, f"{name}.")
    for when, calibration in metrics.get("calibration", {}).items():
        if isinstance(calibration, Mapping) and "expected_calibration_error" in calibration:
            yield f"calibration_error.{when}", calibration["expected_calibration_error"]


def _scores(metrics: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, float]]:
    intervals = {"accuracy": metrics.get("accuracy_interval")} | metrics.get("intervals", {})
    for name in ("accuracy", "macro_f1", "weighted_f1"):
        if name in metrics:
            yield from _with_interval(prefix + name, metrics[name], intervals.get(name))


def _drift_metrics(drift: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Yield how unlike new posts are, and the shares of the tags that were predicted."""
    yield "new_posts", drift["posts"]
    if drift["p_value"] is not None:
        yield "drift.p_value", drift["p_value"]
        yield "drift.unlike", float(drift["unlike"])
    for label, tag in drift["predicted_tags"].items():
        yield from _with_interval(f"predicted.{label}", tag["share"], tag["interval"])


def _with_interval(name: str, value: float, interval: Any) -> Iterator[tuple[str, float]]:
    yield name, value
    if interval:
        yield f"{name}.low", interval[0]
        yield f"{name}.high", interval[1]


def _written(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _warn(record: Record, reason: str) -> None:
    shown = " ".join(reason.split())[:_MOST_SHOWN]
    logger.warning("%s is complete, but not recorded in MLflow: %s", record.name, shown)

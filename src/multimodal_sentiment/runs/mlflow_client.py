"""Sends a run to MLflow: reads it as JSON, says which run it has become there.

This is run as a process of its own, `python -m multimodal_sentiment.runs.mlflow_client`: nothing
else imports MLflow.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, TypeVar

from multimodal_sentiment.wording import first_line

_AT_ONCE = 100  # parameters, or metrics, in one request
_LONGEST = 6000  # characters of a parameter

Entry = TypeVar("Entry")


def main() -> None:
    """Record the run on standard input; print its id."""
    try:
        sys.stdout.write(send_run(json.load(sys.stdin)) + "\n")
    except Exception as error:  # whatever it is, the caller shows its line
        sys.exit(f"{type(error).__name__}: {first_line(error)}")


def send_run(run: dict[str, Any]) -> str:
    """Record a run, as `tracking.describe_run` describes it; return the id that MLflow gives it."""
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.tracking import MlflowClient

    client = MlflowClient()
    experiment = client.get_experiment_by_name(run["experiment"])
    place = experiment.experiment_id if experiment else client.create_experiment(run["experiment"])
    began, ended = _milliseconds(run["started"]), _milliseconds(run["ended"])
    run_id: str = client.create_run(place, start_time=began, run_name=run["name"]).info.run_id
    parameters = [Param(_name(name), value[:_LONGEST]) for name, value in run["parameters"].items()]
    metrics = [Metric(_name(name), value, ended, 0) for name, value in run["metrics"].items()]
    for some in _parts(parameters):
        client.log_batch(run_id, params=some)
    for some in _parts(metrics):
        client.log_batch(run_id, metrics=some)
    client.log_batch(run_id, tags=[RunTag(name, value) for name, value in run["tags"].items()])
    for path in run["artifacts"]:
        client.log_artifact(run_id, path)
    client.set_terminated(run_id, "FINISHED", ended)
    return run_id


def _name(name: str) -> str:
    """Return a name that MLflow takes."""
    return re.sub(r"[^/\w.\- :]", "_", name)


def _milliseconds(moment: str) -> int:
    return round(datetime.fromisoformat(moment).timestamp() * 1000)


def _parts(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    for start in range(0, len(entries), _AT_ONCE):
        yield entries[start : start + _AT_ONCE]


if __name__ == "__main__":
    main()

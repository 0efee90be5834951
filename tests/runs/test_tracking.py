"""Finished runs are recorded in MLflow, where that is asked for."""

from __future__ import annotations

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from multimodal_sentiment.runs.records import Record
from multimodal_sentiment.runs.tracking import describe_run

NAMED = "MLFLOW_TEST_ENVIRONMENT"  # a virtual environment that holds MLflow


def record(**changes: Any) -> Record:
    values: dict[str, Any] = {
        "run": "2026-01-02T00.00.00.000Z",
        "pipelines": ["training"],
        "command": "kedro run --pipeline=training",
        "env": None,
        "parameters": {"training": {"epochs": 3, "resume": False}, "raw": "posts"},
        "reads": {},
        "writes": {},
        "git": "abc",
        "packages": {},
        "started": "2026-01-02T00:00:00+00:00",
        "ended": "2026-01-02T00:01:00+00:00",
    }
    return Record(**(values | changes))


def test_what_is_said_of_a_training(tmp_path):
    metrics = {
        "accuracy": 0.7,
        "accuracy_interval": [0.6, 0.8],
        "macro_f1": 0.5,
        "per_class": {"good": {"f1": 0.9, "precision": 0.8, "recall": 1.0}},
        "intervals": {"macro_f1": [0.4, 0.6], "per_class": {"good": [0.8, 0.95]}},
        "baselines": {"tfidf": {"accuracy": 0.65, "accuracy_interval": [0.5, 0.75]}},
        "calibration": {"temperature": 2, "after": {"expected_calibration_error": 0.1}},
    }
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(metrics))
    report = tmp_path / "report.html"
    places = {"metrics": path, "fusion_model": tmp_path / "model", "report": report}
    run = describe_run(record(), places)

    assert run["metrics"] == {
        "accuracy": 0.7,
        "accuracy.low": 0.6,
        "accuracy.high": 0.8,
        "macro_f1": 0.5,
        "macro_f1.low": 0.4,
        "macro_f1.high": 0.6,
        "f1.good": 0.9,
        "f1.good.low": 0.8,
        "f1.good.high": 0.95,
        "precision.good": 0.8,
        "recall.good": 1.0,
        "tfidf.accuracy": 0.65,
        "tfidf.accuracy.low": 0.5,
        "tfidf.accuracy.high": 0.75,
        "calibration_error.after": 0.1,
    }
    assert run["parameters"] == {"training.epochs": "3", "training.resume": "false", "raw": "posts"}
    assert run["artifacts"] == [str(report), str(path)]
    assert run["tags"]["mlflow.source.git.commit"] == "abc"
    assert run["tags"]["model_folder"] == str(tmp_path / "model")
    assert run["tags"]["model_version"] == "2026-01-02T00.00.00.000Z"


def test_what_is_said_of_an_inference(tmp_path):
    tag = {"posts": 1, "share": 0.25, "interval": [0.1, 0.5]}
    drift = {"posts": 4, "p_value": 0.5, "unlike": False, "predicted_tags": {"good": tag}}
    (tmp_path / "drift.json").write_text(json.dumps(drift))
    run = describe_run(record(reads={"fusion_model": "2025"}), {"drift": tmp_path / "drift.json"})

    assert run["tags"]["model_version"] == "2025"
    assert run["metrics"] == {
        "new_posts": 4,
        "drift.p_value": 0.5,
        "drift.unlike": 0.0,
        "predicted.good": 0.25,
        "predicted.good.low": 0.1,
        "predicted.good.high": 0.5,
    }


def test_where_it_is_not_asked_for_nothing_is_imported(project, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delitem(sys.modules, "multimodal_sentiment.runs.tracking", raising=False)
    project.run("counting")

    assert "multimodal_sentiment.runs.tracking" not in sys.modules
    assert "mlflow" not in sys.modules


@pytest.mark.skipif(bool(importlib.util.find_spec("mlflow")), reason="MLflow is installed")
def test_without_the_extra_one_line_says_what_is_missing(project, monkeypatch, caplog):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    project.run("counting")

    said = [line for line in caplog.messages if "MLflow" in line]
    missing = 'MLflow is missing: pip install "multimodal-sentiment[mlflow]"'
    assert said == [f"MLFLOW_TRACKING_URI is set, but {missing}"]
    assert project.records()[-1]["outcome"] == "completed"


@dataclass
class Server:
    """A tracking server on loopback, and how commands reach its client."""

    url: str
    paths: str

    def ask(self, path: str, **question: Any) -> dict[str, Any]:
        body = json.dumps(question).encode() if question else None
        headers = {"Content-Type": "application/json"}
        address = f"{self.url}/api/2.0/{path}"
        request = urllib.request.Request(address, body, headers)  # noqa: S310 - our own server
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - the same
            return json.load(answer)

    def runs(self) -> list[dict[str, Any]]:
        name = "experiments/get-by-name?experiment_name=multimodal_sentiment"
        experiment = self.ask(f"mlflow/{name}")["experiment"]["experiment_id"]
        return self.ask("mlflow/runs/search", experiment_ids=[experiment]).get("runs", [])


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment that holds MLflow, and nothing of this project."""
    if named := os.environ.get(NAMED):
        return Path(named)
    place = tmp_path_factory.mktemp("mlflow") / "environment"
    for command in (
        [sys.executable, "-m", "venv", place],
        [place / "bin" / "python", "-m", "pip", "install", "-q", "mlflow>=3.10,<4"],
    ):
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip failed"])[-1]
            pytest.skip(
                f"no environment with MLflow can be made here: {reason}: name one by {NAMED}"
            )
    return place


@pytest.fixture(scope="module")
def server(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = tmp_path_factory.mktemp("server")
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [environment / "bin" / "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{place}/mlflow.db"]
    command += ["--artifacts-destination", str(place / "artifacts")]
    quiet = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true"}
    quiet.pop("PYTHONPATH", None)
    # The client of that environment, behind all that this one has.
    client = next(iter((environment / "lib").glob("python*/site-packages")))
    (place / "sitecustomize.py").write_text(f"import sys\nsys.path.append({str(client)!r})\n")
    with (place / "log").open("w") as log:
        process = subprocess.Popen(command, cwd=place, env=quiet, stdout=log, stderr=log)
    try:
        running = Server(f"http://127.0.0.1:{port}", str(place))
        wait_for(f"{running.url}/health", process, place / "log")
        yield running
    finally:
        process.terminate()
        process.wait(30)


def wait_for(url: str, process: subprocess.Popen[Any], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - our own server
            return
        except OSError:
            time.sleep(0.3)
    pytest.fail(log.read_text())


def run_tracked(project: Any, server: Server, url: str) -> str:
    """Run a training as somebody does who tracks, and return what it said."""
    source = Path(__file__).parents[2] / "src"
    settings = [f"PYTHONPATH={source}:{server.paths}", f"MLFLOW_TRACKING_URI={url}"]
    status, output = project.kedro(
        "run", "--pipeline=training", wrapper=lambda command: ["env", *settings, *command]
    )
    assert status == 0, output
    assert project.records()[-1]["outcome"] == "completed"
    return output


@pytest.mark.slow
def test_a_finished_run_is_recorded_once(project, server):
    output = run_tracked(project, server, server.url)

    (run,) = server.runs()
    (record,) = project.records()
    info, data = run["info"], run["data"]
    assert (info["run_name"], info["status"]) == (record["run"], "FINISHED")
    assert f"is recorded in MLflow as {info['run_id']}" in output
    metrics = {it["key"]: it["value"] for it in data["metrics"]}
    assert metrics["accuracy"] == 0.7314
    assert (metrics["accuracy.low"], metrics["accuracy.high"]) == (0.7, 0.76)
    assert metrics["tfidf.accuracy"] == 0.671
    parameters = {it["key"]: it["value"] for it in data["params"]}
    assert (parameters["trouble.sleep"], parameters["raw"]) == ("0", "data/01_raw")
    tags = {it["key"]: it["value"] for it in data["tags"]}
    model = project.data / "06_models/fusion_model.json" / record["run"] / "fusion_model.json"
    assert tags["model_folder"] == str(model)
    assert tags["pipelines"] == "training"
    listed = server.ask(f"mlflow/artifacts/list?run_id={info['run_id']}")
    assert [it["path"] for it in listed["files"]] == ["metrics.json"]


@pytest.mark.slow
def test_a_server_that_is_not_there_is_one_line(project, server):
    output = run_tracked(project, server, "http://127.0.0.1:9")

    (line,) = [line for line in output.splitlines() if "WARNING" in line]
    assert "is complete, but not recorded in MLflow" in line
    assert "Traceback" not in output


@pytest.mark.slow
def test_a_server_that_never_answers_does_not_hold_a_run(project, server):
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        output = run_tracked(project, server, url)

    assert "is complete, but not recorded in MLflow" in output

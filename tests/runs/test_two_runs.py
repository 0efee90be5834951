"""Several runs in one process: each is a transaction of its own."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import click
import pytest
from kedro.runner import SequentialRunner, ThreadRunner

from multimodal_sentiment.hooks import PROJECT_HOOKS

MODEL = "06_models/fusion_model.json"
SIZES = {"one": 3, "two": 5}


@pytest.fixture
def rows(project: Any) -> Any:
    """Raw folders of 3 and of 5 rows, each with a data folder of its own."""
    for name, size in SIZES.items():
        (project.path / name).mkdir()
        text = "guid,tag\n" + "1,positive\n" * size
        (project.path / name / "source.csv").write_text(text)
    return project


def run(project: Any, name: str, data: str, delay: float = 0, **options: Any) -> str:
    """Run; return what came of it."""
    time.sleep(delay)
    try:
        project.run(params={"raw": name, "data": data}, **options)
    except (click.ClickException, ValueError) as error:
        return str(error)
    return "completed"


def check_whole(project: Any, data: str, size: int) -> None:
    """Check that one run, of so many rows, has left all that it should, and nothing else has."""
    folder = project.path / data
    (version,) = (path.name for path in (folder / MODEL).iterdir())
    model = json.loads((folder / MODEL / version / "fusion_model.json").read_text())
    assert model["rows"] == size
    assert (folder / "07_model_output/submission.txt").read_text() == f"rows\n{size}\n"
    (record,) = (json.loads(path.read_text()) for path in (folder / "runs").glob("*.json"))
    assert record["outcome"] == "completed"
    assert record["run"] == version
    assert sorted(record["seconds"]) == ["count_rows", "judge", "predict", "train"]
    assert not [path for path in (folder / "runs").iterdir() if path.is_dir()]
    log = (folder / "runs" / f"{version}.log").read_text()
    assert log.count("4/4 ") == 1
    assert log.count(" completed in ") == 1


@pytest.mark.fault("run", "two runs in threads of one process, two folders", "both complete")
@pytest.mark.parametrize("runner", [SequentialRunner, ThreadRunner])
@pytest.mark.parametrize("delay", [0, 0.02, 0.1])
def test_two_folders_in_one_process_do_not_touch_each_other(rows, delay, runner):
    slow = {"trouble": {"sleep": 0.15}, "runner": runner()}
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, rows, "one", "data_one", **slow)
        second = pool.submit(run, rows, "two", "data_two", delay, **slow | {"runner": runner()})

    assert (first.result(), second.result()) == ("completed", "completed")
    for name, size in SIZES.items():
        check_whole(rows, f"data_{name}", size)


@pytest.mark.fault("run", "two runs in threads of one process, one folder", "the second refused")
@pytest.mark.parametrize("delay", [0, 0.02, 0.1])
def test_the_same_folder_in_one_process_is_refused_to_the_second(rows, delay):
    slow = {"trouble": {"sleep": 0.3}}
    with ThreadPoolExecutor(2) as pool:
        results = [
            pool.submit(run, rows, "one", "shared", **slow),
            pool.submit(run, rows, "two", "shared", delay, **slow),
        ]
    said = [result.result() for result in results]

    assert sorted(words == "completed" for words in said) == [False, True]
    refused = next(words for words in said if words != "completed")
    assert "shared: in use by " in refused
    assert refused.endswith(": wait for it")
    check_whole(rows, "shared", list(SIZES.values())[said.index("completed")])


@pytest.mark.fault("run", "a run fails beside another in its process", "the other is unharmed")
def test_a_failure_beside_another_run_leaves_it_unharmed(rows):
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(run, rows, "one", "data_one", trouble={"sleep": 0.4})
        second = pool.submit(run, rows, "two", "data_two", 0.1, trouble={"error": "value"})

    assert first.result() == "completed"
    assert "is unknown" in second.result()
    check_whole(rows, "data_one", 3)
    (record,) = (rows.path / "data_two/runs").glob("*.json")
    assert json.loads(record.read_text())["outcome"] == "failed"
    assert not (rows.path / "data_two" / MODEL).exists()


def test_a_run_that_was_left_in_another_thread_does_not_end_this_one(rows):
    """An interrupted notebook leaves a run behind; only its own thread knows that it is over."""
    left = threading.Thread(target=_interrupted, args=[rows])
    left.start()
    left.join()

    assert run(rows, "two", "data_two") == "completed"
    check_whole(rows, "data_two", 5)
    assert PROJECT_HOOKS[0].end_all()  # as at the end of the process


def _interrupted(project: Any) -> None:
    with pytest.raises(KeyboardInterrupt):
        project.run(params={"raw": "one", "data": "data_one"}, trouble={"interrupt": True})


@pytest.fixture
def server(rows) -> Iterator[str]:
    """The address of Kedro's server for the project, as `kedro server start` makes it."""
    from kedro.server.http_server import create_http_server
    from uvicorn import Config, Server

    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(Config(create_http_server(rows.path), log_level="critical"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield f"127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listening.close()


@pytest.mark.fault("run", "requests to kedro server at once", "each whole, or refused")
def test_requests_to_a_server_at_once(rows, server):
    def ask(name: str, data: str, delay: float) -> dict[str, Any]:
        time.sleep(delay)
        params = {"raw": name, "data": data, "trouble": {"sleep": 0.5}}
        body = json.dumps({"params": params}).encode()
        connection = HTTPConnection(server, timeout=60)
        connection.request("POST", "/run", body, {"Content-Type": "application/json"})
        return dict(json.load(connection.getresponse()))

    ask("one", "warm", 0)
    with ThreadPoolExecutor(3) as pool:
        answers = [
            pool.submit(ask, "one", "data_one", 0),
            pool.submit(ask, "two", "data_two", 0.05),
            pool.submit(ask, "two", "data_one", 0.2),
        ]
    first, second, third = (answer.result() for answer in answers)

    assert (first["status"], second["status"], third["status"]) == (
        "success", "success", "failure",
    )  # fmt: skip
    assert "data_one: in use by " in third["error"]["message"]
    check_whole(rows, "data_one", 3)
    check_whole(rows, "data_two", 5)


def test_each_loader_reads_its_own_parameters_whatever_others_do(rows):
    from multimodal_sentiment.config_loader import ThreadSafeConfigLoader

    def load(number: int) -> list[str]:
        loader = ThreadSafeConfigLoader(
            str(rows.path / "conf"),
            base_env="base",
            default_run_env="local",
            runtime_params={"data": f"data_{number}"},
        )
        return [loader["catalog"]["metrics"]["filepath"] for _ in range(5)]

    with ThreadPoolExecutor(8) as pool:
        loaded = list(pool.map(load, range(24)))

    assert loaded == [[f"data_{n}/08_reporting/metrics.json"] * 5 for n in range(24)]


def test_a_relative_path_is_the_projects(project, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    project.run("counting")

    assert (project.data / "02_intermediate/counts.csv").is_dir()

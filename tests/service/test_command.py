"""`kedro serve`, in a process of its own."""

from __future__ import annotations

import asyncio
import os
import re
import runpy
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from kedro.framework.startup import bootstrap_project

from multimodal_sentiment import load_classifier
from multimodal_sentiment.cli import cli

from .conftest import Client, form, photo, posts

PROJECT = Path(__file__).parents[2]


@contextmanager
def command(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "kedro", "serve", "--port", "0", *arguments],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT / "src")},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def read_url(process: subprocess.Popen[str]) -> str:
    for line in process.stderr:
        if found := re.search(r"answers at (\S+);", line):
            return found[1]
    raise AssertionError("it has ended")


@pytest.mark.slow
def test_it_finishes_what_is_asked_and_ends(model):
    with (
        command("--params", f"model_folder={model}", "--batch-wait", "2") as process,
        ThreadPoolExecutor(4) as pool,
    ):
        client = Client(read_url(process))
        # After a large batch, the next ones wait for more: these four, as long as they may.
        assert client.predict(posts(*[("fine", None)] * 20))[0] == 200
        given = form(text="fine", image=photo())
        said = [pool.submit(client.ask, "POST", "/predict", *given) for _ in range(4)]
        client.wait_for_queue(4)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        assert [each.result()[0] for each in said] == [200] * 4
        assert {each.result()[2].get("connection") for each in said} == {"close"}
        assert process.stderr.read().splitlines()[-1].endswith("what had been asked is answered")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--params", "model_folder=NONE"], "Error: no model in "),
        (["--host", "0.0.0.0"], "Error: 0.0.0.0 is reached from other machines"),  # noqa: S104
        (["--max-queue", "5"], "Error: max_posts (64) must not be more than max_queue (5)"),
    ],
)
def test_what_it_cannot_do_it_says_in_one_line(options, said, monkeypatch):
    monkeypatch.chdir(PROJECT)
    project = bootstrap_project(PROJECT)
    done = CliRunner().invoke(cli, ["serve", "--port", "0", *options], obj=project)
    assert done.exit_code == 1
    (line,) = done.stderr.splitlines()[-1:]
    assert line.startswith(said)


def test_help_tells_it_from_kedros_own():
    said = " ".join(CliRunner().invoke(cli, ["serve", "--help"]).output.split())
    assert 'not "kedro server start"' in said


@pytest.mark.slow
def test_killed_and_started_again_under_load_it_gives_no_wrong_answer(model, monkeypatch):
    """Clients see answers, and connections that are refused or reset; see service_load.py."""
    benchmarks = PROJECT / "tests" / "benchmarks"
    monkeypatch.syspath_prepend(benchmarks)  # they import each other, as scripts do
    page = runpy.run_path(str(benchmarks / "service_load.py"))
    posts = [(f"day {number}", photo(number)) for number in range(32)]
    classifier = load_classifier(model, "cpu", "fp32")
    columns = [f"p_{label}" for label in classifier.labels]
    expected = classifier.predict(*zip(*posts, strict=True))[columns].to_numpy()
    load = page["Load"](posts, expected, 1e-5)

    asyncio.run(page["kill_again_and_again"](model, load, 2, "--precision", "fp32"))

    assert load.seen["right"] > 100
    # The third: it was reset before anything of an answer came. The last: it loads its model.
    nothing = {"ConnectionRefusedError", "ConnectionResetError", "IncompleteReadError", "503"}
    assert set(load.seen) <= {"right", *nothing}

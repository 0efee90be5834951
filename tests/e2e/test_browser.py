"""Kedro viz, opened in a browser where there is one."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from ..commands import Project

LAYERS = [
    "01_raw",
    "02_intermediate",
    "03_primary",
    "04_feature",
    "05_model_input",
    "06_models",
    "07_model_output",
    "08_reporting",
]
SECONDS = 240  # at most: on a busy machine viz takes a minute to start


@pytest.fixture(scope="module")
def viz(trained_project: Project) -> Iterator[str]:
    """The address of a running kedro viz."""
    port = _free_port()
    command = ["kedro", "viz", "run", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=trained_project.path,
        env=os.environ | {"PYTHONPATH": str(trained_project.path / "src")},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(lambda: fetch(f"{address}/api/main"))
        yield address
    finally:  # its child serves, and survives it
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


def _free_port() -> int:
    """Not one of the system's choice: kedro viz refuses those above 49151."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("a hundred ports are in use")


def fetch(address: str) -> Any:
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - our own server
            return json.load(answer)
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return None


def _wait(condition: Any) -> Any:
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.2)
    raise TimeoutError(f"not within {SECONDS} s")


@pytest.mark.parametrize("pipeline", ["__default__", "training"])
def test_layers_rise_from_raw_to_reporting(viz, pipeline):
    assert fetch(f"{viz}/api/pipelines/{pipeline}")["layers"] == LAYERS


@pytest.mark.parametrize(
    ("pipeline", "unused"),
    [
        ("inference", {"04_feature", "05_model_input"}),
        ("comparison", {"06_models"}),
    ],
)
def test_layers_rise_where_some_are_not_used(viz, pipeline, unused):
    answer = fetch(f"{viz}/api/pipelines/{pipeline}")
    # Viz lists the layers of all pipelines, and draws those that hold something.
    held = {node.get("layer") for node in answer["nodes"]}
    layers = [layer for layer in answer["layers"] if layer in held]

    assert layers == [layer for layer in LAYERS if layer not in unused]


def test_the_steps_collapse(viz):
    top = fetch(f"{viz}/api/main")["modular_pipelines"]["__root__"]["children"]

    assert {child["id"] for child in top if child["type"] == "modularPipeline"} >= {
        "labelled",
        "unlabelled",
        "splitting",
        "fitting",
        "evaluation",
        "reporting",
        "prediction",
    }


def test_everything_that_a_run_wrote_has_a_preview(viz):
    nodes = fetch(f"{viz}/api/main")["nodes"]
    datasets = {node["name"]: node["id"] for node in nodes if node["type"] == "data"}
    without = {
        name
        for name, node in datasets.items()
        if not fetch(f"{viz}/api/nodes/{node}").get("preview")
    }

    # No results of this run, and the model once more, of which nothing is stored.
    others = {
        "training_checkpoints",
        "pretrained_encoders",
        "earlier_features",
        "labelled.earlier_examples",
        "unlabelled.earlier_examples",
        "matched_model",
        "unfinished_features",
        "fitted_model",
    }
    assert without == others | {"former_model"}


def test_the_preview_of_the_model_says_how_large_each_file_is(viz):
    nodes = fetch(f"{viz}/api/main")["nodes"]
    model = next(node["id"] for node in nodes if node["name"] == "fusion_model")

    files = json.loads(fetch(f"{viz}/api/nodes/{model}")["preview"])["files"]

    assert files["model.safetensors"].endswith(" MB")
    assert files["config.json"].endswith(" kB")
    assert not [size for size in files.values() if size.startswith("0.0 ")]


def test_a_browser_shows_the_layers_and_a_preview(viz, browser):
    nodes = fetch(f"{viz}/api/main")["nodes"]
    metrics = next(node["id"] for node in nodes if node["name"] == "metrics")

    browser.get(f"{viz}/?pid=__default__&sid={metrics}&expandAllPipelines=true")

    def texts() -> str:
        return str(browser.execute_script("return document.body.textContent"))

    shown = _wait(
        lambda: (text := texts()) and "macro_f1" in text and "08_reporting" in text and text
    )
    assert all(layer in shown for layer in LAYERS)


def test_the_site_that_viz_builds_holds_the_previews(trained_project: Project):
    trained_project.kedro("viz", "build", "--include-previews")

    site = trained_project.path / "build"
    assert (site / "index.html").is_file()
    nodes = [json.loads(path.read_text()) for path in (site / "api" / "nodes").iterdir()]
    kinds = {node.get("preview_type") for node in nodes if node.get("preview")}
    assert {"TablePreview", "JSONPreview", "PlotlyPreview", "HTMLPreview"} <= kinds


def test_the_report_shows_what_the_answers_were_owed_to(trained_project: Project):
    report = trained_project.newest("08_reporting/report.html").read_text(encoding="utf-8")

    assert "<figcaption><h3>What decided each answer?</h3>" in report

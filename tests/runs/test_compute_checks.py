"""What cannot be computed, or only wastefully, is said before the first node."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipelines.comparing import pipeline as comparing
from multimodal_sentiment.pipelines.fitting import pipeline as fitting
from multimodal_sentiment.pipelines.prediction import pipeline as prediction
from multimodal_sentiment.pipelines.searching import pipeline as searching
from multimodal_sentiment.runs.checks.compute import check_device, check_processes
from multimodal_sentiment.runs.checks.warnings import warn_of_enlarged_images

from ..commands import Project, kedro, params

CHOICES = {"training": {"batch_size": [8, 4]}}
STEPS = {"training": {"batch_size": {"low": 4, "high": 8, "step": 2}}}
RANGE = {"training": {"batch_size": {"low": 4, "high": 9}}}

LOADED = """
import sys
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(sys.argv[1])
if sys.argv[2] == "list":
    sorted(pipelines)
else:
    given = {"data": sys.argv[3], "compute": {"device": "auto", "precision": "auto"}}
    with KedroSession.create(sys.argv[1], env="scratch", runtime_params=given) as session:
        session.run(pipeline_names=[sys.argv[2]])
heavy = {"torch", "transformers", "sklearn"}
if sys.argv[2] == "list":
    heavy |= {"pandas", "pyarrow", "numpy"}
print(sorted(heavy & set(sys.modules)))
"""


@pytest.mark.fault("run", "a device that this machine lacks", "said before any node runs")
@pytest.mark.skipif(torch.backends.mps.is_available(), reason="this machine has the device")
def test_a_missing_device_is_said_before_any_node_runs(
    trained_project: Project, settings: dict[str, Any]
) -> None:
    given = params({"compute.device": "mps"})
    done = trained_project.run("run", "--pipeline=training", "--env=scratch", "--params", given)

    assert done.returncode == 1
    assert "Error: compute.device: no mps on this machine: choose one of" in done.stderr
    assert "log in" not in done.stderr
    asked = Parameters.model_validate(
        settings | {"compute": settings["compute"] | {"device": "mps"}}
    )
    for step in (fitting, prediction, comparing):
        (fault,) = check_device(step.create_pipeline(), asked)
        assert fault in done.stderr


@pytest.mark.parametrize(
    ("pipeline", "changes", "faults"),
    [
        (fitting, {}, []),
        (fitting, {"compute": {"processes": 2}}, []),
        (fitting, {"compute": {"processes": 3}}, ["3 processes cannot share 8 posts"]),
        (fitting, {"cluster": {"workers": 5}}, ["5 processes cannot share 8 posts"]),
        (comparing, {"compute": {"processes": 3}}, ["3 processes cannot share 8 posts"]),
        (comparing, {"cluster": {"workers": 5}}, []),  # each of them trains models of its own
        (prediction, {"compute": {"processes": 3}}, []),
        (searching, {"compute": {"processes": 2}, "search": {"space": CHOICES}}, []),
        (
            searching,
            {"compute": {"processes": 3}, "search": {"space": CHOICES}},
            ["3 processes cannot share 8 posts", "3 processes cannot share 4 posts"],
        ),
        (  # the default is judged beside what is tried
            searching,
            {
                "compute": {"processes": 3},
                "search": {"space": {"training": {"batch_size": [3, 6]}}},
            },
            ["3 processes cannot share 8 posts"],
        ),
        (
            searching,
            {"compute": {"processes": 2}, "search": {"space": RANGE}},
            ["2 processes cannot share 9 posts"],
        ),
        (searching, {"compute": {"processes": 2}, "search": {"space": STEPS}}, []),
        (searching, {"cluster": {"workers": 3}, "search": {"space": RANGE}}, []),
    ],
)
def test_a_batch_that_processes_cannot_share_is_said_before_any_node_runs(
    settings: dict[str, Any], pipeline: ModuleType, changes: dict[str, Any], faults: list[str]
) -> None:
    changed = {name: settings[name] | values for name, values in changes.items()}
    parameters = Parameters.model_validate(settings | changed)
    found = check_processes(pipeline.create_pipeline(), parameters)

    assert len(found) == len(faults)
    for one, expected in zip(found, faults, strict=True):
        assert one.startswith(f"training.batch_size: {expected} evenly: choose ")


@pytest.mark.parametrize(
    ("pipeline", "modality", "image", "stored", "told"),
    [
        (fitting, "both", {"size": 384, "resize": None}, 256, "model.image.size is 384 px, but "),
        (fitting, "both", {"size": 224, "resize": 288}, 256, "model.image.resize is 288 px, but "),
        (fitting, "both", {"size": 384, "resize": None}, 384, ""),
        (fitting, "text", {"size": 384, "resize": None}, 256, ""),
        (prediction, "both", {"size": 384, "resize": None}, 256, ""),
    ],
)
def test_images_that_a_model_would_see_enlarged_are_said_before_any_node_runs(
    settings: dict[str, Any],
    pipeline: ModuleType,
    modality: str,
    image: dict[str, Any],
    stored: int,
    told: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    model = settings["model"] | {"modality": modality, "image": settings["model"]["image"] | image}
    kept = settings["preparation"] | {"short_side": stored}
    changed = settings | {"model": model, "preparation": kept}
    warn_of_enlarged_images(pipeline.create_pipeline(), Parameters.model_validate(changed), [])

    assert len(caplog.messages) == bool(told)
    assert all(line.startswith(told) for line in caplog.messages)


def test_images_that_would_be_enlarged_are_said_as_the_run_starts(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    (raw / "data").mkdir(parents=True)
    rows = [f"{guid},negative\n" for guid in range(60)]  # of one tag: the first node refuses them
    (raw / "train.txt").write_text("".join(["guid,tag\n", *rows]))
    given = {"raw": raw, "data": tmp_path / "data", "model.image.resize": 384}
    done = kedro("run", "--pipeline=training", "--env=scratch", "--params", params(given))

    before, _, _ = done.stderr.partition("log in")
    assert "model.image.resize is 384 px, but preparation.short_side keeps 256 px" in before


@pytest.mark.parametrize("work", ["list", "ingestion"])
def test_torch_is_not_imported_where_nothing_needs_it(
    trained_project: Project, tmp_path_factory: pytest.TempPathFactory, work: str
) -> None:
    data = str(tmp_path_factory.mktemp("data"))
    command = [sys.executable, "-c", LOADED, str(trained_project.path), work, data]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=trained_project.path
    )

    assert done.stdout.splitlines()[-1] == "[]"

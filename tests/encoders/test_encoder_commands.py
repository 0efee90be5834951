"""Fetching and training as a user runs them; only the one touches the network."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import subprocess
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

import pytest

from multimodal_sentiment.encoders.packages import INSTALL
from multimodal_sentiment.parameters import EncodersParameters, ModelParameters, Parameters
from multimodal_sentiment.pipelines.encoders.nodes import choose_encoders
from multimodal_sentiment.sample import write_sample

from ..commands import kedro, load_parameters, params
from ..tiny_encoders import save_bert

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def test_encoders_are_fetched_once_and_trained_from_without_the_network(
    hub: Any, tmp_path: Path
) -> None:
    save_bert(tmp_path / "bert", max_position_embeddings=64)
    hub.files = {path.name: path.read_bytes() for path in (tmp_path / "bert").iterdir()}
    write_sample(tmp_path / "raw", labelled=60, unlabelled=3, seed=0)
    given = {
        "raw": tmp_path / "raw",
        "data": tmp_path / "data",
        "model.modality": "text",
        "model.text.encoder": "lab/tiny",
        "training.epochs": 1,
        "evaluation.bootstrap_samples": 200,
    }

    environment = {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "cache")}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return kedro("run", *arguments, environment=environment)

    def advised(output: str) -> list[str]:
        (command,) = re.findall(r'run "kedro run ([^"]+)"', output)
        return shlex.split(command)

    start = ["--pipeline=training", "--params", params(given)]
    refused = run(*start)
    assert refused.returncode != 0
    assert "or train without pretrained encoders with --env=scratch and no encoder in" in (
        refused.stderr
    )
    assert refused.stderr.count("lab/tiny is no folder or file in the project") == 1
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data/02_intermediate").exists()
    assert hub.seen == []

    fetched = run(*advised(refused.stderr))
    assert fetched.returncode == 0, fetched.stderr
    assert "lab/tiny 01234567 from " in fetched.stderr
    asked = len(hub.seen)

    trained = run(*start)
    assert trained.returncode == 0, trained.stderr
    assert len(hub.seen) == asked
    assert "bert of 1 layers (lab/tiny 01234567 from " in trained.stderr
    path = max((tmp_path / "data/08_reporting/metrics.json").iterdir()) / "metrics.json"
    origin = json.loads(path.read_text(encoding="utf-8"))["protocol"]["model"]["encoders"]["text"]
    assert origin["name"] == "lab/tiny"
    assert origin["revision"] == COMMIT
    assert origin["sha256"] == hashlib.sha256(hub.files["model.safetensors"]).hexdigest()

    # What breaks later is found out before any node runs.
    folder = tmp_path / "data/06_models/pretrained_encoders/lab--tiny" / COMMIT
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-10])
    broken = run(*start)
    assert broken.returncode != 0
    assert "model.text.encoder: " in broken.stderr
    assert "truncated" in broken.stderr
    assert "nodes, log in" not in broken.stderr

    # What is advised mends what is corrupted but looks whole.
    whole = bytearray(hub.files["model.safetensors"])
    whole[-1] ^= 1
    weights.write_bytes(whole)
    corrupted = run(*start)
    assert "is corrupted" in corrupted.stderr
    mended = run(*advised(corrupted.stderr), "--params", params(given))
    assert mended.returncode == 0, mended.stderr
    assert weights.read_bytes() == hub.files["model.safetensors"]


@pytest.mark.parametrize("environment", ["pretrained", "strong"])
def test_the_environments_that_are_named_for_fetching_name_encoders(environment: str) -> None:
    said = "run this with --env=pretrained or --env=strong"
    with pytest.raises(ValueError, match=said):
        choose_encoders(*_chosen("scratch"))

    assert len(choose_encoders(*_chosen(environment))["names"]) == 2


def test_the_extras_that_are_named_are_there() -> None:
    extras = metadata("multimodal-sentiment").get_all("Provides-Extra") or []

    assert re.findall(r"\[(\w+)\]", INSTALL) == ["encoders"]
    assert {"encoders", "export"} <= set(extras)


def _chosen(environment: str) -> tuple[ModelParameters, EncodersParameters]:
    parameters = Parameters.model_validate(load_parameters(environment))
    return parameters.model, parameters.encoders

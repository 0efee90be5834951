"""Fetching and training as a user runs them; only the one touches the network."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path
from typing import Any

from multimodal_sentiment.sample import write_sample

from ..commands import kedro, params
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

    def run(pipeline: str) -> subprocess.CompletedProcess[str]:
        command = ("run", f"--pipeline={pipeline}", "--params", params(given))
        return kedro(*command, environment=environment)

    refused = run("training")
    assert refused.returncode != 0
    assert 'run "kedro run --pipeline=encoders --params ' in refused.stderr
    assert refused.stderr.count("lab/tiny is no folder or file in the project") == 1
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data/02_intermediate").exists()
    assert hub.seen == []

    fetched = run("encoders")
    assert fetched.returncode == 0, fetched.stderr
    assert "lab/tiny 01234567 from " in fetched.stderr
    asked = len(hub.seen)

    trained = run("training")
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
    broken = run("training")
    assert broken.returncode != 0
    assert "model.text.encoder: " in broken.stderr
    assert "truncated" in broken.stderr
    assert "nodes, log in" not in broken.stderr

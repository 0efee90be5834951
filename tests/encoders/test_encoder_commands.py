"""Fetching and training as a user runs them; only the one touches the network."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from multimodal_sentiment.sample import write_sample

PROJECT = Path(__file__).parents[2]
COMMIT = "0123456789abcdef0123456789abcdef01234567"


def save_bert(folder: Path) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz"]
    pieces += [f"##{piece}" for piece in pieces[5:]]
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=len(pieces), intermediate_size=32, **sizes)
    BertModel(config).save_pretrained(folder)
    BertTokenizerFast(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)


def test_encoders_are_fetched_once_and_trained_from_without_the_network(
    hub: Any, tmp_path: Path
) -> None:
    save_bert(tmp_path / "bert")
    hub.files = {path.name: path.read_bytes() for path in (tmp_path / "bert").iterdir()}
    write_sample(tmp_path / "raw", labelled=60, unlabelled=3, seed=0)
    params = {
        "raw": tmp_path / "raw",
        "data": tmp_path / "data",
        "model.modality": "text",
        "model.text.encoder": "lab/tiny",
        "training.epochs": 1,
        "evaluation.bootstrap_samples": 200,
    }

    def kedro(pipeline: str) -> subprocess.CompletedProcess[str]:
        given = ",".join(f"{key}={value}" for key, value in params.items())
        return subprocess.run(
            [sys.executable, "-m", "kedro", "run", f"--pipeline={pipeline}", "--params", given],
            cwd=PROJECT,
            env=os.environ | {"HF_ENDPOINT": hub.url, "HF_HUB_CACHE": str(tmp_path / "cache")},
            capture_output=True,
            text=True,
            encoding="utf-8",
            check=False,
        )

    refused = kedro("training")
    assert refused.returncode != 0
    assert 'run "kedro run --pipeline=encoders --params ' in refused.stderr
    assert refused.stderr.count("lab/tiny is no folder or file in the project") == 1
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "data/02_intermediate").exists()
    assert hub.seen == []

    fetched = kedro("encoders")
    assert fetched.returncode == 0, fetched.stderr
    assert "lab/tiny 01234567 from " in fetched.stderr
    asked = len(hub.seen)

    trained = kedro("training")
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
    broken = kedro("training")
    assert broken.returncode != 0
    assert "model.text.encoder: " in broken.stderr
    assert "truncated" in broken.stderr
    assert "nodes, log in" not in broken.stderr

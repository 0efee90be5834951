"""A space that cannot be searched is refused before the first node, a line for each reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from kedro.io import DataCatalog

from multimodal_sentiment.datasets import EncoderStoreDataset
from multimodal_sentiment.pipeline_registry import register_pipelines
from multimodal_sentiment.runs.checks import search
from multimodal_sentiment.runs.checks.encoders import check_encoders
from multimodal_sentiment.runs.checks.search import check_search

from ..commands import load_parameters


@pytest.fixture
def parameters() -> dict[str, Any]:
    """The parameters of conf/base, as plain values that a test may change."""
    return load_parameters()


def test_a_space_is_checked_where_it_is_searched(parameters: dict[str, Any]) -> None:
    pipelines = register_pipelines()
    assert check_search(pipelines["search"], parameters) == []

    parameters["search"]["space"] = {"training": {"epoch": [1], "class_weights": []}}

    unknown, empty = check_search(pipelines["search"], parameters)
    assert unknown == (
        "search.space: unknown parameter training.epoch: did you mean training.epochs?"
    )
    assert empty.startswith("search.space: training.class_weights: it has no choices")
    assert check_search(pipelines["training"], parameters) == []


def test_an_encoder_that_is_not_here_is_named_before_the_first_trial(
    parameters: dict[str, Any], tmp_path: Path
) -> None:
    encoders = ["lab/first", "lab/second"]
    parameters["model"]["modality"] = "text"
    parameters["model"]["text"]["encoder"] = None
    parameters["model"]["fusion"]["kind"] = "late"
    parameters["training"]["learning_rate"]["text"] = 1e-4
    parameters["search"]["space"] = {"model": {"text": {"encoder": [None, *encoders]}}}
    store = EncoderStoreDataset(path=str(tmp_path), project={"path": "."})
    catalog = DataCatalog({"pretrained_encoders": store})

    faults = check_encoders(
        register_pipelines()["searching"], catalog, parameters, " --params data=D"
    )

    assert len(faults) == len(encoders)
    for name, fault in zip(encoders, faults, strict=True):
        assert fault.startswith(
            f"search.space: model.text.encoder: {name} is no folder or file in the project"
        )
        assert fault.endswith(
            "leave it out, or name it in model.text.encoder and run "
            '"kedro run --pipeline=encoders --params data=D" first'
        )


def test_without_optuna_the_extra_is_named(
    parameters: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "find_spec", lambda name: None)

    assert check_search(register_pipelines()["search"], parameters) == [
        'searching needs optuna: pip install "multimodal-sentiment[search]"'
    ]

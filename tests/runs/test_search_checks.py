"""A space that cannot be searched is refused before the first node, a line for each reason."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import click
import pytest
from kedro.io import DataCatalog
from omegaconf import OmegaConf

from multimodal_sentiment.datasets import EncoderStoreDataset
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipeline_registry import register_pipelines
from multimodal_sentiment.pipelines.encoders.nodes import choose_encoders
from multimodal_sentiment.runs.checks.compute import check_search
from multimodal_sentiment.runs.checks.encoders import check_encoders
from multimodal_sentiment.runs.runtime_parameters import read_params
from multimodal_sentiment.sample import write_sample

from ..commands import PROJECT, kedro, load_parameters
from ..tiny_encoders import save_bert


@pytest.fixture
def parameters() -> dict[str, Any]:
    """The parameters of conf/base, as plain values that a test may change."""
    return load_parameters()


def test_a_space_is_checked_where_it_is_searched(parameters: dict[str, Any]) -> None:
    pipelines = register_pipelines()
    assert check_search(pipelines["search"], Parameters.model_validate(parameters)) == []

    parameters["search"]["space"] = {"training": {"epoch": [1], "class_weights": []}}

    changed = Parameters.model_validate(parameters)
    unknown, empty = check_search(pipelines["search"], changed)
    assert unknown == (
        "search.space: unknown parameter training.epoch: did you mean training.epochs?"
    )
    assert empty.startswith("search.space: training.class_weights: choices: must have at least 1")
    assert check_search(pipelines["training"], changed) == []


@pytest.mark.parametrize(
    ("pipeline", "group"), [("searching", "search.space"), ("comparing", "comparison.variants")]
)
def test_an_encoder_that_is_not_here_is_named_before_the_first_training_and_how_it_is_fetched(
    parameters: dict[str, Any], tmp_path: Path, pipeline: str, group: str
) -> None:
    encoders = ["lab/first", "lab/second"]
    parameters["model"]["modality"] = "text"
    parameters["model"]["text"]["encoder"] = None
    parameters["model"]["fusion"]["kind"] = "late"
    parameters["training"]["learning_rate"]["text"] = 1e-4
    parameters["search"]["space"] = {"model": {"text": {"encoder": [None, *encoders]}}}
    variants = {name[4:]: {"model": {"text": {"encoder": name}}} for name in encoders}
    parameters["comparison"] |= {"variants": variants | {"own": {}}, "pairs": []}

    faults = missing(parameters, tmp_path, pipeline)

    assert len(faults) == len(encoders)
    for name, fault in zip(encoders, faults, strict=True):
        assert fault.startswith(
            f"{group}: model.text.encoder: {name} is no folder or file in the project"
        )
        assert fault.endswith(
            'run "kedro run --pipeline=encoders --params '
            f'data=D,model.modality=text,model.text.encoder={name}" first, or leave it out'
        )
        assert fetched(parameters, fault) == [name]


def test_an_encoder_that_several_settings_share_is_named_once(
    parameters: dict[str, Any], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    save_bert(tmp_path / "bert", max_position_embeddings=64)
    parameters["model"]["modality"] = "text"
    parameters["model"]["text"]["encoder"] = str(tmp_path / "bert")
    parameters["search"]["space"] = {"model": {"text": {"max_tokens": [16, 32]}}}
    caplog.set_level("INFO")

    assert missing(parameters, tmp_path / "store", "searching") == []

    assert len([line for line in caplog.messages if "licence: " in line]) == 1


def test_a_modality_that_the_model_does_not_read_is_fetched_for_those_that_do(
    parameters: dict[str, Any], tmp_path: Path
) -> None:
    parameters["model"]["modality"] = "text"
    parameters["model"]["text"]["encoder"] = "lab/words"
    parameters["model"]["image"]["encoder"] = "lab/photos"

    image, text = missing(parameters, tmp_path, "comparing")

    assert "model.text.encoder: lab/words is no folder" in text
    assert fetched(parameters, text) == ["lab/words"]
    assert image.startswith("comparison.variants: model.image.encoder: lab/photos is no folder")
    assert fetched(parameters, image) == ["lab/photos"]


def missing(parameters: dict[str, Any], store: Path, pipeline: str) -> list[str]:
    """What is said of encoders where there are none."""
    dataset = EncoderStoreDataset(path=str(store), project={"path": "."})
    catalog = DataCatalog({"pretrained_encoders": dataset})
    request = {"env": None, "runtime_params": {"data": "D"}}
    whole = Parameters.model_validate(parameters)
    faults, _ = check_encoders(register_pipelines()[pipeline], catalog, whole, request)
    return faults


def fetched(parameters: dict[str, Any], fault: str) -> list[str]:
    """The encoders that the command fetches which a message advises."""
    (given,) = re.findall(r'--pipeline=encoders --params ([^"]+)"', fault)
    context = click.Context(click.Command("run"))
    tree = OmegaConf.merge(parameters, read_params(context, click.Option(["--params"]), [given]))
    chosen = Parameters.model_validate(OmegaConf.to_container(tree))
    return list(choose_encoders(chosen.model, chosen.encoders)["names"])


@pytest.mark.parametrize(
    "steps",
    [(), ("--nodes=searching.tabulate_search",), ("--nodes=encoding.encode_settings",)],
)
def test_without_optuna_the_extra_is_named(tmp_path: Path, steps: tuple[str, ...]) -> None:
    (tmp_path / "sitecustomize.py").write_text('import sys; sys.modules["optuna"] = None')
    write_sample(tmp_path / "raw", labelled=20, unlabelled=0)

    done = kedro(
        "run",
        "--pipeline=search",
        *steps,
        "--env=scratch",
        "--params",
        f"raw={tmp_path / 'raw'},data={tmp_path / 'data'}",
        environment={"PYTHONPATH": os.pathsep.join([str(PROJECT / "src"), str(tmp_path)])},
    )

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        'Error: searching needs optuna: pip install "multimodal-sentiment[search]"'
    )
    assert "Traceback" not in done.stderr

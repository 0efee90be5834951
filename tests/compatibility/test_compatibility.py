"""What version 0.1 wrote loads and predicts as before: a model folder, and a data folder."""

from __future__ import annotations

import json
import shutil
import zlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from PIL import Image
from safetensors.numpy import save_file

from multimodal_sentiment import load_classifier
from multimodal_sentiment.compute import device

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]


def weight(name: str, shape: tuple[int, ...], integer: bool) -> np.ndarray:
    """A weight by a formula: the folder would else hold 45 MB of them."""
    if integer:
        return np.zeros(shape, dtype=np.int64)
    count = int(np.prod(shape)) if shape else 1
    values = np.sin(np.arange(count) * 0.618 + zlib.crc32(name.encode()) % 1000)
    values = values * (0.02 if len(shape) > 1 else 0.2)
    scales = name.endswith(("running_var", "norm.weight", "LayerNorm.weight"))
    if scales or ("bn" in name and name.endswith("weight")) or "downsample.1.weight" in name:
        values = 1 + values
    return values.astype(np.float32).reshape(shape)


@pytest.fixture
def model_folder(tmp_path: Path) -> Path:
    """A model of text and image, ResNet-18 and gated fusion, as version 0.1 saved it."""
    folder = tmp_path / "model"
    shutil.copytree(HERE / "model", folder)
    described = json.loads((folder / "weights.json").read_text())
    save_file(
        {
            name: weight(name, tuple(entry["shape"]), entry["integer"])
            for name, entry in described.items()
        },
        folder / "model.safetensors",
        metadata={"format": "pt"},
    )
    return folder


def test_a_model_folder_predicts_as_before(
    model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "_cpu_gains_by_bf16", lambda: False)  # as it was computed
    y, x = np.mgrid[0:90, 0:120]
    channels = [255 * x / 120, 255 * y / 90, (x * y) % 256]
    image = Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8))
    answers = load_classifier(model_folder, device="cpu").predict(
        texts=["good day", None, "what a bad day"], images=[image, image, None]
    )

    expected = pd.DataFrame(json.loads((HERE / "model" / "expected.json").read_text()))
    assert answers["predicted"].tolist() == expected["predicted"].tolist()
    numbers = ["confidence", "p_negative", "p_neutral", "p_positive"]
    np.testing.assert_allclose(answers[numbers], expected[numbers], atol=1e-5)


@pytest.mark.parametrize(
    ("pipelines", "dataset"),
    [
        (["prediction"], "unlabelled/predictions"),
        (["encoding", "evaluation"], "validation_predictions"),
    ],
)
def test_a_data_folder_goes_on_being_used(
    tmp_path: Path, pipelines: list[str], dataset: str
) -> None:
    data = tmp_path / "data"
    shutil.copytree(HERE / "data", data)
    raw = tmp_path / "raw"
    raw.mkdir()
    submission = data / "07_model_output" / "submission.txt"
    shutil.copy(submission, raw / "test_without_label.txt")  # the listing's rows, in its order
    bootstrap_project(PROJECT)
    parameters = {
        "data": data.as_posix(),
        "raw": raw.as_posix(),
        "compute": {"precision": "fp32", "device": "cpu"},
    }
    for pipeline in pipelines:
        with KedroSession.create(
            project_path=PROJECT, env="scratch", runtime_params=parameters
        ) as session:
            session.run(pipeline_names=[pipeline])

    versions = sorted((data / "07_model_output" / f"{dataset}.csv").glob("*/*.csv"))
    before, after = (pd.read_csv(path, dtype={"guid": str}) for path in versions)
    pd.testing.assert_frame_equal(before[["guid", "predicted"]], after[["guid", "predicted"]])
    numbers = ["confidence", "p_negative", "p_neutral", "p_positive"]
    np.testing.assert_allclose(before[numbers], after[numbers], atol=1e-5)

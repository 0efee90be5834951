"""A model folder that is broken, of another version, or hostile is refused in one line."""

from __future__ import annotations

import json
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError, Version

from multimodal_sentiment.datasets import ModelFolderDataset
from multimodal_sentiment.parameters import Parameters

from ..tiny_encoders import save_bert

Change = Callable[[Path], object]
WEIGHT = "branches.image.encoder.encoder.bn1.bias"
FILES = [
    "config.json", "model.safetensors", "encoding_profile.json", "tokenizer.json",
    "tokenizer_config.json",
]  # fmt: skip


_SOUND: list[Path] = []


@pytest.fixture
def model(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, tiny: Callable[..., Parameters]
) -> Path:
    """A sound model folder."""
    if not _SOUND:
        from multimodal_sentiment.model import SentimentClassifier, build_model

        built, tokenizer = build_model(tiny().model, ["a", "b"], ["one two three"] * 5, {})
        _SOUND.append(tmp_path_factory.mktemp("sound"))
        SentimentClassifier(built, tokenizer, {"posts": {}, "expected": {}}).save_pretrained(
            _SOUND[0]
        )
    return Path(shutil.copytree(_SOUND[0], tmp_path / "model"))


def refusal(folder: Path) -> str:
    with pytest.raises(DatasetError) as caught:
        ModelFolderDataset(filepath=str(folder)).load()
    said = str(caught.value)
    assert len(said.splitlines()) == 1
    assert str(folder) in said
    assert "train again, or take another version" in said
    return said


def configure(file: str = "config.json", **changes: Any) -> Change:
    """Change keys of a JSON file; `...` removes one."""

    def change(folder: Path) -> None:
        content = json.loads((folder / file).read_text(encoding="utf-8"))
        for key, value in changes.items():
            content.pop(key) if value is ... else content.update({key: value})
        (folder / file).write_text(json.dumps(content), encoding="utf-8")

    return change


def configure_part(part: str, **changes: Any) -> Change:
    """Change keys of one object in the configuration."""

    def change(folder: Path) -> None:
        content = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        configure(**{part: content[part] | changes})(folder)

    return change


def weights(**changes: Any) -> Change:
    """Change tensors; `...` removes one."""

    def change(folder: Path) -> None:
        from safetensors.torch import load_file, save_file

        tensors = load_file(folder / "model.safetensors")
        for name, value in changes.items():
            tensors.pop(name) if value is ... else tensors.update({name: value})
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})

    return change


def test_a_sound_folder_is_read(model: Path) -> None:
    dataset = ModelFolderDataset(filepath=str(model))
    assert dataset.exists()
    assert list(dataset.load().labels) == ["a", "b"]


@pytest.mark.fault("run", "a file of the model missing, empty, cut in half, a folder", "one line")
@pytest.mark.parametrize("damage", ["missing", "empty", "half", "folder"])
@pytest.mark.parametrize("file", FILES)
def test_a_damaged_file_is_refused_by_name(model: Path, file: str, damage: str) -> None:
    path = model / file
    content = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes(b"" if damage == "empty" else content[: len(content) // 2])
    is_read = damage not in ("missing", "folder")
    named = "the tokenizer is broken" if is_read and file.startswith("tokenizer") else file
    assert named in refusal(model).replace(str(model), "")


@pytest.mark.fault("run", "a model version half written, another before it", "the one before")
@pytest.mark.parametrize("file", ["config.json", "model.safetensors", "encoding_profile.json"])
def test_a_half_written_version_does_not_count_as_one(
    model: Path, tmp_path: Path, file: str
) -> None:
    version = tmp_path / "versions" / "2026-01-01T00.00.00.000Z" / "versions"
    shutil.copytree(model, version)
    dataset = ModelFolderDataset(filepath=str(tmp_path / "versions"), version=Version(None, None))
    assert dataset.exists()
    content = (version / file).read_bytes()
    (version / file).write_bytes(content[: len(content) // 2])
    if file != "model.safetensors":
        (version / file).unlink()
    dataset.release()
    assert not dataset.exists()


OLDER = "was trained by another version of this project"


@pytest.mark.fault("run", "a configuration that lacks a key", "one line that names the key")
@pytest.mark.parametrize(
    "key",
    [
        "modality", "pooling", "max_tokens", "hidden_size", "dropout", "calibration_temperature",
        "auxiliary_weight", "modality_dropout", "label_smoothing", "class_weights", "text_config",
        "image_config", "training", "fusion",
    ],
)  # fmt: skip
def test_a_configuration_of_an_earlier_version_is_refused(model: Path, key: str) -> None:
    configure(**{key: ...})(model)
    assert f"config.json lacks {key}: it {OLDER}" in refusal(model)


@pytest.mark.fault("run", "a configuration with a key too many", "a warning that names it")
def test_a_configuration_with_more_in_it_is_told(
    model: Path, caplog: pytest.LogCaptureFixture
) -> None:
    configure(attention_fusion=True)(model)
    ModelFolderDataset(filepath=str(model)).load()
    assert "config.json also holds attention_fusion, which is not used" in caplog.text


@pytest.mark.fault("run", "a configuration with a wrong value", "one line that names it")
@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"modality": "sound"}, "wrong modality"),
        ({"pooling": "max"}, "wrong pooling"),
        ({"calibration_temperature": 0}, "wrong calibration_temperature"),
        ({"calibration_temperature": float("nan")}, "wrong calibration_temperature"),
        ({"calibration_temperature": "warm"}, "wrong calibration_temperature"),
        ({"max_tokens": -1}, "wrong max_tokens"),
        ({"hidden_size": "wide"}, "wrong hidden_size"),
        ({"fusion": "concat", "hidden_size": 10**9}, "does not fit config.json"),
        ({"id2label": {}}, "wrong id2label"),
        ({"id2label": {"0": "a"}, "label2id": {"a": 0}}, "wrong id2label"),
        ({"id2label": {"0": "a", "1": "b", "2": "c"}}, "does not fit config.json"),
        ({"model_type": "bert"}, "wrong model_type"),
        ({"text_config": {"model_type": "zzz"}}, "zzz"),
        ({"text_config": {"model_type": "gpt2"}}, "wrong text_config.model_type: gpt2"),
        ({"text_config": "BERT"}, "wrong text_config"),
        ({"max_tokens": 10**6}, "wrong max_tokens"),
        ({"max_tokens": 500}, "wrong max_tokens: the text encoder reads at most "),
        ({"id2label": {"0": "a", "1": "a"}}, "labels must differ"),
        ({"image_config": {"architecture": "resnet18"}}, "wrong image_config.size"),
    ],
)
def test_a_wrong_value_is_refused(model: Path, changes: dict[str, Any], words: str) -> None:
    configure(**changes)(model)
    assert words in refusal(model)


@pytest.mark.fault("run", "weights missing, unknown, of another shape", "one line, no random ones")
@pytest.mark.parametrize("kind", ["missing", "unknown", "shape"])
def test_weights_that_do_not_fit_are_refused(model: Path, kind: str) -> None:
    import torch

    name = "gate" if kind == "unknown" else WEIGHT
    weights(**{name: ... if kind == "missing" else torch.zeros(3)})(model)
    said = refusal(model)
    assert "model.safetensors does not fit config.json: " in said
    assert f"weights missing, unknown or of another shape: 1, {name} first" in said


@pytest.mark.fault("hostile", "a claim of a billion words in the vocabulary", "one line, no memory")
def test_a_model_that_claims_to_be_huge_is_refused(model: Path) -> None:
    configure_part("text_config", vocab_size=10**9)(model)
    assert "word_embeddings.weight first" in refusal(model)


@pytest.mark.fault("hostile", "a claim of a billion layers", "one line, no memory, no time")
def test_a_model_that_claims_to_be_deep_is_refused(model: Path) -> None:
    configure_part("text_config", num_hidden_layers=10**9)(model)
    assert "config.json claims 1000000000 layers" in refusal(model)


@pytest.mark.fault("hostile", "a claim of pictures of a terapixel, of no spread", "one line")
@pytest.mark.parametrize("changes", [{"size": 10**6}, {"resize": 10**6}, {"std": [1, 0, 1]}])
def test_a_picture_that_cannot_be_seen_is_refused(model: Path, changes: dict[str, Any]) -> None:
    configure_part("image_config", **changes)(model)
    assert f"wrong image_config.{next(iter(changes))}" in refusal(model)


@pytest.mark.fault("hostile", "a model that asks for kernels or quantisation", "it gets none")
@pytest.mark.parametrize("part", ["", "text_config"])
@pytest.mark.parametrize(
    "changes",
    [
        {"attn_implementation": "kernels-community/flash-attn"},
        {"_attn_implementation": "kernels-community/flash-attn"},
        {"_experts_implementation": "kernels-community/moe"},
        {"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": True}},
    ],
)
def test_what_would_have_foreign_code_fetched_is_not_followed(
    model: Path, part: str, changes: dict[str, Any]
) -> None:
    (configure_part(part, **changes) if part else configure(**changes))(model)

    network = ModelFolderDataset(filepath=str(model)).load().model

    assert network.config._attn_implementation in (None, "eager", "sdpa")
    assert network.branches["text"].encoder.encoder.config._attn_implementation == "sdpa"
    assert not hasattr(network.config, "quantization_config")


@pytest.mark.fault("hostile", "a file of the model of 1 GB", "one line, before it is read")
@pytest.mark.parametrize(
    "file",
    ["tokenizer.json", "tokenizer_config.json", "config.json", "added_tokens.json", "vocab.txt"],
)
def test_a_huge_file_is_refused_by_its_size(model: Path, file: str) -> None:
    with (model / file).open("ab") as opened:
        opened.truncate(10**9)  # a hole: takes no space
    assert f"{file} is too large: 1000 MB" in refusal(model)


class Spy:
    """Would write a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


@pytest.mark.fault("hostile", "a pickle in the model folder", "it is never opened")
@pytest.mark.parametrize("place", ["in place of weights", "named as weights", "beside", "tokens"])
def test_nothing_is_unpickled(model: Path, tmp_path: Path, place: str) -> None:
    payload = pickle.dumps(Spy(tmp_path / "ran"))
    if place == "in place of weights":
        (model / "model.safetensors").unlink()
        (model / "pytorch_model.bin").write_bytes(payload)
        assert "model.safetensors missing" in refusal(model)
    elif place == "named as weights":
        (model / "model.safetensors").write_bytes(payload)
        assert "model.safetensors is broken or cut short" in refusal(model)
    elif place == "tokens":
        (model / "tokenizer.json").write_bytes(payload)
        assert "the tokenizer is broken" in refusal(model)
    else:
        (model / "pytorch_model.bin").write_bytes(payload)
        ModelFolderDataset(filepath=str(model)).load()
    assert not (tmp_path / "ran").exists()


@pytest.mark.fault("hostile", "a model that asks for its own code to be run", "it is never run")
@pytest.mark.parametrize("asks", ["model", "tokenizer", "text encoder"])
def test_no_code_of_the_folder_is_run(model: Path, tmp_path: Path, asks: str) -> None:
    (model / "evil.py").write_text(
        f"open({str(tmp_path / 'ran')!r}, 'w')\nclass Evil: pass\n", encoding="utf-8"
    )
    names = {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}
    if asks == "model":
        configure(auto_map=names)(model)
        assert "asks to run code of the folder (auto_map): that is never done" in refusal(model)
    elif asks == "tokenizer":
        classes = {"AutoTokenizer": ["evil.Evil", "evil.Evil"]}
        configure("tokenizer_config.json", auto_map=classes, tokenizer_class="Evil")(model)
    else:
        configure_part("text_config", auto_map=names)(model)
    if asks != "model":
        try:
            ModelFolderDataset(filepath=str(model)).load()
        except DatasetError as error:
            assert len(str(error).splitlines()) == 1
    assert not (tmp_path / "ran").exists()


@pytest.fixture
def encoder(tmp_path: Path) -> Path:
    """A text encoder to train on."""
    save_bert(tmp_path)
    return tmp_path


@pytest.mark.fault("hostile", "an encoder to train on that is or claims to be huge", "one line")
@pytest.mark.parametrize("kind", ["tokenizer", "configuration", "layers"])
def test_a_huge_pretrained_encoder_is_refused(encoder: Path, kind: str) -> None:
    from multimodal_sentiment.encoders import Encoder
    from multimodal_sentiment.model.loading import load_text_encoder

    if kind == "layers":
        configure(num_hidden_layers=10**9)(encoder)
        words = r"config\.json claims 1000000000 layers"
    else:
        file = "tokenizer.json" if kind == "tokenizer" else "config.json"
        with (encoder / file).open("ab") as opened:
            opened.truncate(10**9)
        words = rf"{file} is too large: 1000 MB"
    with pytest.raises(ValueError, match=words):
        load_text_encoder(Encoder("tiny", encoder, "a folder"), 16)


@pytest.mark.fault("hostile", "an encoder to train on that asks for kernels", "it gets none")
def test_an_encoders_wish_for_a_kernel_is_not_followed(encoder: Path) -> None:
    from multimodal_sentiment.encoders import Encoder
    from multimodal_sentiment.model.pretrained import load_network

    configure(_attn_implementation="kernels-community/flash-attn")(encoder)

    network, *_ = load_network(Encoder("tiny", encoder, "a folder"), "text")
    assert network.config._attn_implementation == "sdpa"

"""Encoders of many families, tiny and with random weights, against transformers' and timm's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn
from transformers import (
    AutoConfig,
    AutoImageProcessor,
    AutoModel,
    AutoModelForImageClassification,
    AutoModelForMaskedLM,
    BertTokenizerFast,
)

from multimodal_sentiment.encoders import Encoder
from multimodal_sentiment.model import SentimentClassifier, SentimentConfig, build_model
from multimodal_sentiment.model.image import ImageEncoder, central_square
from multimodal_sentiment.model.loading import load_image_encoder, load_text_encoder
from multimodal_sentiment.parameters import Parameters

WORDS = "good bad day night see the sun rain a we http @user".split()
TEXTS = ["good day we see the sun", "bad", "rain a night rain a night rain a night rain"]

_HEADS = {"num_attention_heads": 2, "intermediate_size": 32, "hidden_size": 16}
_BERT = {**_HEADS, "num_hidden_layers": 2, "max_position_embeddings": 24, "pad_token_id": 0}
_ROBERTA = {**_BERT, "pad_token_id": 1, "bos_token_id": 2, "eos_token_id": 3}

# By family: its configuration, how it is pooled, and the longest text it reads.
TEXT: dict[str, tuple[dict[str, Any], str, int]] = {
    "albert": ({**_BERT, "embedding_size": 8}, "cls", 24),
    "bert": (_BERT, "cls", 24),
    "camembert": (_ROBERTA, "cls", 22),
    "convbert": ({**_BERT, "embedding_size": 16, "head_ratio": 1}, "cls", 24),
    "deberta": (_BERT, "cls", 24),
    "deberta-v2": (
        {
            **_BERT,
            "relative_attention": True,
            "pos_att_type": ["p2c", "c2p"],
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
        "cls",
        24,
    ),
    "distilbert": (
        {"dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32, "max_position_embeddings": 24},
        "cls",
        24,
    ),
    "electra": ({**_BERT, "embedding_size": 8}, "cls", 24),
    "ernie": (_BERT, "cls", 24),
    "mobilebert": (
        {**_BERT, "embedding_size": 8, "intra_bottleneck_size": 16, "num_feedforward_networks": 1},
        "cls",
        24,
    ),
    "modernbert": (
        {
            **_BERT,
            "pad_token_id": 0,
            "local_attention": 4,
            "global_attn_every_n_layers": 2,
            "classifier_pooling": "mean",
        },
        "mean",
        24,
    ),
    "mpnet": (_ROBERTA, "cls", 22),
    "nomic_bert": ({**_BERT, "pad_token_id": 0}, "cls", 24),
    "rembert": ({**_BERT, "input_embedding_size": 8, "output_embedding_size": 8}, "cls", 24),
    "roberta": (_ROBERTA, "cls", 22),
    "xlm-roberta": (_ROBERTA, "cls", 22),
}

_VIT = {**_HEADS, "num_hidden_layers": 2, "image_size": 64, "patch_size": 16}
_STAGES = {"depths": [1, 1], "hidden_sizes": [8, 16], "embedding_size": 8}
_SQUARE = {"height": 64, "width": 64}
_HALF = [0.5, 0.5, 0.5]
_ODD = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3]}

# By family: its configuration, its preprocessor's, what its features are, and how pictures are cut.
IMAGE: dict[str, tuple[dict[str, Any], dict[str, Any], str, tuple[int, int]]] = {
    "beit": (
        _VIT,
        {"image_processor_type": "BeitImageProcessor", "size": _SQUARE},
        "pooler",
        (64, 64),
    ),
    "clip": (
        {"vision_config": _VIT, "text_config": {**_HEADS, "num_hidden_layers": 1, "vocab_size": 9}},
        {"size": {"shortest_edge": 64}, "crop_size": _SQUARE, **_ODD},
        "pooler",
        (64, 64),
    ),
    "convnext": (
        {"depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16]},
        {"size": {"shortest_edge": 64}, "crop_pct": 0.875},
        "pooler",
        (64, 73),
    ),
    "deit": (
        {**_VIT, "architectures": ["DeiTForImageClassification"]},
        {"size": {"height": 72, "width": 72}, "crop_size": _SQUARE, "do_center_crop": True},
        "cls",
        (64, 72),
    ),
    "dinov2": (
        {**_VIT, "patch_size": 16},
        {"size": {"shortest_edge": 72}, "crop_size": _SQUARE, "resample": 3, **_ODD},
        "pooler",
        (64, 72),
    ),
    "dinov2_with_registers": (
        _VIT,
        {
            "image_processor_type": "BitImageProcessor",
            "size": {"shortest_edge": 72},
            "crop_size": _SQUARE,
        },
        "pooler",
        (64, 72),
    ),
    "dinov3_vit": (
        {**_VIT, "num_register_tokens": 2},
        {"image_processor_type": "DINOv3ViTImageProcessor", "size": _SQUARE},
        "pooler",
        (64, 64),
    ),
    "efficientnet": (
        {
            "width_coefficient": 0.25,
            "depth_coefficient": 0.1,
            "hidden_dim": 320,
            "image_size": 64,
        },
        {"size": _SQUARE, "include_top": True},
        "pooler",
        (64, 64),
    ),
    "mobilenet_v2": (
        {"depth_multiplier": 0.25, "image_size": 64},
        {"size": {"shortest_edge": 72}, "crop_size": _SQUARE},
        "pooler",
        (64, 72),
    ),
    "regnet": (
        {**_STAGES, "groups_width": 8, "depths": [1, 1, 1, 1], "hidden_sizes": [8, 8, 16, 16]},
        {"size": {"shortest_edge": 64}, "crop_pct": 0.875},
        "pooler",
        (64, 73),
    ),
    "resnet": (
        {**_STAGES, "layer_type": "basic"},
        {"size": {"shortest_edge": 64}, "crop_pct": 0.875, "resample": 2},
        "pooler",
        (64, 73),
    ),
    "siglip": (
        {"vision_config": _VIT, "text_config": {**_HEADS, "num_hidden_layers": 1, "vocab_size": 9}},
        {"size": _SQUARE, "image_mean": _HALF, "image_std": _HALF},
        "pooler",
        (64, 64),
    ),
    "swin": (
        {
            "image_size": 64,
            "embed_dim": 8,
            "depths": [1, 1],
            "num_heads": [1, 2],
            "window_size": 4,
        },
        {"size": _SQUARE},
        "pooler",
        (64, 64),
    ),
    "vit": (_VIT, {"size": _SQUARE, "resample": 2}, "cls", (64, 64)),
    "vit_msn": (
        _VIT,
        {"image_processor_type": "ViTImageProcessor", "size": _SQUARE},
        "cls",
        (64, 64),
    ),
}
TIMM = ("test_convnext", "test_efficientnet", "test_mambaout", "test_resnet", "test_vit")


def save_text(folder: Path, family: str) -> None:
    """As transformers saves a model that fills gaps, with a tokenizer of words."""
    about, _, _ = TEXT[family]
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    if about.get("pad_token_id") == 1:
        special[:2] = ["[UNK]", "[PAD]"]
    pieces = special + WORDS
    config = AutoConfig.for_model(family, vocab_size=len(pieces), **about)
    AutoModelForMaskedLM.from_config(config).save_pretrained(folder)
    BertTokenizerFast(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)


def save_image(folder: Path, family: str) -> None:
    """As transformers saves a classifier of images, or a model of images and texts."""
    about, preprocessor, _, _ = IMAGE[family]
    config = AutoConfig.for_model(family, **about)
    if "vision_config" in about or family.startswith("dinov3"):
        network = AutoModel.from_config(config)
    else:
        network = AutoModelForImageClassification.from_config(config)
    vary_statistics(network)
    network.save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))


def save_timm(folder: Path, architecture: str, **arguments: Any) -> None:
    """As timm saves for a hub."""
    folder.mkdir()
    network = timm.create_model(architecture, num_classes=7, **arguments)
    vary_statistics(network)
    save_file(network.state_dict(), folder / "model.safetensors")
    config = {
        "architecture": architecture,
        "num_classes": 7,
        "pretrained_cfg": network.pretrained_cfg,
    }
    (folder / "config.json").write_text(json.dumps(config))


def vary_statistics(network: nn.Module) -> None:
    """Running statistics as after a training: each channel has its own."""
    for name, value in network.named_buffers():
        if "running" in name:
            nn.init.uniform_(value, 0.5, 1.5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    return tmp_path / "encoder"


@pytest.fixture
def saved_and_loaded(tmp_path: Path, tiny: Callable[..., Parameters]) -> Callable[..., Any]:
    """Both lives of a model that starts from an encoder: before it is saved, and after."""

    def build(encoder: Encoder, modality: str) -> tuple[nn.Module, nn.Module]:
        named = {"model__text__encoder": encoder.name, "model__image__encoder": encoder.name}
        free = {"model__text__pooling": "auto", "model__image__size": None}
        parameters = tiny(model__modality=modality, model__image__resize=None, **named, **free)
        model, tokenizer = build_model(parameters.model, ["a", "b"], [], {modality: encoder})
        SentimentClassifier(model, tokenizer, {}).save_pretrained(tmp_path / "model")
        loaded = SentimentClassifier.load(tmp_path / "model").model
        return model.eval(), loaded.eval()

    return build


@pytest.mark.parametrize("family", TEXT)
def test_a_text_encoder_reads_as_transformers_does(
    family: str, folder: Path, saved_and_loaded: Callable[..., Any]
) -> None:
    save_text(folder, family)
    encoder = Encoder("encoder", folder, "a folder")
    _, pooling, longest = TEXT[family]
    ours, tokenizer = load_text_encoder(encoder, 16)
    assert (ours.pooling, ours.longest) == (pooling, longest)

    batch = tokenizer(TEXTS, padding=True, return_tensors="pt")
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    with torch.no_grad():
        hidden = AutoModel.from_pretrained(folder).eval()(**inputs).last_hidden_state
        seen = inputs["attention_mask"][..., None]
        expected = hidden[:, 0] if pooling == "cls" else (hidden * seen).sum(1) / seen.sum(1)
        torch.testing.assert_close(ours(**inputs), expected, rtol=1e-5, atol=1e-5)
        assert expected.shape == (len(TEXTS), ours.output_size)
        assert not torch.allclose(expected[0], expected[1], atol=1e-3)

        before, after = saved_and_loaded(encoder, "text")
        torch.testing.assert_close(after(**inputs).logits, before(**inputs).logits)
        features = after.branches["text"].encoder(**inputs)
        torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-5)


def check_image(
    encoder: Encoder,
    picture: np.ndarray,
    expected: torch.Tensor,
    saved_and_loaded: Callable[..., Any],
) -> dict[str, Any]:
    """Ours sees what is expected, before the model is saved and after; returns what defines it."""
    config, weights = load_image_encoder(encoder)
    ours = ImageEncoder(**SentimentConfig(image_config=config).image_encoder).eval()
    ours.encoder.load_state_dict(weights)
    square = central_square(picture, config["resize"], config["size"], config["interpolation"])
    pixels = torch.from_numpy(square.copy())[None]
    with torch.no_grad():
        torch.testing.assert_close(ours(pixels), expected, rtol=1e-5, atol=1e-5)
        assert expected.shape == (1, ours.output_size)
        before, after = saved_and_loaded(encoder, "image")
        torch.testing.assert_close(after(pixels=pixels).logits, before(pixels=pixels).logits)
        features = after.branches["image"].encoder(pixels)
        torch.testing.assert_close(features, expected, rtol=1e-5, atol=1e-5)
    return config


@pytest.mark.parametrize("family", IMAGE)
def test_an_image_encoder_sees_as_transformers_lets_it(
    family: str, folder: Path, saved_and_loaded: Callable[..., Any]
) -> None:
    save_image(folder, family)
    _, _, pooling, (size, resize) = IMAGE[family]
    # So large that nothing is resampled: every library does that a little differently.
    picture = np.random.default_rng(0).integers(0, 256, (resize, resize, 3), dtype=np.uint8)
    processor = AutoImageProcessor.from_pretrained(folder, backend="pil")
    network = AutoModel.from_pretrained(folder).eval()
    inputs = processor(images=Image.fromarray(picture), return_tensors="pt")
    with torch.no_grad():
        output = getattr(network, "vision_model", network)(**inputs)
    expected = output.last_hidden_state[:, 0] if pooling == "cls" else output.pooler_output

    config = check_image(
        Encoder("encoder", folder, "a folder"), picture, expected.flatten(1), saved_and_loaded
    )
    assert (config["size"], config["resize"]) == (size, resize)
    assert config["pooling"] == pooling
    assert config["interpolation"] == Image.Resampling(int(processor.resample)).name.lower()


@pytest.mark.parametrize("architecture", TIMM)
def test_an_image_encoder_sees_as_timm_lets_it(
    architecture: str, folder: Path, saved_and_loaded: Callable[..., Any]
) -> None:
    save_timm(folder, architecture)

    config = check_timm(folder, saved_and_loaded)
    assert config["architecture"] == architecture


@pytest.mark.parametrize("architecture", ["test_resnet", "test_vit"])
def test_a_folder_that_timm_saved_itself_is_an_encoder(
    architecture: str, folder: Path, saved_and_loaded: Callable[..., Any]
) -> None:
    given = {"num_classes": 7, "global_pool": "max"}  # which newer timm writes of itself
    network = timm.create_model(architecture, **given)
    vary_statistics(network)
    timm.models.save_for_hf(network, folder, model_args=given, safe_serialization=True)

    arguments = check_timm(folder, saved_and_loaded)["vision"]["model_args"]
    assert arguments["global_pool"] == "max"
    assert "num_classes" not in arguments


def check_timm(folder: Path, saved_and_loaded: Callable[..., Any]) -> dict[str, Any]:
    """Ours sees what timm's own network and transform do; returns what defines it."""
    network = timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0).eval()
    view = timm.data.resolve_data_config(model=network)
    resize = int(view["input_size"][-1] / view["crop_pct"])
    picture = np.random.default_rng(0).integers(0, 256, (resize, resize, 3), dtype=np.uint8)
    pixels = timm.data.create_transform(**view)(Image.fromarray(picture))
    with torch.no_grad():
        expected = network(pixels[None])

    config = check_image(
        Encoder("encoder", folder, "a folder"), picture, expected, saved_and_loaded
    )
    assert config["interpolation"] == view["interpolation"]
    return config

"""What frozen encoders do: from prepared posts to features, on one core."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import timm
import torch
from figures import Figure, in_turn
from reading import Workplace
from safetensors.torch import save_file
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
)

from multimodal_sentiment.batches import StoredImages
from multimodal_sentiment.model.image import central_square, normalise
from multimodal_sentiment.parameters import ModelParameters
from multimodal_sentiment.predicting import encode_examples

BATCH = 32  # of the reference
SIZE = 224  # px
HALF = [0.5, 0.5, 0.5]
MINILM = {"hidden_size": 384, "num_hidden_layers": 6, "num_attention_heads": 12}


def measure_encoding(work: Workplace, rounds: int) -> list[Figure]:
    """Each encoder against plain calls of it in fp32, in batches of 32 that lie ready.

    Ours begins with stored posts, so that cutting, tokenizing and normalising count; the
    reference is given its inputs.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [
            _measure(work, rounds, name, modality, build)
            for name, (modality, build) in ENCODERS.items()
        ]
    finally:
        torch.set_num_threads(threads)


def _measure(
    work: Workplace, rounds: int, name: str, modality: str, build: Callable[[Path], nn.Module]
) -> Figure:
    folder = work.folder / name.replace("/", "-")
    folder.mkdir()
    network = build(folder).eval()
    if modality == "text":
        work.tokenizer.save_pretrained(folder)
    model, training = _parameters(work, modality, folder)
    examples = work.examples.take(work.rows_here)
    inputs = _inputs(work, modality)

    def ours() -> None:
        encode_examples(examples, [(model, training)], work.store, work.parameters.compute)

    def reference() -> None:
        with torch.inference_mode():
            for batch in inputs:
                network(**batch) if modality == "text" else network(batch)

    took, plain = in_turn(ours, reference, rounds)
    count = len(examples)
    what = f"features of {name}"
    return Figure(what, "posts/s/core", count / took, count / plain, note="beside it: plain fp32")


def _parameters(work: Workplace, modality: str, folder: Path) -> tuple[ModelParameters, Any]:
    values = work.parameters.model.model_dump()
    values |= {"modality": modality}
    values["fusion"] |= {"kind": "concat"}
    values[modality] |= {"encoder": str(folder)}
    values["image"] |= {"size": SIZE, "resize": SIZE}
    training = work.parameters.training
    frozen = training.learning_rate.model_copy(update={"text": 0.0, "image": 0.0})
    return ModelParameters.model_validate(values), training.model_copy(
        update={"learning_rate": frozen}
    )


def _inputs(work: Workplace, modality: str) -> list[Any]:
    posts = work.examples.take(work.rows_here)
    rows = np.arange(len(posts))
    if modality == "text":
        texts = posts["text"].to_pylist()
        limit = work.parameters.model.text.max_tokens
        options = {"padding": True, "truncation": True, "max_length": limit}
        return [
            dict(work.tokenizer(texts[at : at + BATCH], return_tensors="pt", **options))
            for at in range(0, len(texts), BATCH)
        ]
    stored = StoredImages(posts, rows)
    squares = np.stack([central_square(stored[row], SIZE, SIZE) for row in rows])
    pixels = normalise(torch.from_numpy(squares), HALF, HALF).contiguous()
    return list(pixels.split(BATCH))


def _bert(folder: Path, **sizes: int) -> nn.Module:
    config = BertConfig(**sizes)
    config.intermediate_size = 4 * config.hidden_size
    network = BertModel(config, add_pooling_layer=False)
    network.save_pretrained(folder)
    return network


def _timm(folder: Path, name: str) -> nn.Module:
    network = timm.create_model(name)
    save_file(network.state_dict(), folder / "model.safetensors")
    about = {"architecture": name, "num_classes": 1000, "pretrained_cfg": network.pretrained_cfg}
    (folder / "config.json").write_text(json.dumps(about))
    network.reset_classifier(0)
    return network


def _clip(folder: Path) -> nn.Module:
    network = CLIPVisionModel(CLIPVisionConfig(patch_size=32))
    network.save_pretrained(folder)
    CLIPImageProcessor().save_pretrained(folder)
    return network


# By name: what it reads, and what builds it with random weights and saves it.
ENCODERS: dict[str, tuple[str, Callable[[Path], nn.Module]]] = {
    "MiniLM-L6": ("text", lambda folder: _bert(folder, **MINILM)),
    "EfficientNet-Lite0": ("image", lambda folder: _timm(folder, "tf_efficientnet_lite0")),
    "BERT-base": ("text", _bert),
    "ResNet-50": ("image", lambda folder: _timm(folder, "resnet50")),
    "CLIP ViT-B/32": ("image", _clip),
}

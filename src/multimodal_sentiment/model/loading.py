"""Pretrained encoders are read, and refused if a weight is missing or too many."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    CLIPVisionConfig,
    CLIPVisionModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.image_utils import OPENAI_CLIP_MEAN, OPENAI_CLIP_STD

from multimodal_sentiment.encoders import (
    RESNETS,
    Encoder,
    EncoderError,
    image_family,
    most_layers,
    read_config,
)

from .configuration import IMAGENET_MEAN, IMAGENET_STD, longest_text
from .validation import WEIGHTS, check_sizes

_OFFLINE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

_OWN = ("embeddings.", "encoder.", "transformer.")  # what weights of a text encoder begin with
_CLIP_BESIDES = ("text_model.", "text_projection", "visual_projection", "logit_")

# Vocabularies are padded to round sizes, by less than this.
_MOST_PADDING = 1024

Weights = dict[str, torch.Tensor]


def load_text_encoder(
    encoder: Encoder, max_tokens: int
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A text encoder and its tokenizer.

    Args:
        encoder: A folder with a model of the BERT or RoBERTa families.
        max_tokens: What it must be able to read.

    Raises:
        EncoderError: If either cannot be read, or they do not belong together.
    """
    model = _load("text", encoder)
    try:
        check_sizes(encoder.path)
        tokenizer = AutoTokenizer.from_pretrained(encoder.path, **_OFFLINE)
        if hasattr(tokenizer, "normalization"):
            # BERTweet's, which by this reads links and users as the two tokens it was taught.
            tokenizer = AutoTokenizer.from_pretrained(encoder.path, normalization=True, **_OFFLINE)
    except Exception as error:  # whatever a broken vocabulary makes its parser raise
        raise EncoderError(
            f"model.text.encoder: cannot read the tokenizer in {encoder.path}: {_first(error)}"
        ) from error
    config, count = model.config, len(tokenizer)
    if not config.vocab_size - _MOST_PADDING < count <= config.vocab_size:
        raise EncoderError(
            f"model.text.encoder: the tokenizer in {encoder.path} has {count} tokens, the encoder "
            f"{config.vocab_size}: they do not belong together: put the encoder's own there"
        )
    if tokenizer.pad_token_id != config.pad_token_id:
        raise EncoderError(
            f"model.text.encoder: the tokenizer in {encoder.path} pads with token "
            f"{tokenizer.pad_token_id}, the encoder with {config.pad_token_id}: they do not belong "
            "together: put the encoder's own there"
        )
    if tokenizer.mask_token_id is None:  # these families were all taught to fill gaps
        raise EncoderError(
            f"model.text.encoder: the tokenizer in {encoder.path} has no mask token: put the "
            "encoder's own there"
        )
    if max_tokens > (longest := longest_text(config)):
        raise EncoderError(
            f"model.text.max_tokens: {encoder.name} reads at most {longest} tokens, not "
            f"{max_tokens}: set at most that"
        )
    return model, tokenizer


def check_encoder(encoder: Encoder, modality: str, limit: int) -> None:
    """Find out before a training whether it could start from an encoder.

    Args:
        encoder: The encoder.
        modality: Which it is to encode.
        limit: The tokens that it must be able to read, or the side of the square to see, px.

    Raises:
        EncoderError: If it could not.
    """
    (load_text_encoder if modality == "text" else load_image_encoder)(encoder, limit)


def load_image_encoder(encoder: Encoder, size: int) -> tuple[dict[str, Any], Weights]:
    """What defines an image encoder, and its weights.

    Args:
        encoder: A folder as timm or transformers write it, or a file with a ResNet's weights.
        size: The side of the square that it must be able to see, px.

    Returns:
        `architecture`, `mean` and `std`, of a CLIP also `vision`; and its state dict.

    Raises:
        EncoderError: If it cannot be read, or is not what its configuration says.
    """
    family = image_family(encoder.path)
    if family == "clip":
        return _load_clip(encoder, size)
    path = encoder.path if encoder.path.is_file() else encoder.path / "model.safetensors"
    # The classifier is not ours.
    given = {k: v for k, v in load_file(path).items() if not k.startswith("fc.")}
    wanted = {name: _resnet_weights(name) for name in ([family] if family else RESNETS)}
    architecture = min(wanted, key=lambda name: _count_odd(wanted[name], given))
    if odd := _name_odd(wanted[architecture], given):
        raise EncoderError(
            f"model.image.encoder: {path} does not hold torchvision's {architecture}: {odd}: name "
            "weights that do, such as timm/resnet50.tv_in1k"
        )
    config = read_config(encoder.path)
    place, statistics = f"config.json of {encoder.path}", config.get("pretrained_cfg", config)
    return {
        "architecture": architecture,
        "mean": _three(place, statistics, "mean", IMAGENET_MEAN),
        "std": _three(place, statistics, "std", IMAGENET_STD),
    }, given


def _load_clip(encoder: Encoder, size: int) -> tuple[dict[str, Any], Weights]:
    tower = _load("image", encoder)
    if tower.config.image_size != size:
        raise EncoderError(
            f"model.image.size: {encoder.name} sees squares of {tower.config.image_size} px, not "
            f"{size}: set model.image.size and model.image.resize to that"
        )
    path = encoder.path / "preprocessor_config.json"
    try:
        statistics = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise EncoderError(
            f"model.image.encoder: {path} is broken ({error}): fetch or copy it again"
        ) from error
    return {
        "architecture": "clip",
        "mean": _three(str(path), statistics, "image_mean", OPENAI_CLIP_MEAN),
        "std": _three(str(path), statistics, "image_std", OPENAI_CLIP_STD),
        "vision": tower.config.to_dict(),
    }, tower.state_dict()


def _three(place: str, statistics: Any, key: str, usual: Collection[float]) -> list[float]:
    """A statistic of each channel."""
    values = statistics.get(key, usual) if isinstance(statistics, dict) else None
    try:
        red, green, blue = map(float, values or ())
    except (TypeError, ValueError):
        red = green = blue = math.nan
    if not all(map(math.isfinite, (red, green, blue))):
        raise EncoderError(
            f"model.image.encoder: {place} has no three numbers as {key}: fetch or copy it again"
        )
    return [red, green, blue]


def _load(modality: str, encoder: Encoder) -> PreTrainedModel:
    """A transformers model whose weights are all there, and none that it knows nothing of.

    Published weights hold more than the encoder: heads, and of a CLIP the tower of texts.
    """
    kind: Any = AutoModel if modality == "text" else CLIPVisionModel
    configured: Any = AutoConfig if modality == "text" else CLIPVisionConfig
    parameter = f"model.{modality}.encoder"
    try:
        with safe_open(encoder.path / WEIGHTS, framework="pt") as file:
            given = len(file.keys())
        if (layers := most_layers(read_config(encoder.path))) > given:
            raise EncoderError(f"config.json claims {layers} layers, of {given} weights")
        config = configured.from_pretrained(encoder.path, **_OFFLINE)
        config._attn_implementation = "sdpa"  # whatever it asks for, such as a kernel to fetch
        # Their own precision may be half; a model is trained and kept in single.
        model, report = kind.from_pretrained(
            encoder.path,
            use_safetensors=True,
            dtype=torch.float32,
            output_loading_info=True,
            config=config,
            **_OFFLINE,
        )
    except Exception as error:  # what transformers raises here has no common base
        raise EncoderError(
            f"{parameter}: cannot load {encoder.path}: {_first(error)}: fetch or copy it again, or "
            "name another"
        ) from error
    prefix = f"{model.base_model_prefix}."
    # BERT's pooler was pretrained for sentence pairs, and is not what we pool with.
    missing = [name for name in report["missing_keys"] if not name.startswith("pooler.")]
    superfluous = [
        name
        for name in report["unexpected_keys"]
        if name.removeprefix(prefix).startswith(_OWN) or modality == "image"
        if not name.startswith(_CLIP_BESIDES) and not name.endswith("position_ids")
    ]
    if missing or superfluous:
        family = model.config.model_type
        raise EncoderError(
            f"{parameter}: {encoder.path} does not hold the {family} that its config.json "
            f"describes: {_list_odd(missing, superfluous, [])}: put the config.json of these "
            "weights there"
        )
    return model


def _resnet_weights(architecture: str) -> Weights:
    with torch.device("meta"):
        network: nn.Module = torchvision.models.get_model(architecture, weights=None)
    return {k: v for k, v in network.state_dict().items() if not k.startswith("fc.")}


def _odd_weights(
    wanted: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]
) -> tuple[list[str], list[str], list[str]]:
    """The names that are missing, superfluous, and of another shape."""
    # Some publishers leave out the counters of batches, which say nothing here.
    missing = [name for name in wanted if name not in given and "num_batches" not in name]
    superfluous = [name for name in given if name not in wanted]
    reshaped = [k for k, v in given.items() if k in wanted and wanted[k].shape != v.shape]
    return missing, superfluous, reshaped


def _count_odd(wanted: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> int:
    return sum(map(len, _odd_weights(wanted, given)))


def _name_odd(wanted: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> str:
    return _list_odd(*_odd_weights(wanted, given))


def _list_odd(
    missing: Collection[str], superfluous: Collection[str], reshaped: Collection[str]
) -> str:
    kinds = {"missing": missing, "superfluous": superfluous, "of another shape": reshaped}
    parts = []
    for kind, names in kinds.items():
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            parts.append(f"{kind} {min(names)}{more}")
    return ", ".join(parts)


def _first(error: BaseException) -> str:
    """The first line of an error's text."""
    lines: list[str] = str(error).strip().splitlines()
    return lines[0].rstrip(":. ") if lines else type(error).__name__

"""Builds the networks of transformers and timm.

A configuration may come from anywhere. Whatever in it would fetch or run something is left out or
refused: its own code, kernels, quantisation, weights of a backbone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    PreTrainedConfig,
    PreTrainedModel,
)
from transformers.utils import is_timm_available, requires_backends

_LABELS_OF_TIMM = {"label_names", "num_classes"}
_LONGEST = 200  # characters of what a library says, in one of our messages


def encoder_config(content: Mapping[str, Any], modality: str) -> PreTrainedConfig:
    """Return an encoder's configuration, built only from the keys that define it.

    Args:
        content: The content of its `config.json`, or of that of a model that uses it.
        modality: The modality that it is to encode.

    Raises:
        ValueError: If there is no such family, it encodes something else, or it would fetch
            something.
    """
    kept = defining_part(content, modality)
    family = kept["model_type"]
    if any("backbone" in key and value for key, value in kept.items()):
        raise ValueError(f"wrong {modality}_config: a {family} that names a backbone to fetch")
    if family == "timm_wrapper":
        _check_timm(kept)
    # Of a family with several encoders, the usual one is built, whichever head was published.
    config: PreTrainedConfig = AutoConfig.for_model(**kept, architectures=[])
    check_encodes(config, modality)
    return config


def defining_part(content: Mapping[str, Any], modality: str) -> dict[str, Any]:
    """Return the part of a configuration that defines the encoder.

    The keys that all families share are left out: they are about labels and outputs, or ask for
    kernels.

    Raises:
        ValueError: If there is no such family.
    """
    family = content.get("model_type")
    if not isinstance(family, str) or family not in CONFIG_MAPPING:
        raise ValueError(f"wrong {modality}_config.model_type: {family}")
    own = CONFIG_MAPPING[family]().to_dict().keys() - PreTrainedConfig().to_dict().keys()
    own -= _LABELS_OF_TIMM
    kept = {"model_type": family} | {key: content[key] for key in content if key in own}
    if isinstance(arguments := kept.get("model_args"), dict):  # newer timm names them here too
        kept["model_args"] = {
            key: value for key, value in arguments.items() if key not in _LABELS_OF_TIMM
        }
    return kept


def check_encodes(config: PreTrainedConfig, modality: str) -> None:
    """Check that a family of networks encodes a modality.

    An encoder of texts is a family that transformers trains to fill gaps: a decoder sees only the
    tokens before.

    Raises:
        ValueError: If it does not.
    """
    family = config.model_type
    if modality == "text":
        decodes = config.is_encoder_decoder or getattr(config, "is_decoder", False)
        if decodes or type(config) not in MODEL_FOR_MASKED_LM_MAPPING:
            raise ValueError(
                f"wrong text_config.model_type: {family} is no encoder of texts: choose one that "
                "was trained to fill gaps, such as a BERT, RoBERTa, XLM-R, DeBERTa or ModernBERT"
            )
        return
    network = MODEL_MAPPING.get(type(config), None)
    if isinstance(network, tuple):
        network = network[0]
    if network is None or network.main_input_name != "pixel_values":
        raise ValueError(
            f"wrong image_config.model_type: {family} is no encoder of images: choose one such as "
            "a ViT, CLIP, SigLIP, DINOv2, ResNet or ConvNeXt, or one of timm"
        )


def build_network(config: PreTrainedConfig) -> tuple[PreTrainedModel, bool]:
    """Return a network without pretrained weights, and whether its attention is torch's own."""
    return with_attention(lambda how: AutoModel.from_config(config, attn_implementation=how))


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text, cut where it is long."""
    lines: list[str] = str(error).strip().splitlines()
    if not lines:
        return type(error).__name__
    return lines[0].rstrip(":. ") if len(lines[0]) <= _LONGEST else f"{lines[0][:_LONGEST]} ..."


def with_attention(build: Callable[[str], Any]) -> tuple[Any, bool]:
    """Return what is built with torch's attention, or with the family's own if it refuses that.

    Both are requested by name, so that the configuration cannot request a kernel to be fetched.
    """
    try:
        return build("sdpa"), True
    except ValueError:
        return build("eager"), False


def _check_timm(content: Mapping[str, Any]) -> None:
    """Check that timm knows the name itself, and that no argument names a file to load."""
    requires_backends(AutoModel, "timm")
    if is_timm_available():  # written so, transformers does not ask it of other models
        import timm

    name, arguments = content.get("architecture"), content.get("model_args") or {}
    if not isinstance(name, str) or not timm.is_model(name):
        raise ValueError(f"wrong image_config.architecture: timm {timm.__version__} has no {name}")
    own = {*inspect.signature(timm.create_model).parameters} - {"kwargs"}
    if not isinstance(arguments, dict) or own & arguments.keys():
        raise ValueError(f"wrong image_config.model_args: {', '.join(sorted(own & {*arguments}))}")

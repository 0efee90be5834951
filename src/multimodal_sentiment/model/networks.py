"""transformers' and timm's networks: which may be built, and how they are built.

A configuration may come from anywhere. What in it would fetch or run something is left out or
refused: code of its own, kernels, quantisation, weights of a backbone.
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


def define(content: Mapping[str, Any], modality: str) -> PreTrainedConfig:
    """The configuration of an encoder, of what defines it alone.

    Args:
        content: As its `config.json`, or that of a model made from it, has it.
        modality: Which it is to encode.

    Raises:
        ValueError: If there is no such family, it encodes something else, or it would fetch
            something.
    """
    kept = essence(content, modality)
    family = kept["model_type"]
    if any("backbone" in key and value for key, value in kept.items()):
        raise ValueError(f"wrong {modality}_config: a {family} that names a backbone to fetch")
    if family == "timm_wrapper":
        _check_timm(kept)
    # Of a family with several encoders, the usual one is built, whichever head was published.
    config: PreTrainedConfig = AutoConfig.for_model(**kept, architectures=[])
    check_encodes(config, modality)
    return config


def essence(content: Mapping[str, Any], modality: str) -> dict[str, Any]:
    """What defines an encoder, of its configuration.

    The keys that all families share are about labels and outputs, or ask for kernels.

    Raises:
        ValueError: If there is no such family.
    """
    family = content.get("model_type")
    if not isinstance(family, str) or family not in CONFIG_MAPPING:
        raise ValueError(f"wrong {modality}_config.model_type: {family}")
    own = CONFIG_MAPPING[family]().to_dict().keys() - PreTrainedConfig().to_dict().keys()
    own -= {"label_names", "num_classes"}  # timm's labels
    return {"model_type": family} | {key: content[key] for key in content if key in own}


def check_encodes(config: PreTrainedConfig, modality: str) -> None:
    """Refuse a family that is no encoder of a modality.

    Texts are read by what transformers trains to fill gaps: decoders see what came before only.

    Raises:
        ValueError: If it is none.
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
    """A network without pretrained weights, and whether its attention is torch's own."""
    return with_attention(lambda how: AutoModel.from_config(config, attn_implementation=how))


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    lines: list[str] = str(error).strip().splitlines()
    return lines[0].rstrip(":. ") if lines else type(error).__name__


def with_attention(build: Callable[[str], Any]) -> tuple[Any, bool]:
    """What is built with torch's attention, or if the family refuses that, with its own.

    Either is asked for by name, whatever the configuration asks for, such as a kernel to fetch.
    """
    try:
        return build("sdpa"), True
    except ValueError:
        return build("eager"), False


def _check_timm(content: Mapping[str, Any]) -> None:
    """Refuse a name that timm would look for elsewhere, and arguments that name files to load."""
    import timm

    name, arguments = content.get("architecture"), content.get("model_args") or {}
    if not isinstance(name, str) or not timm.is_model(name):
        raise ValueError(f"wrong image_config.architecture: timm {timm.__version__} has no {name}")
    own = {*inspect.signature(timm.create_model).parameters} - {"kwargs"}
    if not isinstance(arguments, dict) or own & arguments.keys():
        raise ValueError(f"wrong image_config.model_args: {', '.join(sorted(own & {*arguments}))}")

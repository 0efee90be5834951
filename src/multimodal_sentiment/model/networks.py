"""Builds and loads the networks of transformers and timm.

A configuration may come from anywhere. Whatever in it would fetch or run something is left out or
refused: its own code, kernels, quantisation, weights of a backbone.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

import torch
from safetensors import safe_open
from transformers import (
    CONFIG_MAPPING,
    MODEL_FOR_MASKED_LM_MAPPING,
    MODEL_MAPPING,
    AutoConfig,
    AutoModel,
    PreTrainedConfig,
    PreTrainedModel,
)

from multimodal_sentiment.encoders import (
    Encoder,
    EncoderError,
    most_layers,
    read_config,
    weights_of,
)

OFFLINE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

MOST_LAYERS = (
    1000  # a claim of so many is believed, whatever the weights: it costs no more than time
)

# What weights may hold under an encoder's own name without its network having it: counted again
# when the network is built, or of use only in pretraining.
_BESIDES = ("position_ids", "token_type_ids", "relative_position_index", "mask_token", "._weight")


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
    own -= {"label_names", "num_classes"}  # timm's labels
    return {"model_type": family} | {key: content[key] for key in content if key in own}


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
    return _with_attention(lambda how: AutoModel.from_config(config, attn_implementation=how))


def load_network(
    encoder: Encoder, modality: str
) -> tuple[PreTrainedModel, bool, PreTrainedConfig, list[str]]:
    """Load a network, and check that its weights are complete and all known to it.

    Published weights hold more than the encoder: heads, and in a CLIP the text tower.

    Returns:
        The network, in single precision; whether its attention is torch's own; the configuration
        of all that the folder holds; and which weights of a pooling layer are missing.

    Raises:
        EncoderError: If it cannot be loaded, or is not what its configuration says.
    """
    parameter = f"model.{modality}.encoder"
    try:
        content, given = read_config(encoder.path), _names_of_weights(encoder)
        check_layers(content, len(given))
        if "model_type" in content:
            whole: PreTrainedConfig = AutoConfig.from_pretrained(encoder.path, **OFFLINE)
        else:  # timm's own
            whole = encoder_config({**content, "model_type": "timm_wrapper"}, modality)
        towers = getattr(whole, "vision_config", None) if modality == "image" else None
        config = encoder_config((towers or whole).to_dict(), modality)
        (network, report), torch_attention = _with_attention(
            lambda how: AutoModel.from_pretrained(
                encoder.path,
                config=config,
                use_safetensors=True,
                dtype=torch.float32,  # theirs may be half; a model is trained and kept in single
                output_loading_info=True,
                attn_implementation=how,
                **OFFLINE,
            )
        )
    except Exception as error:  # what transformers raises here has no common base
        raise EncoderError(
            f"{parameter}: cannot load {encoder.path}: {first_line(error)}: fetch or copy it "
            "again, or name another"
        ) from error
    pooler = [name for name in report["missing_keys"] if name.startswith("pooler.")]
    missing = [
        name
        for name in report["missing_keys"]
        if name not in pooler and not name.endswith("num_batches_tracked")
    ]
    superfluous = _unused_weights(network, given, report["unexpected_keys"])
    if missing or superfluous:
        raise EncoderError(
            f"{parameter}: {encoder.path} does not hold the {config.model_type} that its "
            f"config.json describes: {list_odd(missing, superfluous, [])}: put the config.json of "
            "these weights there"
        )
    return network, torch_attention, whole, pooler


def check_layers(content: Any, given: int) -> None:
    """Check that a configuration does not claim far more layers than there are weights.

    Raises:
        ValueError: If it does.
    """
    if (layers := most_layers(content)) > max(given, MOST_LAYERS):
        raise ValueError(f"config.json claims {layers:.0f} layers, of {given} weights")


def list_odd(
    missing: Collection[str], superfluous: Collection[str], reshaped: Collection[str]
) -> str:
    """Return in words which weights do not fit, one of each kind."""
    kinds = {"missing": missing, "superfluous": superfluous, "of another shape": reshaped}
    parts = []
    for kind, names in kinds.items():
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            parts.append(f"{kind} {min(names)}{more}")
    return ", ".join(parts)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's text."""
    lines: list[str] = str(error).strip().splitlines()
    return lines[0].rstrip(":. ") if lines else type(error).__name__


def _with_attention(build: Callable[[str], Any]) -> tuple[Any, bool]:
    """Return what is built with torch's attention, or with the family's own if it refuses that.

    Both are requested by name, so that the configuration cannot request a kernel to be fetched.
    """
    try:
        return build("sdpa"), True
    except ValueError:
        return build("eager"), False


def _check_timm(content: Mapping[str, Any]) -> None:
    """Check that timm knows the name itself, and that no argument names a file to load."""
    import timm

    name, arguments = content.get("architecture"), content.get("model_args") or {}
    if not isinstance(name, str) or not timm.is_model(name):
        raise ValueError(f"wrong image_config.architecture: timm {timm.__version__} has no {name}")
    own = {*inspect.signature(timm.create_model).parameters} - {"kwargs"}
    if not isinstance(arguments, dict) or own & arguments.keys():
        raise ValueError(f"wrong image_config.model_args: {', '.join(sorted(own & {*arguments}))}")


def _names_of_weights(encoder: Encoder) -> set[str]:
    names: set[str] = set()
    for path in weights_of(encoder.path):
        with safe_open(path, framework="pt") as file:
            names.update(file.keys())
    return names


def _unused_weights(
    network: PreTrainedModel, given: Collection[str], unexpected: Collection[str]
) -> list[str]:
    """Return the unused weights that belong to the encoder, not to a head."""
    prefix = f"{network.base_model_prefix}."
    parts = {name for name, _ in network.named_children()}
    # What transformers has brought into the encoder's own namespace begins as no weight given.
    others = {name.partition(".")[0] for name in given} - parts
    heads: tuple[str, ...] = ()
    if hasattr(network, "timm_model"):
        named = network.timm_model.pretrained_cfg.get("classifier") or ()
        heads = tuple(f"{head}." for head in ([named] if isinstance(named, str) else named))
    return [
        name
        for name in unexpected
        if name.startswith(prefix) or name.partition(".")[0] not in others
        if not name.endswith(_BESIDES) and not name.removeprefix(prefix).startswith(heads)
    ]

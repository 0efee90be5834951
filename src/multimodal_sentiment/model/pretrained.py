"""Networks of transformers and timm, and torchvision's ResNets, with their pretrained weights."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModel, PreTrainedConfig, PreTrainedModel

from multimodal_sentiment.encoders import (
    Encoder,
    EncoderError,
    most_layers,
    read_config,
    weights_of,
)

from .configuration import IMAGENET_MEAN, IMAGENET_STD
from .networks import encoder_config, first_line, with_attention

Weights = dict[str, torch.Tensor]

OFFLINE: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}

# A claim of so many is believed, whatever the weights: it costs no more than time.
MOST_LAYERS = 1000

# What weights may hold under an encoder's own name without its network having it: counted again
# when the network is built, or of use only in pretraining.
_BESIDES = ("position_ids", "token_type_ids", "relative_position_index", "mask_token", "._weight")

_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
# How torchvision's own were trained; a file of weights does not say.
_TORCHVISION: dict[str, Any] = {
    "mean": list(IMAGENET_MEAN),
    "std": list(IMAGENET_STD),
    "interpolation": "bilinear",
    "size": 224,
    "resize": 256,
}


def load_network(
    encoder: Encoder, modality: str
) -> tuple[PreTrainedModel, bool, PreTrainedConfig, list[str]]:
    """Load a network whose weights are all there, and none that it knows nothing of.

    Published weights hold more than the encoder: heads, and of a CLIP the tower of texts.

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
        (network, report), torch_attention = with_attention(
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
    superfluous = _superfluous(network, given, report["unexpected_keys"])
    if missing or superfluous:
        raise EncoderError(
            f"{parameter}: {encoder.path} does not hold the {config.model_type} that its "
            f"config.json describes: {list_odd([*missing, *superfluous])}: put the config.json of "
            "these weights there"
        )
    return network, torch_attention, whole, pooler


def load_resnet(encoder: Encoder) -> tuple[dict[str, Any], Weights]:
    """Load a file of weights; return the configuration of the ResNet it fits best, and the weights.

    Raises:
        EncoderError: If it does not hold the weights of a ResNet.
    """
    # The classifier is not ours.
    given = {k: v for k, v in load_file(encoder.path).items() if not k.startswith("fc.")}
    odd = {architecture: _odd_weights(architecture, given) for architecture in _RESNETS}
    architecture = min(odd, key=lambda name: len(odd[name]))
    if odd[architecture]:
        raise EncoderError(
            f"model.image.encoder: {encoder.path} does not hold torchvision's {architecture}: "
            f"{list_odd(odd[architecture])}: name weights that do, or the folder of a transformers "
            "or timm encoder"
        )
    return {"architecture": architecture} | _TORCHVISION, given


def check_layers(content: Any, given: int) -> None:
    """Refuse a configuration that claims far more layers than there are weights.

    Raises:
        ValueError: If it does.
    """
    if (layers := most_layers(content)) > max(given, MOST_LAYERS):
        raise ValueError(f"config.json claims {layers:.0f} layers, of {given} weights")


def list_odd(names: Collection[str]) -> str:
    """Say which weights are not as they should be."""
    return f"weights missing, unknown or of another shape: {len(names)}, {min(names)} first"


def _names_of_weights(encoder: Encoder) -> set[str]:
    names: set[str] = set()
    for path in weights_of(encoder.path):
        with safe_open(path, framework="pt") as file:
            names.update(file.keys())
    return names


def _superfluous(
    network: PreTrainedModel, given: Collection[str], unexpected: Collection[str]
) -> list[str]:
    """Those of the weights without a place that are the encoder's own, and no head's."""
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


def _odd_weights(architecture: str, given: Weights) -> list[str]:
    """Return the names of weights that are missing, unknown, or of another shape."""
    with torch.device("meta"):
        network = torchvision.models.get_model(architecture, weights=None)
    wanted = {k: v for k, v in network.state_dict().items() if not k.startswith("fc.")}
    return [
        name
        for name in wanted | given
        if name not in wanted or name not in given or wanted[name].shape != given[name].shape
        if "num_batches" not in name  # some publishers leave these counters out
    ]

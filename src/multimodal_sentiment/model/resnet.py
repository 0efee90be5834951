"""Loads torchvision's ResNets, whose weights are a single file without a configuration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torchvision
from safetensors.torch import load_file
from torch import nn

from multimodal_sentiment.encoders import Encoder, EncoderError

from .configuration import IMAGENET_MEAN, IMAGENET_STD
from .pretrained import list_odd

Weights = dict[str, torch.Tensor]

_RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
# How torchvision's own were trained; a file of weights does not say.
_TORCHVISION: dict[str, Any] = {
    "mean": list(IMAGENET_MEAN),
    "std": list(IMAGENET_STD),
    "interpolation": "bilinear",
    "size": 224,
    "resize": 256,
}


def load_resnet(encoder: Encoder) -> tuple[dict[str, Any], Weights]:
    """Load a file of weights; return the configuration of the ResNet it fits best, and the weights.

    Raises:
        EncoderError: If it does not hold the weights of a ResNet.
    """
    # The classifier is not ours.
    given = {k: v for k, v in load_file(encoder.path).items() if not k.startswith("fc.")}
    wanted = {name: _resnet_weights(name) for name in _RESNETS}
    architecture = min(wanted, key=lambda name: sum(map(len, _odd_weights(wanted[name], given))))
    odd = _odd_weights(wanted[architecture], given)
    if any(odd):
        raise EncoderError(
            f"model.image.encoder: {encoder.path} does not hold torchvision's {architecture}: "
            f"{list_odd(*odd)}: name weights that do, or the folder of a transformers or timm "
            "encoder"
        )
    return {"architecture": architecture} | _TORCHVISION, given


def _resnet_weights(architecture: str) -> Weights:
    with torch.device("meta"):
        network: nn.Module = torchvision.models.get_model(architecture, weights=None)
    return {k: v for k, v in network.state_dict().items() if not k.startswith("fc.")}


def _odd_weights(
    wanted: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]
) -> tuple[list[str], list[str], list[str]]:
    """Return the names of weights that are missing, superfluous, or of another shape."""
    # Some publishers leave out the counters of batches, which say nothing here.
    missing = [name for name in wanted if name not in given and "num_batches" not in name]
    superfluous = [name for name in given if name not in wanted]
    reshaped = [k for k, v in given.items() if k in wanted and wanted[k].shape != v.shape]
    return missing, superfluous, reshaped

"""Loads torchvision's ResNets, whose weights are a single file without a configuration."""

from __future__ import annotations

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
    odd = {architecture: _odd_weights(architecture, given) for architecture in _RESNETS}
    architecture = min(odd, key=lambda name: len(odd[name]))
    if odd[architecture]:
        raise EncoderError(
            f"model.image.encoder: {encoder.path} does not hold torchvision's {architecture}: "
            f"{list_odd(odd[architecture])}: name weights that do, or the folder of a transformers "
            "or timm encoder"
        )
    return {"architecture": architecture} | _TORCHVISION, given


def _odd_weights(architecture: str, given: Weights) -> list[str]:
    """Return the names of weights that are missing, unknown, or of another shape."""
    with torch.device("meta"):
        network: nn.Module = torchvision.models.get_model(architecture, weights=None)
    wanted = {k: v for k, v in network.state_dict().items() if not k.startswith("fc.")}
    return [
        name
        for name in wanted | given
        if name not in wanted or name not in given or wanted[name].shape != given[name].shape
        if "num_batches" not in name  # some publishers leave these counters out
    ]

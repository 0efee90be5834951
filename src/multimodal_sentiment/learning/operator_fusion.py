"""Lets encoders predict on a CPU with fused kernels.

A ResNet computes each convolution, its normalisation, the sum with the block's input and the ReLU
at once; as PyTorch writes it, two thirds of the time goes into reading and writing between them.
Linear layers multiply weights that were brought into the kernels' own layout, and precision, once.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Literal

import torch
from torch import nn
from torch.nn.utils import skip_init
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.models import ResNet

logger = logging.getLogger(__name__)

# Images at once: what a layer says of them then stays in the processor's cache for the next.
_IMAGES = 16

# The kernels by which torch.compile runs on CPUs, called here without its minutes of compiling.
_kernels = torch.ops.mkldnn


@contextmanager
def fused(model: nn.Module, precision: torch.dtype) -> Iterator[None]:
    """Predict on a CPU with fused kernels inside this context, if this torch has them.

    The results are those of the unchanged model, except for rounding. The weights must not change
    meanwhile.

    Args:
        model: The model, in evaluation mode, on the CPU; ResNets and linear layers are replaced.
        precision: The data type of convolutions and matrix products: float32, or bfloat16 under
            autocast.
    """
    replaced: list[tuple[nn.Module, str, nn.Module]] = []
    try:
        if _supported(precision):
            with torch.inference_mode():
                _replace_children(model, precision, replaced)
        yield
    finally:
        for parent, name, child in replaced:
            setattr(parent, name, child)


def _replace_children(
    parent: nn.Module, precision: torch.dtype, replaced: list[tuple[nn.Module, str, nn.Module]]
) -> None:
    for name, child in parent.named_children():
        substitute: nn.Module | None = None
        if isinstance(child, ResNet):
            substitute = _FusedResNet(child, precision)
        elif type(child) is nn.Linear and precision == torch.bfloat16:
            substitute = _PackedLinear(child)  # in float32 it would save nothing
        if substitute is None:
            _replace_children(child, precision, replaced)
        else:
            replaced.append((parent, name, child))
            setattr(parent, name, substitute)


class _FusedResNet(nn.Module):
    """A torchvision ResNet, its classifier as it is."""

    def __init__(self, network: ResNet, precision: torch.dtype) -> None:
        super().__init__()
        self._precision = precision
        self._stem = _convolution(network.conv1, network.bn1, precision)
        layers = (network.layer1, network.layer2, network.layer3, network.layer4)
        self._blocks = [_block(block, precision) for layer in layers for block in layer]
        self._maxpool, self._avgpool, self._fc = network.maxpool, network.avgpool, network.fc

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the network's output for images of shape (batch, 3, height, width)."""
        pooled = torch.cat([self._pooled(part) for part in images.split(_IMAGES)])
        features: torch.Tensor = self._fc(pooled)
        return features

    def _pooled(self, images: torch.Tensor) -> torch.Tensor:
        maps = self._maxpool(self._stem(images.to(self._precision)))
        for block in self._blocks:
            maps = block(maps)
        pooled: torch.Tensor = self._avgpool(maps).flatten(1)
        return pooled


class _PackedLinear(nn.Module):
    """A linear layer in bfloat16."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self._weight = _kernels._reorder_linear_weight(layer.weight.bfloat16())
        self._bias = None if layer.bias is None else layer.bias.bfloat16()
        self._as_written = [layer]  # in a list, so that it is no part of this module

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return outputs of shape (..., outputs) for values of shape (..., inputs)."""
        if not torch.is_autocast_enabled("cpu"):  # the model asks for float32 here
            outputs: torch.Tensor = self._as_written[0](values)
            return outputs
        product: torch.Tensor = _kernels._linear_pointwise(
            values.bfloat16(), self._weight, self._bias, "none", [], ""
        )
        return product


def _block(block: nn.Module, precision: torch.dtype) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a residual block of two or three convolutions, the last added to the block's input."""
    pairs = [(getattr(block, f"conv{n}", None), getattr(block, f"bn{n}", None)) for n in (1, 2, 3)]
    *first, (last, last_norm) = [(conv, norm) for conv, norm in pairs if conv is not None]
    convolutions = [_convolution(conv, norm, precision) for conv, norm in first]
    add_to = _convolution(last, last_norm, precision, ending="add, relu")
    shortcut = None
    if block.downsample is not None:
        conv, norm = block.downsample
        shortcut = _convolution(conv, norm, precision, ending="none")

    def run(maps: torch.Tensor) -> torch.Tensor:
        changed = maps
        for convolution in convolutions:
            changed = convolution(changed)
        # Nobody needs the input after this: the sum is written over it.
        return add_to(changed, maps if shortcut is None else shortcut(maps))

    return run


def _convolution(
    layer: nn.Conv2d,
    norm: nn.BatchNorm2d,
    precision: torch.dtype,
    ending: Literal["none", "relu", "add, relu"] = "relu",
) -> Callable[..., torch.Tensor]:
    """Return a convolution with its normalisation folded in, and what comes after it.

    Returns:
        A function of maps of shape (batch, channels, height, width); with an `ending` that adds,
        of these and of what they are added to, in place.
    """
    folded = fuse_conv_bn_eval(layer, norm)
    geometry = (list(folded.padding), list(folded.stride), list(folded.dilation), folded.groups)
    weight = _kernels._reorder_convolution_weight(folded.weight.to(precision), *geometry)
    bias = folded.bias.to(precision)

    def convolve(maps: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = _kernels._convolution_pointwise(
            maps, weight, bias, *geometry, ending, [], ""
        )
        return result

    def convolve_and_add(maps: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        total: torch.Tensor = _kernels._convolution_pointwise_.binary(
            other, maps, weight, bias, *geometry, "add", 1.0, "relu", [], ""
        )
        return total

    return convolve_and_add if ending == "add, relu" else convolve


@cache
def _supported(precision: torch.dtype) -> bool:
    """Return whether this torch has the kernels on this processor: its API promises none."""
    # Without initial weights: to draw some would change what is drawn after them.
    layer = skip_init(nn.Conv2d, 8, 8, 3, padding=1).eval()
    norm, product = nn.BatchNorm2d(8).eval(), skip_init(nn.Linear, 8, 8)
    maps = torch.linspace(-1, 1, 128).view(1, 8, 4, 4).to(memory_format=torch.channels_last)
    try:
        # What they are compared with is computed in float32, whoever asks.
        with torch.inference_mode(), torch.autocast("cpu", enabled=False):
            for weights in (*layer.parameters(), *product.parameters()):
                weights.copy_(torch.linspace(-1, 1, weights.numel()).view_as(weights))
            once = norm(layer(maps)).relu()
            expected = (once + norm(layer(once))).relu()
            first = _convolution(layer, norm, precision)(maps.to(precision))
            add_to = _convolution(layer, norm, precision, ending="add, relu")
            total = add_to(first, first.clone()).float()
            agrees = torch.allclose(total, expected, rtol=0.05, atol=0.05)
            if precision == torch.bfloat16:
                rows = maps[0, :, :, 0].T
                answer = _PackedLinear(product)(rows).float()
                agrees &= torch.allclose(answer, product(rows), rtol=0.05, atol=0.05)
    except (AttributeError, RuntimeError, TypeError) as error:
        logger.debug("Predictions without fused kernels: %s", error)
        return False
    return agrees

"""Images: cut to a square, normalised, and encoded, one feature vector an image."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.utils import is_torchvision_available, requires_backends

from .networks import build_network, encoder_config, first_line

if is_torchvision_available():  # written so, transformers does not ask it of other models
    import torchvision

USUAL_SIZE = 224  # px; what ImageNet's networks see
MAP_DIMENSIONS = 4

Pixels = np.ndarray  # uint8 RGB of shape (height, width, 3)


class ImageEncoder(nn.Module):
    """An encoder of images: one of transformers or timm, or a torchvision ResNet.

    He et al., "Deep Residual Learning for Image Recognition", 2015.

    Args:
        architecture: The name of the network; without `vision`, that of a torchvision ResNet.
        mean: The mean of each channel, in [0, 1], that the weights were learnt with.
        std: The standard deviation of each channel.
        vision: The configuration of a network of transformers or timm.
        pooling: The features that such a network gives: its `pooler` output, the `cls` token, or
            the `mean` of all patches.
        size: The side of the squares that it reads, px; None for the size it was made for.

    Raises:
        ValueError: If the network cannot read squares of this size.
    """

    def __init__(
        self,
        architecture: str,
        mean: Sequence[float],
        std: Sequence[float],
        vision: dict[str, Any] | None = None,
        pooling: str = "pooler",
        size: int | None = None,
    ) -> None:
        super().__init__()
        self.output_size: int
        self.mean, self.std, self.pooling = list(mean), list(std), pooling
        self._options: dict[str, bool] = {}
        if vision is None:
            requires_backends(self, "torchvision")
            self.encoder = torchvision.models.get_model(architecture, weights=None)
            self.output_size = self.encoder.fc.in_features
            self.encoder.fc = nn.Identity()
            return
        config = encoder_config(vision, "image")
        self.encoder = self._build(config)
        with torch.device("meta"):  # no numbers are needed to know the shape
            probe = self.encoder if self.encoder.device.type == "meta" else self._build(config)
            pixels = torch.zeros(1, 3, *2 * [size or native_size(config)])
        probe.eval()
        self._options = viewing_options(probe, pixels)
        with torch.no_grad():
            self.output_size = self._features(probe, pixels).shape[1]
        probe.train()

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the features of a batch of images.

        Args:
            pixels: uint8 RGB, or float in the same range, of shape (batch, height, width, 3).

        Returns:
            The features, of shape (batch, hidden).
        """
        return self._features(self.encoder, normalise(pixels, self.mean, self.std))

    def _build(self, config: PreTrainedConfig) -> PreTrainedModel:
        network, _ = build_network(config)
        if self.pooling != "pooler" and getattr(network, "pooler", None) is not None:
            network.pooler = None
        return network

    def _features(self, network: nn.Module, pixels: torch.Tensor) -> torch.Tensor:
        output = network(pixels, **self._options)
        if torch.is_tensor(output):  # torchvision's
            return output
        if self.pooling == "pooler":
            return output.pooler_output.flatten(1)  # convolutional networks keep (1, 1) behind
        hidden: torch.Tensor = output.last_hidden_state
        if hidden.ndim == MAP_DIMENSIONS:  # (batch, hidden, rows, columns)
            return hidden.mean((2, 3))
        if self.pooling == "cls":
            return hidden[:, 0]
        return hidden[:, 1 if has_class_token(network) else 0 :].mean(1)


def native_size(config: PreTrainedConfig) -> int:
    """Return the side of the squares that a network was made for, px; 224 if it does not say."""
    size = getattr(config, "image_size", None) or USUAL_SIZE
    return int(size if isinstance(size, int) else max(size))


def has_class_token(network: nn.Module) -> bool:
    """Return whether the first of a network's tokens stands for the whole image."""
    return any(name.endswith("cls_token") for name, _ in network.named_parameters())


def viewing_options(network: nn.Module, pixels: torch.Tensor) -> dict[str, bool]:
    """Return the keyword arguments that the network needs for images of this size.

    Args:
        network: The network, in evaluation mode.
        pixels: The images, of shape (batch, 3, height, width).

    Raises:
        ValueError: If it cannot read them.
    """
    with torch.no_grad():
        try:
            network(pixels)
        except Exception as error:
            wider = {"interpolate_pos_encoding": True}
            if not wider.keys() & inspect.signature(network.forward).parameters.keys():
                raise ValueError(first_line(error)) from error
            try:
                network(pixels, **wider)
            except Exception as again:
                raise ValueError(first_line(again)) from again
            return wider
    return {}


def central_square(
    pixels: Pixels, resize: int, size: int, interpolation: str = "bilinear"
) -> Pixels:
    """Return the square of an image that the model reads when it predicts.

    The result equals resizing the short side to `resize` px and cutting out the central `size` px,
    as ImageNet models are evaluated; only the part that is kept is resampled.

    Args:
        pixels: uint8 RGB of shape (height, width, 3).
        resize: The length that the short side is resized to, px.
        size: The side of the square, px.
        interpolation: The name of the filter, as in `resample`.

    Returns:
        uint8 RGB of shape (size, size, 3).
    """
    height, width = pixels.shape[:2]
    side = min(height, width) * size / resize
    square = (width - side) / 2, (height - side) / 2, side
    return resample(pixels, square, size, interpolation)


def resample(
    pixels: Pixels,
    square: tuple[float, float, float],
    size: int,
    interpolation: str = "bilinear",
) -> Pixels:
    """Return a square of an image, resized with antialiasing.

    Args:
        pixels: uint8 RGB of shape (height, width, 3).
        square: The square's left edge, top edge and side, px; it must lie within the image.
        size: The side of the result, px.
        interpolation: The name of one of Pillow's filters: `bilinear`, `bicubic`, `lanczos`,
            `nearest`, `box`, `hamming`; best is the one of the encoder's pretraining.

    Returns:
        uint8 RGB of shape (size, size, 3).
    """
    left, top, side = square
    if side == size:
        left, top = round(left), round(top)
        return pixels[top : top + size, left : left + size]
    box = (left, top, left + side, top + side)
    how = Image.Resampling[interpolation.upper()]
    image = Image.fromarray(pixels).resize((size, size), how, box=box)
    return np.asarray(image)


def constants(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    """Return a few numbers as a tensor of shape (numbers,), of the type and device of another.

    They are filled in on the device: a copy from the host would wait for the GPU.
    """
    return torch.stack([like.new_full((), value) for value in values])


def normalise(pixels: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    """Return images on the scale that the weights were learnt with.

    Args:
        pixels: uint8 RGB, or float in the same range, of shape (batch, height, width, 3).
        mean: The mean of each channel, in [0, 1].
        std: The standard deviation of each channel.

    Returns:
        The normalised images, of shape (batch, 3, height, width), channels last in memory, which
        is fastest for convolutions.
    """
    width = pixels.shape[2]
    # A whole row at a time, in place: four times as fast on a CPU as three channels at a time.
    rows = pixels.flatten(2).to(  # (batch, height, 3 * width)
        torch.float32, copy=True, memory_format=torch.contiguous_format
    )
    rows.sub_(constants(mean, rows).mul(255).repeat(width))
    rows.div_(constants(std, rows).mul(255).repeat(width))
    return rows.unflatten(2, (width, 3)).permute(0, 3, 1, 2)

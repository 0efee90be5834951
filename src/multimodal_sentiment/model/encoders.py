"""The two encoders: a batch of one modality in, one feature vector a post out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torchvision
from torch import nn
from transformers import AutoModel, CLIPVisionConfig, CLIPVisionModel, PreTrainedConfig


class TextEncoder(nn.Module):
    """A transformers encoder of the BERT or RoBERTa families and a pooling of its last layer."""

    def __init__(self, config: PreTrainedConfig, pooling: str) -> None:
        super().__init__()
        self.encoder = AutoModel.from_config(config, attn_implementation="sdpa")
        # BERT's own pooler was pretrained for sentence pairs and is not what we pool with.
        self.encoder.pooler = None
        self.pooling = pooling
        self.output_size: int = config.hidden_size

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Encode a batch of texts.

        Args:
            input_ids: Of shape (batch, tokens).
            attention_mask: Of shape (batch, tokens), 0 for padding.

        Returns:
            Features of shape (batch, hidden).
        """
        # Given its final shape, the mask is not read to see whether anything is padding at all: a
        # GPU would have to be waited for.
        seen = attention_mask[:, None, None, :].bool()  # (batch, heads, queries, tokens)
        hidden = self.encoder(input_ids=input_ids, attention_mask=seen)[0]
        if self.pooling == "cls":
            return hidden[:, 0]
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (batch, tokens, 1)
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


class ComputedFeatures(nn.Module):
    """Stands where a frozen encoder stood, and takes the features that it has computed."""

    def __init__(self, output_size: int) -> None:
        super().__init__()
        self.output_size = output_size

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """The features, of shape (batch, hidden), as they are."""
        return features


class ImageEncoder(nn.Module):
    """A torchvision ResNet without its classifier, or the vision tower of a CLIP.

    He et al., "Deep Residual Learning for Image Recognition", 2015.
    Radford et al., "Learning Transferable Visual Models From Natural Language Supervision", 2021.

    Args:
        architecture: A torchvision ResNet, or `clip`.
        mean: Of each channel, in [0, 1], as its weights were learnt with.
        std: The same.
        vision: Configuration of a CLIP's vision tower.
    """

    def __init__(
        self,
        architecture: str,
        mean: list[float],
        std: list[float],
        vision: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.output_size: int
        if vision is not None:
            self.encoder = CLIPVisionModel(CLIPVisionConfig(**vision))
            self.output_size = self.encoder.config.hidden_size
        else:
            self.encoder = torchvision.models.get_model(architecture, weights=None)
            self.output_size = self.encoder.fc.in_features
            self.encoder.fc = nn.Identity()
        self.mean, self.std = mean, std

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode a batch of pictures.

        Args:
            pixels: uint8 RGB, or float in the same range, of shape (batch, height, width, 3).

        Returns:
            Features of shape (batch, hidden).
        """
        output = self.encoder(normalise(pixels, self.mean, self.std))
        # Of a CLIP: its class token, normalised, before it is projected to meet the texts.
        features: torch.Tensor = output if torch.is_tensor(output) else output.pooler_output
        return features


def constants(values: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    """A few numbers beside a tensor, of shape (numbers,), and of its type.

    They are written where they are needed: for a copy from the host, a GPU would be waited for.
    """
    return torch.stack([like.new_full((), value) for value in values])


def normalise(pixels: torch.Tensor, mean: list[float], std: list[float]) -> torch.Tensor:
    """Pictures on the scale that weights were learnt with.

    Args:
        pixels: uint8 RGB, or float in the same range, of shape (batch, height, width, 3).
        mean: Of each channel, in [0, 1].
        std: The same.

    Returns:
        Of shape (batch, 3, height, width), in memory channels-last, which is what convolutions are
        fastest on.
    """
    width = pixels.shape[2]
    # A whole row at a time, in place: four times as fast on a CPU as three channels at a time.
    rows = pixels.flatten(2).to(  # (batch, height, 3 * width)
        torch.float32, copy=True, memory_format=torch.contiguous_format
    )
    rows.sub_(constants(mean, rows).mul(255).repeat(width))
    rows.div_(constants(std, rows).mul(255).repeat(width))
    return rows.unflatten(2, (width, 3)).permute(0, 3, 1, 2)

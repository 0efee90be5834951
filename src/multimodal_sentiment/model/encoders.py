"""The two encoders: a batch of one modality in, one feature vector a post out."""

from __future__ import annotations

import torch
import torchvision
from torch import nn
from transformers import AutoModel, PreTrainedConfig


class TextEncoder(nn.Module):
    """A transformers encoder of the BERT family and a pooling of its last layer."""

    def __init__(self, config: PreTrainedConfig, pooling: str) -> None:
        super().__init__()
        self.encoder = AutoModel.from_config(config)
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
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask)[0]
        if self.pooling == "cls":
            return hidden[:, 0]
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (batch, tokens, 1)
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


class ImageEncoder(nn.Module):
    """A torchvision ResNet without its classifier.

    He et al., "Deep Residual Learning for Image Recognition", 2015.
    """

    def __init__(self, architecture: str, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.encoder = torchvision.models.get_model(architecture, weights=None)
        self.output_size: int = self.encoder.fc.in_features
        self.encoder.fc = nn.Identity()
        self.mean, self.std = mean, std

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        """Encode a batch of pictures.

        Args:
            pixels: uint8 RGB of shape (batch, height, width, 3).

        Returns:
            Features of shape (batch, hidden).
        """
        # Seen with its channels first, such a batch lies in memory channels-last, which is what
        # convolutions are fastest on.
        images = pixels.permute(0, 3, 1, 2).float()  # (batch, 3, height, width)
        mean = images.new_tensor(self.mean).view(3, 1, 1) * 255
        std = images.new_tensor(self.std).view(3, 1, 1) * 255
        features: torch.Tensor = self.encoder((images - mean) / std)
        return features

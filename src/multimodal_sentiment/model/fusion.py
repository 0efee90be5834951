"""The ways to join two modalities: from features and each modality's own logits to logits.

All take the features of each modality, of shape (batch, size), the logits that each modality's own
head gave, of shape (batch, labels), and a boolean of shape (batch,) for each modality that some
posts lack, text before image; they return logits of shape (batch, labels). Where a modality is
missing, its features and logits are those of a learnt embedding; only the pool, which has none,
takes account of what is present.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

from .configuration import SentimentConfig

Tensors = Mapping[str, torch.Tensor]
Presence = Mapping[str, torch.Tensor | None]


def build_fusion(config: SentimentConfig, sizes: Sequence[int]) -> nn.Module:
    """Return the fusion that a configuration names.

    Args:
        config: The model's configuration.
        sizes: The size of each modality's features.
    """
    if config.fusion == "pool":
        return PoolFusion(config)
    if config.fusion == "late":  # of one modality: its own logits
        return LateFusion()
    # One modality has nothing to be joined with: the same perceptron classifies it.
    gated = config.modality == "both" and config.fusion == "gated"
    return (GatedFusion if gated else ConcatFusion)(config, sizes)


class ConcatFusion(nn.Module):
    """Concatenated features through a multi-layer perceptron; see `SentimentConfig`."""

    def __init__(self, config: SentimentConfig, sizes: Sequence[int]) -> None:
        super().__init__()
        self.with_logits = config.modality == "both" and config.visible_scores
        seen = sum(sizes) + (config.num_labels * len(sizes) if self.with_logits else 0)
        self.layers = nn.Sequential(
            nn.Linear(seen, config.hidden_size),
            nn.ReLU(),
            nn.Dropout(config.dropout),
            nn.Linear(config.hidden_size, config.num_labels),
        )

    def forward(self, features: Tensors, logits: Tensors, present: Presence) -> torch.Tensor:
        """Return logits of shape (batch, labels)."""
        seen = list(features.values()) + (list(logits.values()) if self.with_logits else [])
        joined: torch.Tensor = self.layers(torch.cat(seen, dim=-1))
        return joined


class GatedFusion(nn.Module):
    """A gate, made from both modalities, that weighs them feature by feature.

    Arevalo et al., "Gated Multimodal Units for Information Fusion", 2017.
    """

    def __init__(self, config: SentimentConfig, sizes: Sequence[int]) -> None:
        super().__init__()
        self.with_logits = config.visible_scores
        hidden = config.hidden_size
        self.projections = nn.ModuleList(nn.Linear(size, hidden) for size in sizes)
        self.gate = nn.Linear(sum(sizes), hidden)
        self.dropout = nn.Dropout(config.dropout)
        seen = hidden + (config.num_labels * len(sizes) if self.with_logits else 0)
        self.classifier = nn.Linear(seen, config.num_labels)

    def forward(self, features: Tensors, logits: Tensors, present: Presence) -> torch.Tensor:
        """Return logits of shape (batch, labels)."""
        first, second = (
            torch.tanh(project(value))
            for project, value in zip(self.projections, features.values(), strict=True)
        )
        gate = torch.sigmoid(self.gate(torch.cat(list(features.values()), dim=-1)))
        joined = self.dropout(gate * first + (1 - gate) * second)  # (batch, hidden)
        if self.with_logits:
            joined = torch.cat([joined, *logits.values()], dim=-1)
        judged: torch.Tensor = self.classifier(joined)
        return judged


class LateFusion(nn.Module):
    """The sum of the modalities' own logits: each modality has one vote."""

    def forward(self, features: Tensors, logits: Tensors, present: Presence) -> torch.Tensor:
        """Return logits of shape (batch, labels)."""
        return torch.stack(list(logits.values())).sum(dim=0)


class PoolFusion(nn.Module):
    """A weighted sum of the voices' logits, which is calibrated as well (a logarithmic pool).

    Each set of modalities that a post may have has its own weights; a voice that lacks its modality
    has the weight 0. Genest and Zidek, "Combining probability distributions",
    1986 (the logarithmic pool).

    Attributes:
        weights: The weights, of shape (4, voices); the row of a post is 1 if it has a text, plus
            2 if it has an image.
        bias: The bias, of shape (4, labels).
    """

    def __init__(self, config: SentimentConfig) -> None:
        super().__init__()
        self.voices = config.voices
        self.weights = nn.Parameter(torch.full((4, len(self.voices)), 1 / len(self.voices)))
        self.bias = nn.Parameter(torch.zeros(4, config.num_labels))

    def forward(self, features: Tensors, logits: Tensors, present: Presence) -> torch.Tensor:
        """Return logits of shape (batch, labels)."""
        voices = torch.stack([logits[name] for name in self.voices], dim=1)
        row = torch.zeros(voices.shape[0], dtype=torch.long, device=voices.device)
        for power, name in enumerate(("text", "image")):
            if name in features:
                mask = present[name]
                row = row + (1 << power) * (torch.ones_like(row) if mask is None else mask.long())
        weights = self.weights[row].unsqueeze(2)  # (batch, voices, 1)
        return (weights * voices).sum(dim=1) + self.bias[row]

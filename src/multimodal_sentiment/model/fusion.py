"""The ways to join two modalities: features and unimodal scores in, raw scores out.

All take the features of each modality, of shape (batch, size), and the scores that each modality's
own head gave, of shape (batch, labels), text before image, and return scores of shape
(batch, labels).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import nn

Features = Mapping[str, torch.Tensor]


class ConcatFusion(nn.Module):
    """Concatenated features through a multi-layer perceptron.

    Args:
        sizes: Of each modality's features.
        hidden_size: Width of the hidden layer.
        labels: How many.
        dropout: Before the last layer.
        with_scores: Whether the unimodal scores are seen as well.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        hidden_size: int,
        labels: int,
        dropout: float,
        *,
        with_scores: bool,
    ) -> None:
        super().__init__()
        self.with_scores = with_scores
        seen = sum(sizes) + (labels * len(sizes) if with_scores else 0)
        self.layers = nn.Sequential(
            nn.Linear(seen, hidden_size),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, labels),
        )

    def forward(self, features: Features, scores: Features) -> torch.Tensor:
        """Join the modalities."""
        seen = list(features.values()) + (list(scores.values()) if self.with_scores else [])
        joined: torch.Tensor = self.layers(torch.cat(seen, dim=-1))
        return joined


class GatedFusion(nn.Module):
    """A gate, made from both modalities, that weighs them feature by feature.

    Arevalo et al., "Gated Multimodal Units for Information Fusion", 2017.

    Args:
        sizes: Of the two modalities' features.
        hidden_size: Of what they are projected to.
        labels: How many.
        dropout: Before the last layer.
        with_scores: Whether the last layer sees the unimodal scores as well.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        hidden_size: int,
        labels: int,
        dropout: float,
        *,
        with_scores: bool,
    ) -> None:
        super().__init__()
        self.with_scores = with_scores
        self.projections = nn.ModuleList(nn.Linear(size, hidden_size) for size in sizes)
        self.gate = nn.Linear(sum(sizes), hidden_size)
        self.dropout = nn.Dropout(dropout)
        seen = hidden_size + (labels * len(sizes) if with_scores else 0)
        self.classifier = nn.Linear(seen, labels)

    def forward(self, features: Features, scores: Features) -> torch.Tensor:
        """Join the modalities."""
        first, second = (
            torch.tanh(project(value))
            for project, value in zip(self.projections, features.values(), strict=True)
        )
        gate = torch.sigmoid(self.gate(torch.cat(list(features.values()), dim=-1)))
        joined = self.dropout(gate * first + (1 - gate) * second)  # (batch, hidden)
        if self.with_scores:
            joined = torch.cat([joined, *scores.values()], dim=-1)
        judged: torch.Tensor = self.classifier(joined)
        return judged


class LateFusion(nn.Module):
    """The sum of the unimodal scores: each modality judges alone, and both votes count."""

    def forward(self, features: Features, scores: Features) -> torch.Tensor:
        """Join the modalities."""
        return torch.stack(list(scores.values())).sum(dim=0)

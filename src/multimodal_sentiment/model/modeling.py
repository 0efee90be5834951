"""The sentiment model: an encoder for each modality, and a fusion of their features."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional
from transformers import AutoModel, PreTrainedModel
from transformers.utils import ModelOutput

from .configuration import SentimentConfig
from .fusion import ConcatFusion, GatedFusion, LateFusion
from .image import ImageEncoder, constants
from .text import TextEncoder


@dataclass
class SentimentOutput(ModelOutput):
    """What the model says of a batch.

    Attributes:
        loss: The training loss, if labels were given.
        logits: Of shape (batch, labels).
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None


class SentimentModel(PreTrainedModel):
    """An encoder for each modality, a head that judges by it alone, and a fusion of both.

    A post may lack its text, its image or both: a learnt embedding stands for what is missing.
    Training hides modalities at random, so that these embeddings are learnt and no modality is
    relied on alone; and it asks each modality for the label alone, through a head of its own, so
    that the stronger one does not keep the weaker one from learning.
    """

    config_class = SentimentConfig
    base_model_prefix = "sentiment"
    main_input_name = "input_ids"

    def __init__(self, config: SentimentConfig) -> None:
        super().__init__(config)
        self.branches = nn.ModuleDict()  # text before image
        if config.uses_text:
            self.branches["text"] = Branch(TextEncoder(config.text_config, config.pooling), config)
        if config.uses_image:
            self.branches["image"] = Branch(ImageEncoder(**config.image_encoder), config)
        self.fusion = _build_fusion(config, [branch.size for branch in self.branches.values()])
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        has_text: torch.Tensor | None = None,
        pixels: torch.Tensor | None = None,
        has_image: torch.Tensor | None = None,
        labels: torch.Tensor | None = None,
        text_features: torch.Tensor | None = None,
        image_features: torch.Tensor | None = None,
    ) -> SentimentOutput:
        """Classify a batch of posts.

        Args:
            input_ids: Of shape (batch, tokens); a model of images needs none.
            attention_mask: Of shape (batch, tokens).
            has_text: Boolean of shape (batch,), on the CPU; if absent, every post has a text.
            pixels: uint8 RGB of shape (batch, height, width, 3); a model of texts needs none.
            has_image: The same for images.
            labels: Of shape (batch,).
            text_features: Of shape (batch, hidden), where `ComputedFeatures` stands for the text
                encoder; then there are no tokens.
            image_features: The same for images.

        Returns:
            The logits, and the loss if labels were given.
        """
        text = (input_ids, attention_mask) if text_features is None else (text_features,)
        image = (pixels if image_features is None else image_features,)
        given = {"text": (has_text, *text), "image": (has_image, *image)}
        features = {name: branch(*given[name]) for name, branch in self.branches.items()}
        scores = {
            name: branch.head(features[name])
            for name, branch in self.branches.items()
            if branch.head is not None
        }
        logits = self.fusion(features, scores)  # (batch, labels)
        if labels is None:
            return SentimentOutput(logits=logits)
        loss = self._loss(logits, labels)
        if len(scores) > 1:  # a single modality answers alone anyhow
            for own in scores.values():
                loss = loss + self.config.auxiliary_weight * self._loss(own, labels)
        return SentimentOutput(loss=loss, logits=logits)

    def _loss(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        logits, weights = logits.float(), self.config.class_weights
        return functional.cross_entropy(
            logits,
            labels,
            weight=None if weights is None else constants(weights, logits),
            label_smoothing=self.config.label_smoothing if self.training else 0.0,
        )

    def _init_weights(self, module: nn.Module) -> None:
        # torchvision initialises its networks as their papers say; transformers would undo it.
        if not isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            super()._init_weights(module)


class Branch(nn.Module):
    """One modality: its encoder, the embedding of its absence, and its own head."""

    def __init__(self, encoder: TextEncoder | ImageEncoder, config: SentimentConfig) -> None:
        super().__init__()
        self.encoder: nn.Module = encoder
        self.size = encoder.output_size
        self.norm = nn.LayerNorm(self.size)  # features of both encoders enter on one scale
        self.missing = nn.Parameter(torch.zeros(self.size))
        self.hidden_share = config.modality_dropout
        self.head = nn.Linear(self.size, config.num_labels) if config.has_unimodal_heads else None

    def forward(self, present: torch.Tensor | None, *inputs: torch.Tensor) -> torch.Tensor:
        """Features of shape (batch, size); only what is present, and not hidden, is encoded."""
        batch = len(inputs[0])
        # Drawn and counted on the CPU: a GPU would have to be waited for.
        seen = None if present is None else present.cpu()
        if self.training and self.hidden_share:
            shown = torch.rand(batch) >= self.hidden_share
            seen = shown if seen is None else seen & shown
        if seen is None:
            return self.norm(self.encoder(*inputs))
        rows = seen.nonzero().squeeze(1)
        features = self.missing.repeat(batch, 1)
        if len(rows):
            rows = _to_device(rows, features.device)
            encoded = self.norm(self.encoder(*(value[rows] for value in inputs)))
            features = features.to(encoded.dtype).index_copy(0, rows, encoded)
        return features

    def train(self, mode: bool = True) -> Branch:
        """Switch to training; a frozen encoder keeps predicting, its batch statistics included."""
        super().train(mode)
        if not any(weight.requires_grad for weight in self.encoder.parameters()):
            self.encoder.eval()
        return self


def _to_device(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Copy a tensor to a device, without waiting for what a GPU is doing."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def _build_fusion(config: SentimentConfig, sizes: list[int]) -> nn.Module:
    if config.fusion == "late":  # of one modality: its own scores
        return LateFusion()
    # One modality has nothing to be joined with: the same perceptron classifies it.
    gated = config.modality == "both" and config.fusion == "gated"
    return (GatedFusion if gated else ConcatFusion)(
        sizes,
        config.hidden_size,
        config.num_labels,
        config.dropout,
        with_scores=config.modality == "both" and config.visible_scores,
    )


AutoModel.register(SentimentConfig, SentimentModel)

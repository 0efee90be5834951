"""The sentiment model: `encode` makes features of a batch, `fuse` makes logits of the features."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel
from transformers.utils import ModelOutput

from .configuration import SentimentConfig
from .fusion import build_fusion
from .image import ImageEncoder, constants
from .text import TextEncoder
from .words import WordHead

Tensors = Mapping[str, torch.Tensor]
Mask: TypeAlias = "np.ndarray | torch.Tensor"  # boolean, of shape (batch,)


@dataclass
class SentimentOutput(ModelOutput):
    """The output of the model for a batch.

    Attributes:
        loss: The training loss, if labels were given.
        logits: The logits, of shape (batch, labels).
        modality_logits: The logits of each modality's own head, of the same shape.
    """

    loss: torch.Tensor | None = None
    logits: torch.Tensor | None = None
    modality_logits: dict[str, torch.Tensor] | None = None


class SentimentModel(PreTrainedModel):
    """An encoder for each modality, a head that judges by it alone, and a fusion of both.

    A post may lack its text, its image or both: a learnt embedding stands for what is missing.
    In training each modality also predicts the label alone, through a head of its own, so that the
    stronger one does not keep the weaker one from learning.
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
        self.words = None
        if config.uses_text and config.counted_terms:
            self.words = WordHead(config.counted_terms, config.num_labels)
        sizes = [branch.size for branch in self.branches.values()]
        self.fusion = build_fusion(config, sizes)
        self.post_init()

    def forward(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        has_text: Mask | None = None,
        pixels: torch.Tensor | None = None,
        has_image: Mask | None = None,
        term_ids: torch.Tensor | None = None,
        term_counts: torch.Tensor | None = None,
        features: Tensors | None = None,
        labels: torch.Tensor | None = None,
    ) -> SentimentOutput:
        """Classify a batch of posts: `encode`, which has the same arguments, and then `fuse`.

        With `labels`, the index of each post's label, of shape (batch,), the loss is returned, too.
        """
        encoded = self.encode(
            input_ids,
            attention_mask,
            has_text,
            pixels,
            has_image,
            term_ids,
            term_counts,
            features,
        )
        output = self.fuse(encoded, has_text, has_image)
        if labels is not None:
            output.loss = self.compute_loss(output, labels)
        return output

    def encode(
        self,
        input_ids: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        has_text: Mask | None = None,
        pixels: torch.Tensor | None = None,
        has_image: Mask | None = None,
        term_ids: torch.Tensor | None = None,
        term_counts: torch.Tensor | None = None,
        features: Tensors | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return the features of each modality that is given, of shape (batch, size).

        Of a model that counts words, they also hold the logits that these give, as `words`, of
        shape (batch, labels).

        Args:
            input_ids: The token ids, of shape (batch, tokens); a model of images needs none.
            attention_mask: The mask, of shape (batch, tokens), 0 for padding.
            has_text: Whether each post has a text, of shape (batch,); without it, all have one.
                If it is a NumPy array, posts without a text are not encoded, and their features
                are zeros; with a tensor all are encoded, as reading it would wait for the GPU.
            pixels: The images, uint8 RGB of shape (batch, height, width, 3); a model of texts needs
                none.
            has_image: Whether each post has an image, used in the same way as `has_text`.
            term_ids: The index of each counted term, of shape (batch, terms of a text); only a
                model that counts words needs them.
            term_counts: The number of times that each term occurs, of the same shape.
            features: The features that this method has returned before, of one modality or both;
                they are returned again, and only the other modality is encoded.
        """
        encoded = dict(features or {})
        if "text" in self.branches and input_ids is not None and attention_mask is not None:
            encoder = self.branches["text"].encoder
            encoded["text"] = _encode_rows(encoder, has_text, input_ids, attention_mask)
        if "image" in self.branches and pixels is not None:
            encoded["image"] = _encode_rows(self.branches["image"].encoder, has_image, pixels)
        if self.words is not None and term_ids is not None and term_counts is not None:
            encoded["words"] = self.words(term_ids, term_counts)
        return encoded

    def fuse(
        self, features: Tensors, has_text: Mask | None = None, has_image: Mask | None = None
    ) -> SentimentOutput:
        """Return the logits that follow from features.

        Args:
            features: The features of each of the model's modalities, from `encode`.
            has_text: Whether each post has a text, of shape (batch,); the learnt embedding takes
                the place of a missing text, whatever its features are.
            has_image: Whether each post has an image, used in the same way.
        """
        given = {"text": has_text, "image": has_image}
        device = next(iter(features.values())).device
        present = {
            name: None if mask is None else _to_device(torch.as_tensor(mask), device)
            for name, mask in given.items()
        }
        # Solved heads are exact; the precision of the encoders' products would only blur them.
        exact = self.config.has_solved_heads
        with torch.autocast(device.type, enabled=False) if exact else nullcontext():
            seen = {
                name: branch(features[name], present[name])
                for name, branch in self.branches.items()
            }
            alone = {
                name: branch.head(seen[name])
                for name, branch in self.branches.items()
                if branch.head is not None
            }
            if self.words is not None:
                alone["words"] = features["words"]
            logits = self.fusion(seen, alone, present)
        return SentimentOutput(logits=logits, modality_logits=alone)

    def get_text_features(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor
    ) -> torch.Tensor:
        """Return the features of texts, of shape (batch, size), from tensors (batch, tokens)."""
        return self.encode(input_ids=input_ids, attention_mask=attention_mask)["text"]

    def get_image_features(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the features of uint8 RGB images of shape (batch, height, width, 3)."""
        return self.encode(pixels=pixels)["image"]

    def compute_loss(self, output: SentimentOutput, labels: torch.Tensor) -> torch.Tensor:
        """Return the training loss of a batch.

        It is the cross-entropy of the joint logits, and for a model of two modalities that of each
        modality's own logits, times `auxiliary_weight`.

        Args:
            output: The output of `fuse` for a batch.
            labels: The index of each post's label, of shape (batch,).
        """
        loss = self._cross_entropy(output.logits, labels)
        alone = output.modality_logits or {}
        if len(alone) > 1:  # a single modality answers alone anyhow
            for logits in alone.values():
                loss = loss + self.config.auxiliary_weight * self._cross_entropy(logits, labels)
        return loss

    def _cross_entropy(self, logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
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
    """The parts of one modality: its encoder, the embedding of its absence, and its own head.

    Solved heads are fitted to features of unit length, and need no embedding of what is missing.
    """

    def __init__(self, encoder: TextEncoder | ImageEncoder, config: SentimentConfig) -> None:
        super().__init__()
        self.encoder: nn.Module = encoder
        self.size = encoder.output_size
        solved = config.has_solved_heads
        # Features of both encoders enter on one scale.
        self.norm = UnitLength() if solved else nn.LayerNorm(self.size)
        self.missing = None if solved else nn.Parameter(torch.zeros(self.size))
        self.head = nn.Linear(self.size, config.num_labels) if config.has_unimodal_heads else None

    def forward(self, features: torch.Tensor, present: torch.Tensor | None) -> torch.Tensor:
        """Return the features as the fusion takes them, of the same shape (batch, size)."""
        normed: torch.Tensor = self.norm(features)
        if present is None or self.missing is None:
            return normed
        return torch.where(present.unsqueeze(1), normed, self.missing.to(normed.dtype))

    def train(self, mode: bool = True) -> Branch:
        """Switch to training mode; a frozen encoder stays in evaluation mode."""
        super().train(mode)
        if not any(weight.requires_grad for weight in self.encoder.parameters()):
            self.encoder.eval()
        return self


class UnitLength(nn.Module):
    """Scales vectors of shape (batch, size) to the length 1; a vector of zeros stays."""

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return the scaled vectors, in float32."""
        return functional.normalize(features.float(), dim=1)


def _encode_rows(encoder: nn.Module, present: Mask | None, *inputs: torch.Tensor) -> torch.Tensor:
    """Return the features of the rows that are present; a batch norm must see no others."""
    if not isinstance(present, np.ndarray):
        return encoder(*inputs)
    batch, device = inputs[0].shape[0], inputs[0].device
    rows = _to_device(torch.from_numpy(np.flatnonzero(present)), device)
    if not rows.shape[0]:
        return torch.zeros(batch, encoder.output_size, device=device)
    encoded = encoder(*(value[rows] for value in inputs))
    return encoded.new_zeros(batch, encoded.shape[1]).index_copy(0, rows, encoded)


def _to_device(values: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a copy of a tensor on a device, without waiting for the GPU."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)

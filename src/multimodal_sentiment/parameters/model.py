"""The parameters of the model's architecture."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from .kinds import Count, Group, NotNegative, Probability, Side, Tokens


class ScratchParameters(Group):
    """The size of a text encoder that is trained from scratch."""

    vocabulary_size: Annotated[int, Field(ge=100)]
    hidden_size: Count
    layers: Count
    heads: Count

    @model_validator(mode="after")
    def _heads_divide(self) -> ScratchParameters:
        if self.hidden_size % self.heads:
            raise ValueError(
                f"hidden_size ({self.hidden_size}) must be a multiple of heads ({self.heads})"
            )
        return self


class TextParameters(Group):
    """The text encoder."""

    encoder: str | None
    scratch: ScratchParameters
    max_tokens: Tokens
    pooling: Literal["auto", "cls", "mean"]
    count_words: Literal["auto"] | bool


class ScratchImageParameters(Group):
    """An image encoder that is trained from scratch."""

    architecture: Literal["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"]


class ImageParameters(Group):
    """The image encoder."""

    encoder: str | None
    scratch: ScratchImageParameters
    size: Side | None
    resize: Side | None

    @model_validator(mode="after")
    def _square_fits(self) -> ImageParameters:
        if self.encoder is None and self.size is None:
            raise ValueError("size may be null only for a pretrained encoder: set it, in px")
        if self.size and self.resize and self.resize < self.size:
            raise ValueError(f"resize ({self.resize} px) must be at least size ({self.size} px)")
        return self


class FusionParameters(Group):
    """How the two modalities are joined."""

    kind: Literal["pool", "concat", "gated", "late"]
    visible_scores: bool
    hidden_size: Count
    dropout: Probability
    modality_dropout: Probability
    auxiliary_weight: NotNegative


class ModelParameters(Group):
    """The model's architecture."""

    modality: Literal["text", "image", "both"]
    text: TextParameters
    image: ImageParameters
    fusion: FusionParameters

    @property
    def has_solved_heads(self) -> bool:
        """Whether linear heads are solved, rather than weights trained by gradient descent."""
        return self.fusion.kind == "pool"

    @property
    def modalities(self) -> list[Literal["text", "image"]]:
        """What the model looks at, text before image."""
        return ["text", "image"] if self.modality == "both" else [self.modality]

    @property
    def encoders(self) -> dict[str, str]:
        """The pretrained encoders that the model starts from, by modality."""
        named = {name: getattr(self, name).encoder for name in self.modalities}
        return {name: encoder for name, encoder in named.items() if encoder is not None}

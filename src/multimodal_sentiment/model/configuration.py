"""Configuration of the sentiment model."""

from __future__ import annotations

from typing import Any, Literal

from transformers import AutoConfig, PreTrainedConfig

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class SentimentConfig(PreTrainedConfig):
    """Everything that defines a sentiment model, and all that prediction needs besides weights.

    Args:
        modality: What the model reads: `text`, `image` or `both`.
        text_config: The configuration of the text encoder; absent if `modality` is `image`.
        pooling: Which text feature is used: the first token's, or the mean over tokens.
        max_tokens: The number of tokens that a text is cut to, if it has more.
        image_config: The configuration of the image encoder: `architecture`, its name (without
            `vision`, the name of a torchvision ResNet); `vision`, the configuration of a network of
            transformers or timm, and its `pooling` (`pooler`, `cls` or `mean`); `size` and `resize`
            in px (the short side is resized to `resize`, then the central square of `size` is cut
            out) and their `interpolation`; `mean` and `std` of each channel. Empty if `modality`
            is `text`.
        fusion: How modalities are joined: `concat`, `gated`, `late` or `pool`; see `fusion.py`.
        visible_scores: Whether a concatenating or gated fusion sees what the unimodal heads say.
        hidden_size: The width of the fusion's hidden layer.
        dropout: The probability of dropout in the heads.
        modality_dropout: The probability with which training hides the text, and independently the
            image, of a post that has both.
        auxiliary_weight: The weight of the loss of each unimodal head.
        label_smoothing: The label smoothing of the training loss.
        class_weights: The weight of each label in the training loss; None weighs all equally.
        counted_terms: The number of words and pairs of words that are counted beside the text's
            encoding; 0 counts none.
        word_form: The normal form of Unicode that texts are brought to before words are counted.
        calibration_temperature: The number that logits are divided by before the softmax, fitted
            on tuning posts.
        training: A record of what the weights were learnt from, and how.
    """

    model_type = "multimodal_sentiment"
    keys_to_ignore_at_inference = ["modality_logits"]  # noqa: RUF012 (as transformers has it)

    def __init__(
        self,
        modality: Literal["text", "image", "both"] = "both",
        text_config: PreTrainedConfig | dict[str, Any] | None = None,
        pooling: Literal["cls", "mean"] = "cls",
        max_tokens: int = 64,
        image_config: dict[str, Any] | None = None,
        fusion: Literal["concat", "gated", "late", "pool"] = "concat",
        visible_scores: bool = False,
        hidden_size: int = 256,
        dropout: float = 0.1,
        modality_dropout: float = 0.0,
        auxiliary_weight: float = 0.0,
        label_smoothing: float = 0.0,
        class_weights: list[float] | None = None,
        counted_terms: int = 0,
        word_form: Literal["NFKC"] | None = None,
        calibration_temperature: float = 1.0,
        training: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if isinstance(text_config, dict):
            text_config = AutoConfig.for_model(**text_config)
        self.modality = modality
        self.text_config: Any = text_config
        self.pooling = pooling
        self.max_tokens = max_tokens
        self.image_config = image_config or {}
        self.fusion = fusion
        self.visible_scores = visible_scores
        self.hidden_size = hidden_size
        self.dropout = dropout
        self.modality_dropout = modality_dropout
        self.auxiliary_weight = auxiliary_weight
        self.label_smoothing = label_smoothing
        self.class_weights = class_weights
        self.counted_terms = counted_terms
        self.word_form = word_form
        self.calibration_temperature = calibration_temperature
        self.training = training or {}
        super().__init__(**kwargs)

    @property
    def uses_text(self) -> bool:
        """Whether the model reads texts."""
        return self.modality != "image"

    @property
    def uses_image(self) -> bool:
        """Whether the model looks at images."""
        return self.modality != "text"

    @property
    def has_solved_heads(self) -> bool:
        """Whether linear heads were solved, rather than weights trained by gradient descent."""
        return self.fusion == "pool"

    @property
    def has_unimodal_heads(self) -> bool:
        """Whether each modality has a head of its own: where a loss or the fusion needs it."""
        beside_others = self.auxiliary_weight > 0 or self.visible_scores
        fuses_logits = self.has_solved_heads or self.fusion == "late"
        return fuses_logits or (self.modality == "both" and beside_others)

    @property
    def voices(self) -> list[str]:
        """The names of the voices, whose logits a pool joins."""
        named = {
            "text": self.uses_text,
            "words": self.uses_text and self.counted_terms > 0,
            "image": self.uses_image,
        }
        return [name for name, speaks in named.items() if speaks]

    @property
    def image_encoder(self) -> dict[str, Any]:
        """The arguments that define the image encoder."""
        names = ("architecture", "mean", "std", "vision", "pooling", "size")
        return {name: self.image_config[name] for name in names if name in self.image_config}

    @property
    def labels(self) -> list[str]:
        """The labels, in the order of the logits."""
        return [self.id2label[index] for index in sorted(self.id2label)]

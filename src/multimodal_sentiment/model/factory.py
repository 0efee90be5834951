"""Builds a new model from the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertConfig, PreTrainedConfig, PreTrainedTokenizerBase

from multimodal_sentiment.encoders import Encoder
from multimodal_sentiment.parameters import ImageParameters, ModelParameters, TextParameters

from .configuration import IMAGENET_MEAN, IMAGENET_STD, SentimentConfig
from .loading import load_image_encoder, load_text_encoder
from .modeling import SentimentModel
from .pretrained import Weights
from .text import TextEncoder, learn_tokenizer


def build_model(
    parameters: ModelParameters,
    labels: Sequence[str],
    texts: Sequence[str],
    encoders: Mapping[str, Encoder],
    **options: Any,
) -> tuple[SentimentModel, PreTrainedTokenizerBase | None]:
    """Return an untrained model and its tokenizer.

    Args:
        parameters: The architecture.
        labels: The labels, in the order of the logits.
        texts: The training texts; a text encoder without pretraining learns its vocabulary there.
        encoders: The pretrained encoders that the parameters name, by modality.
        options: The rest that the configuration needs: the loss's parameters, the number of counted
            terms.

    Raises:
        EncoderError: If a pretrained encoder is broken, or of another architecture.
    """
    encoder: TextEncoder | None = None
    tokenizer = text_config = None
    image_config: dict[str, Any] | None = None
    weights: Weights | None = None
    text, image = parameters.text, parameters.image
    if "text" in parameters.modalities:
        if "text" in encoders:
            encoder, tokenizer = load_text_encoder(encoders["text"], text.max_tokens, text.pooling)
            text_config = encoder.encoder.config
        else:
            tokenizer = learn_tokenizer(texts, text.scratch.vocabulary_size)
            text_config = _scratch_config(text, tokenizer)
    if "image" in parameters.modalities:
        if "image" in encoders:
            image_config, weights = load_image_encoder(encoders["image"], image.size, image.resize)
        else:
            image_config = _scratch_image(image)
    config = SentimentConfig(
        modality=parameters.modality,
        text_config=text_config,
        pooling=encoder.pooling if encoder else ("cls" if text.pooling == "auto" else text.pooling),
        max_tokens=text.max_tokens,
        image_config=image_config,
        fusion=parameters.fusion.kind,
        **parameters.fusion.model_dump(exclude={"kind"}),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **options,
    )
    model = SentimentModel(config)
    if encoder is not None:
        model.branches["text"].encoder.load_state_dict(encoder.state_dict())
    if weights is not None:  # which were checked: only counters of batches may be missing
        model.branches["image"].encoder.encoder.load_state_dict(weights, strict=False)
    return model, tokenizer


def _scratch_image(parameters: ImageParameters) -> dict[str, Any]:
    return {
        "architecture": parameters.scratch.architecture,
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
        "interpolation": "bilinear",
        "size": parameters.size,
        "resize": parameters.resize or parameters.size,
    }


def _scratch_config(
    parameters: TextParameters, tokenizer: PreTrainedTokenizerBase
) -> PreTrainedConfig:
    scratch = parameters.scratch
    return BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=scratch.hidden_size,
        num_hidden_layers=scratch.layers,
        num_attention_heads=scratch.heads,
        intermediate_size=4 * scratch.hidden_size,
        max_position_embeddings=parameters.max_tokens,
        pad_token_id=tokenizer.pad_token_id,
    )

"""A new model, as the parameters describe it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn
from transformers import (
    AutoModel,
    AutoTokenizer,
    BertConfig,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from multimodal_sentiment.parameters import ImageParameters, ModelParameters, TextParameters

from .checking import check_sizes
from .configuration import IMAGENET_MEAN, IMAGENET_STD, SentimentConfig
from .modeling import SentimentModel
from .processing import learn_tokenizer


def build_model(
    parameters: ModelParameters, labels: Sequence[str], texts: Sequence[str], **loss: Any
) -> tuple[SentimentModel, PreTrainedTokenizerBase | None]:
    """An untrained model and its tokenizer.

    Args:
        parameters: The architecture, and where pretrained encoders lie.
        labels: In the order of the logits.
        texts: Training texts, from which a text encoder without pretraining learns its vocabulary.
        loss: What the configuration needs besides, for the training loss.

    Raises:
        ValueError: If a pretrained encoder is missing, broken, or of another architecture.
    """
    encoder: PreTrainedModel | None = None
    tokenizer = text_config = image_config = None
    if parameters.modality != "image":
        encoder, tokenizer = _text_encoder(parameters.text)
        if encoder is None:
            tokenizer = learn_tokenizer(texts, parameters.text.scratch.vocabulary_size)
            text_config = _scratch_config(parameters.text, tokenizer)
        else:
            text_config = encoder.config
    if parameters.modality != "text":
        image_config = {
            "architecture": parameters.image.architecture,
            "size": parameters.image.size,
            "resize": parameters.image.resize,
            "mean": IMAGENET_MEAN,
            "std": IMAGENET_STD,
        }
    config = SentimentConfig(
        modality=parameters.modality,
        text_config=text_config,
        pooling=parameters.text.pooling,
        max_tokens=parameters.text.max_tokens,
        image_config=image_config,
        **parameters.fusion.model_dump(),
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
        **loss,
    )
    model = SentimentModel(config)
    if encoder is not None:
        encoder.pooler = None
        model.branches["text"].encoder.encoder.load_state_dict(encoder.state_dict())
    if config.uses_image and parameters.image.weights is not None:
        _load_resnet(model.branches["image"].encoder.encoder, parameters.image)
    return model, tokenizer


def _text_encoder(
    parameters: TextParameters,
) -> tuple[PreTrainedModel | None, PreTrainedTokenizerBase | None]:
    if parameters.encoder is None:
        return None, None
    folder = Path(parameters.encoder)
    if not (folder / "config.json").is_file():
        raise ValueError(
            f"model.text.encoder: no config.json in {folder}: name the folder of a transformers "
            "encoder, or null to train one from scratch"
        )
    options = {"local_files_only": True, "trust_remote_code": False}
    try:
        check_sizes(folder)
        encoder = AutoModel.from_pretrained(folder, use_safetensors=True, **options)
        tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    except (OSError, ValueError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"model.text.encoder: cannot load {folder}: {reason}") from error
    if len(tokenizer) > encoder.config.vocab_size:
        raise ValueError(
            f"model.text.encoder: the tokenizer in {folder} has {len(tokenizer)} tokens, the "
            f"encoder {encoder.config.vocab_size}: they do not belong together"
        )
    return encoder, tokenizer


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


def _load_resnet(network: nn.Module, parameters: ImageParameters) -> None:
    path = Path(str(parameters.weights))
    try:
        weights = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"model.image.weights: cannot read {path}: {error}") from error
    # The classifier is not ours, and some publishers leave out the counters of batches.
    weights = {name: value for name, value in weights.items() if not name.startswith("fc.")}
    wanted = {k: v.shape for k, v in network.state_dict().items() if "num_batches" not in k}
    given = {k: v.shape for k, v in weights.items() if "num_batches" not in k}
    if wanted != given:
        odd = sorted(k for k in wanted.keys() | given.keys() if wanted.get(k) != given.get(k))
        raise ValueError(
            f"model.image.weights: {path} does not hold a {parameters.architecture}: "
            f"{len(odd)} of {len(wanted)} weights differ in name or shape, {odd[0]} first"
        )
    network.load_state_dict(weights, strict=False)

"""Loads pretrained encoders; one with a missing or an unknown weight is refused."""

from __future__ import annotations

import logging
import math
from functools import cache
from typing import Any, Literal

import torch
from transformers import (
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from multimodal_sentiment.encoders import POOLING, Encoder, EncoderError, read_json

from .image import has_class_token, viewing_options
from .networks import defining_part, first_line
from .preprocessing import read_view
from .pretrained import OFFLINE, Weights, load_network, load_resnet
from .text import TextEncoder
from .validation import LARGEST_SIDE, check_sizes, warn_of_lost_emoji

logger = logging.getLogger(__name__)

# Vocabularies are padded to round sizes, by less than this.
_MOST_PADDING = 1024


def load_text_encoder(
    encoder: Encoder, max_tokens: int, pooling: Literal["auto", "cls", "mean"] = "auto"
) -> tuple[TextEncoder, PreTrainedTokenizerBase]:
    """Load a text encoder and its tokenizer.

    Args:
        encoder: The folder of an encoder that transformers knows.
        max_tokens: The number of tokens that it must be able to read.
        pooling: `cls`, `mean`, or `auto` for the pooling it was trained with.

    Raises:
        EncoderError: If either cannot be read, or they do not belong together.
    """
    network, torch_attention, _, _ = load_network(encoder, "text")
    tokenizer = _load_tokenizer(encoder, network.config)
    pooling = _choose_pooling(encoder, network.config) if pooling == "auto" else pooling
    text = TextEncoder(network.config, pooling, network, torch_attention).eval()
    if max_tokens > text.longest:
        raise EncoderError(
            f"model.text.max_tokens: {encoder.name} reads at most {text.longest} tokens, not "
            f"{max_tokens}: set at most that"
        )
    _check_reading(encoder, text, tokenizer, max_tokens)
    return text, tokenizer


def load_image_encoder(
    encoder: Encoder, size: int | None = None, resize: int | None = None
) -> tuple[dict[str, Any], Weights]:
    """Load the configuration of an image encoder, and its weights.

    Args:
        encoder: A folder as timm or transformers write it, or a file with a ResNet's weights.
        size: The side of the squares that it reads, px; None for the size it was made for.
        resize: The length that the short side is resized to before, px; None cuts off as much as in
            its pretraining.

    Returns:
        The model's `image_config`, and the encoder's state dict.

    Raises:
        EncoderError: If it cannot be read, cannot read such squares, or is not what its
            configuration says.
    """
    if encoder.path.is_file():
        config, weights = load_resnet(encoder)
    else:
        network, _, whole, random = load_network(encoder, "image")
        if random:  # a pooling layer that no published weight is for
            network.pooler = None
        view = read_view(encoder, whole)
        vision = defining_part(network.config.to_dict(), "image")
        config = {"architecture": vision.get("architecture", vision["model_type"])} | view
        config |= {
            "vision": vision,
            "pooling": _detect_pooling(encoder, network, size or view["size"], view["size"]),
        }
        weights = network.state_dict()
    native, share = config["size"], config["size"] / config["resize"]
    size = size or native
    resize = resize or max(size, math.floor(size / share + 1e-6))
    if resize < size:
        raise EncoderError(
            f"model.image.resize: {encoder.name} sees squares of {size} px, more than {resize} px: "
            "set at least that, or null"
        )
    if max(size, resize) > LARGEST_SIDE:  # such a model could not be loaded again
        raise EncoderError(
            f"model.image.size: {encoder.name} would see squares of {size} px, cut out of {resize} "
            f"px, and at most {LARGEST_SIDE} px are possible: set model.image.size and .resize to "
            "less, or choose another encoder"
        )
    if size != native:
        _log_size(str(encoder), native, size)
    return config | {"size": size, "resize": resize}, weights


@cache  # a comparison or a search loads an encoder for each training
def _log_size(encoder: str, native: int, size: int) -> None:
    logger.info("%s was made for %d px, and is given %d px", encoder, native, size)


def _load_tokenizer(encoder: Encoder, config: PreTrainedConfig) -> PreTrainedTokenizerBase:
    place = f"the tokenizer in {encoder.path}"
    try:
        check_sizes(encoder.path)
        tokenizer = AutoTokenizer.from_pretrained(encoder.path, **OFFLINE)
        if hasattr(tokenizer, "normalization"):
            # BERTweet's, which by this reads links and users as the two tokens it was taught.
            tokenizer = AutoTokenizer.from_pretrained(encoder.path, normalization=True, **OFFLINE)
    except Exception as error:  # whatever a broken vocabulary makes its parser raise
        raise EncoderError(
            f"model.text.encoder: cannot read {place}: {first_line(error)}"
        ) from error
    count = len(tokenizer)
    fault = None
    if not config.vocab_size - _MOST_PADDING < count <= config.vocab_size:
        fault = f"has {count} tokens, the encoder {config.vocab_size}: they do not belong together"
    elif getattr(config, "pad_token_id", None) not in (None, tokenizer.pad_token_id):
        fault = (
            f"pads with token {tokenizer.pad_token_id}, the encoder with {config.pad_token_id}: "
            "they do not belong together"
        )
    elif tokenizer.mask_token_id is None:  # these families were all taught to fill gaps
        fault = "has no mask token"
    if fault:
        raise EncoderError(f"model.text.encoder: {place} {fault}: put the encoder's own there")
    warn_of_lost_emoji(tokenizer)
    return tokenizer


def _choose_pooling(encoder: Encoder, config: PreTrainedConfig) -> Literal["cls", "mean"]:
    """Return the pooling that a text encoder was trained with; `cls` if its folder does not say."""
    file = encoder.path / POOLING
    if not file.is_file():
        if getattr(config, "classifier_pooling", "cls") == "mean":
            return "mean"
        if encoder.may_lack_pooling:
            _warn_of_pooling(encoder.name, str(encoder))
        return "cls"
    content = read_json(file)
    if "pooling_mode" in content:  # a word, or in older files one key for each way
        modes = {str(content["pooling_mode"])}
    else:
        prefix = "pooling_mode_"
        modes = {
            key.removeprefix(prefix).removesuffix("_tokens").removesuffix("_token")
            for key, used in content.items()
            if key.startswith(prefix) and used
        }
    if modes == {"cls"}:
        return "cls"
    if modes == {"mean"}:
        return "mean"
    raise EncoderError(
        f"model.text.pooling: {encoder.name} was trained with {', '.join(sorted(modes)) or 'none'},"
        " and auto knows cls and mean: set one of the two"
    )


@cache
def _warn_of_pooling(name: str, encoder: str) -> None:
    logger.warning(
        "model.text.pooling: %s has no %s beside it, by which %s may say that it was trained with "
        "the mean: its first token is taken: set model.text.pooling, or have it fetched whole with "
        "--pipeline=encoders",
        encoder,
        POOLING,
        name,
    )


def _check_reading(
    encoder: Encoder, text: TextEncoder, tokenizer: PreTrainedTokenizerBase, max_tokens: int
) -> None:
    """Refuse an encoder that does not read a batch as transformers means it to."""
    ids = torch.arange(2 * max_tokens).view(2, max_tokens) % len(tokenizer)
    ids[ids == tokenizer.pad_token_id] = tokenizer.mask_token_id
    seen = torch.ones_like(ids)
    seen[1, max_tokens // 2 :], ids[1, max_tokens // 2 :] = 0, tokenizer.pad_token_id
    try:
        with torch.no_grad():
            ours = text.last_layer(ids, seen)[seen.bool()]
            theirs = text.encoder(input_ids=ids, attention_mask=seen)[0][seen.bool()]
        same = torch.allclose(ours, theirs, rtol=1e-3, atol=1e-3)
        fault = None if same else "it reads our mask of what is padding otherwise than it should"
    except Exception as error:  # what a family raises that needs more than texts
        fault = first_line(error)
    if fault:
        family = text.encoder.config.model_type
        raise EncoderError(
            f"model.text.encoder: {encoder.name}, a {family}, cannot be used: {fault}: choose "
            "another encoder"
        )


def _detect_pooling(encoder: Encoder, network: PreTrainedModel, size: int, made_for: int) -> str:
    """Run the encoder once, and return the name of its pooling: `pooler`, `cls` or `mean`.

    Raises:
        EncoderError: If it cannot read squares of that size, or needs more than images.
    """
    network.eval()
    config, pixels = network.config, torch.linspace(-1, 1, 3 * size**2).view(1, 3, size, size)
    try:
        options = viewing_options(network, pixels)
        with torch.no_grad():
            first, second = (network(pixels, **options) for _ in range(2))
        hidden = first.last_hidden_state
        fault = None if torch.equal(hidden, second.last_hidden_state) else "it draws at random"
    except Exception as error:  # what a network raises that is not given what it needs
        fault = first_line(error)
    if fault:
        raise EncoderError(
            f"model.image.encoder: {encoder.name}, a {config.model_type}, made for {made_for} px, "
            f"cannot be used at {size} px: {fault}: set "
            "model.image.size=null,model.image.resize=null, or choose another encoder"
        )
    if getattr(first, "pooler_output", None) is not None:
        return "pooler"
    patches = getattr(config, "use_mean_pooling", False) or not has_class_token(network)
    return "mean" if patches else "cls"

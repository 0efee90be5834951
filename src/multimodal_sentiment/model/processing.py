"""From texts and pictures to what the model takes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image
from transformers import BertTokenizerFast, PreTrainedTokenizerBase

_URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_USER = re.compile(r"(?<!\w)@\w+")

Pixels = np.ndarray  # uint8 RGB of shape (height, width, 3)


def clean_text(text: str) -> str:
    """The text with each link as `http` and each mentioned user as `@user`.

    Which link and which user say little and would be cut into many pieces; that there is one may
    say something. Tweet-trained encoders expect the same two words.
    """
    return _USER.sub("@user", _URL.sub("http", text))


def learn_tokenizer(texts: Iterable[str], vocabulary_size: int) -> PreTrainedTokenizerBase:
    """A BERT tokenizer whose word pieces are learnt from texts.

    Wu et al., "Google's Neural Machine Translation System", 2016 (word pieces).
    """
    cleaned = (clean_text(text) for text in texts)
    return BertTokenizerFast().train_new_from_iterator(
        cleaned, vocabulary_size, show_progress=False
    )


def tokenize(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int
) -> list[list[int]]:
    """The token ids of each text, its special tokens included, at most `max_tokens` of them."""
    if not texts:
        return []
    cleaned = [clean_text(text) for text in texts]
    encoded = tokenizer(
        cleaned, truncation=True, max_length=max_tokens, return_attention_mask=False
    )
    ids: list[list[int]] = encoded["input_ids"]
    return ids


def central_square(pixels: Pixels, resize: int, size: int) -> Pixels:
    """The square that the model sees when it predicts.

    Equal to bringing the short side to `resize` px and cutting the central `size` px, as ImageNet
    models are evaluated; only the part that is kept is resampled.

    Returns:
        uint8 RGB of shape (size, size, 3).
    """
    height, width = pixels.shape[:2]
    side = min(height, width) * size / resize
    return resample(pixels, ((width - side) / 2, (height - side) / 2, side), size)


def resample(pixels: Pixels, square: tuple[float, float, float], size: int) -> Pixels:
    """A square of a picture, brought to another size with antialiasing.

    Args:
        pixels: uint8 RGB of shape (height, width, 3).
        square: Its left edge, top edge and side, px; it must lie within the picture.
        size: The side of the result, px.

    Returns:
        uint8 RGB of shape (size, size, 3).
    """
    left, top, side = square
    if side == size:
        left, top = round(left), round(top)
        return pixels[top : top + size, left : left + size]
    box = (left, top, left + side, top + side)
    image = Image.fromarray(pixels).resize((size, size), Image.Resampling.BILINEAR, box=box)
    return np.asarray(image)

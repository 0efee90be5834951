"""From texts and pictures to what the model takes."""

from __future__ import annotations

import re
from collections import Counter
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
    """A BERT tokenizer whose word pieces are the commonest words and letters of some texts.

    A word that is not among them is read as the longest that are, down to single letters. (The
    tokenizers library learns pieces between the two, but other ones each time: equal seeds would
    no longer mean equal models.)
    """
    blank = BertTokenizerFast().backend_tokenizer
    words: Counter[str] = Counter()
    for text in texts:
        said = blank.normalizer.normalize_str(clean_text(text))
        words.update(word for word, _ in blank.pre_tokenizer.pre_tokenize_str(said))
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for position, letter in enumerate(word):
            letters[letter if position == 0 else f"##{letter}"] += count
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # At most half are letters: a source with many Chinese characters has words as well.
    room = vocabulary_size - len(special)
    pieces = _commonest(letters, room // 2)
    pieces += [word for word in _commonest(words, room) if word not in letters]
    vocabulary = {piece: index for index, piece in enumerate((special + pieces)[:vocabulary_size])}
    return BertTokenizerFast(vocab=vocabulary)


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


def _commonest(counts: Counter[str], most: int) -> list[str]:
    return sorted(counts, key=lambda piece: (-counts[piece], piece))[:most]

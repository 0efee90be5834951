"""The words of a text, as the players that share what the text has added."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from multimodal_sentiment.model.words import UNSPACED

# A run of emoji, or a letter of a script without spaces, or whatever stands between two spaces:
# each with the punctuation that touches it, as nobody calls a comma a word.
_EMOJI = "\u2600-\u27bf\U0001f000-\U0001faff"
_WORD = re.compile(
    rf"[{_EMOJI}][{_EMOJI}\ufe0f\u200d]*|[{UNSPACED}](?:(?![{_EMOJI}])[^\w\s])*|[^\s{UNSPACED}{_EMOJI}]+"
)

Span = tuple[int, int]


def split_words(text: str) -> list[Span]:
    """Return where each word of a text begins and ends."""
    return [match.span() for match in _WORD.finditer(text)]


def group_words(words: Sequence[Span], most: int) -> list[Span]:
    """Return the words, or where there are more than `most`, as many runs of adjacent ones."""
    if len(words) <= most:
        return list(words)
    ends = np.linspace(0, len(words), most + 1).round().astype(int).tolist()
    return [(words[first][0], words[last - 1][1]) for first, last in pairwise(ends)]


def count_read(
    text: str, words: Sequence[Span], most: int, tokenize: Callable[[str], list[int]]
) -> int:
    """Return how many of a text's words are read by an encoder that cuts long texts.

    Args:
        text: The text.
        words: The words from `split_words`.
        most: The most tokens that are read.
        tokenize: The function that gives the tokens that are read of a text.
    """
    read = tokenize(text)
    if len(read) < most:
        return len(words)

    def is_enough(word: Span) -> bool:
        return tokenize(text[: word[1]]) == read

    # A token may hold several words, as two letters of a script without spaces.
    tried = most
    while tried < len(words) and not is_enough(words[tried - 1]):
        tried *= 2
    return 1 + bisect_left(words[:tried][:-1], True, key=is_enough)


def keep_words(text: str, words: Sequence[Span], members: NDArray[np.bool_]) -> list[str]:
    """Return the text with some of its words only, for each row of members.

    Words keep their order, and each takes the gap behind it along; all of them are the whole text.

    Args:
        text: The text.
        words: The words from `split_words`.
        members: The words that are kept, boolean of shape (texts, words).
    """
    begins = [0, *(start for start, _ in words[1:]), len(text)]
    parts = np.array([text[begin:end] for begin, end in pairwise(begins)], dtype=object)
    return ["".join(parts[row]) for row in members]

"""Counted words: a second view of a text, beside its embedding.

`learn_vocabulary` keeps the words and pairs of words that several posts share, `count_terms` counts
them in a text, and `WordHead` turns the counts into logits. The weights of the counts are TF-IDF as
scikit-learn's `TfidfVectorizer` has it, but none of this needs scikit-learn once it is learnt.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from itertools import pairwise
from typing import Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import nn

from .text import clean_text

# Thai, Lao, Burmese, Khmer, kana and Han put no spaces between words: each letter is a word, and
# pairs of letters are pairs of words.
UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
UNSPACED += "\U00020000-\U0003ffff"
# Elsewhere a word has two letters at least. Python's \w lacks the accents and vowel signs that are
# characters of their own.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u0610-\u065f\u0900-\u0dff"
WORD = rf"[{UNSPACED}]|(?:(?![{UNSPACED}])[\w{_MARKS}]){{2,}}"

_word = re.compile(WORD)

# Full-width, mathematical and ligated letters are counted as the plain ones.
NormalForm: TypeAlias = Literal["NFKC"]
NORMAL_FORM: NormalForm = "NFKC"


class Vocabulary(dict[str, int]):
    """The index of each term, from 0, and the form that texts are brought to before they are read.

    Args:
        terms: The words and pairs of adjacent words, in the order of the model's weights.
        form: A normal form of Unicode; None leaves texts as they are, as earlier models do.
    """

    def __init__(self, terms: Iterable[str], form: NormalForm | None) -> None:
        super().__init__((term, index) for index, term in enumerate(terms))
        self.form = form


def learn_vocabulary(
    texts: Iterable[str], groups: Iterable[Hashable], min_groups: int
) -> list[str]:
    """Return the words and pairs of adjacent words that enough texts share, in order.

    Args:
        texts: The text of each post to learn from.
        groups: The group of each post; near duplicates share one.
        min_groups: The least number of groups that a term must occur in. A rarer one teaches
            little, and a model folder should not repeat what only one person has written, however
            often it was copied.
    """
    said = {
        (group, term)
        for group, text in zip(groups, texts, strict=True)
        for term in _terms(text, NORMAL_FORM)
    }
    counts = Counter(term for _, term in said)
    return sorted(term for term, count in counts.items() if count >= min_groups)


def count_terms(
    vocabulary: Vocabulary, texts: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return which terms occur in each text, and how often.

    Args:
        vocabulary: The terms that are counted.
        texts: The texts to count in.

    Returns:
        Indices and counts, both of shape (texts, most terms of a text, at least 1). Rows are filled
        up with the index `len(vocabulary)` and the count 0.
    """
    counted = [
        Counter(filter(vocabulary.__contains__, _terms(text, vocabulary.form))) for text in texts
    ]
    longest = max([1, *map(len, counted)])
    indices = np.full((len(texts), longest), len(vocabulary), dtype=np.int64)
    counts = np.zeros((len(texts), longest), dtype=np.int64)
    for row, terms in enumerate(counted):
        indices[row, : len(terms)] = [vocabulary[term] for term in terms]
        counts[row, : len(terms)] = list(terms.values())
    return indices, counts


def learn_idf(
    indices: NDArray[np.int64], counts: NDArray[np.int64], terms: int
) -> NDArray[np.float64]:
    """Return the inverse document frequency of each term, of shape (terms,).

    log((1 + texts) / (1 + texts with the term)) + 1, as if one more text had every term.
    """
    texts_with = np.bincount(indices[counts > 0], minlength=terms)
    return np.asarray(np.log((1 + len(indices)) / (1 + texts_with)) + 1)


class WordHead(nn.Module):
    """Logits that are linear in the TF-IDF of counted words.

    A term that a text has c times weighs (1 + log c) * idf, and a text's weights have the length 1
    (Salton and Buckley, "Term-weighting approaches in automatic text retrieval", 1988).

    Args:
        terms: The number of terms.
        labels: The number of labels.
    """

    idf: torch.Tensor

    def __init__(self, terms: int, labels: int) -> None:
        super().__init__()
        # The last row stands for "no term", which rows of counts are filled up with.
        self.register_buffer("idf", torch.zeros(terms + 1))
        self.weight = nn.Parameter(torch.zeros(terms + 1, labels))
        self.bias = nn.Parameter(torch.zeros(labels))

    def forward(self, indices: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return logits of shape (batch, labels).

        Args:
            indices: The index of each term, from `count_terms`, of shape (batch, terms of a text).
            counts: The count of each term, of the same shape.
        """
        # What rows are filled up with has the idf 0.
        weights = (1 + counts.clamp(min=1).to(self.idf.dtype).log()) * self.idf[indices]
        length = weights.square().sum(dim=1, keepdim=True).sqrt()  # (batch, 1)
        weights = weights / length.clamp(min=1e-12)
        return (weights.unsqueeze(2) * self.weight[indices]).sum(dim=1) + self.bias

    def load_solution(self, idf: ArrayLike, weights: ArrayLike, bias: ArrayLike) -> None:
        """Load weights that were solved elsewhere.

        Args:
            idf: The inverse document frequencies, of shape (terms,).
            weights: The weights, of shape (labels, terms).
            bias: The bias, of shape (labels,).
        """
        with torch.no_grad():
            self.idf[:-1] = torch.as_tensor(np.asarray(idf))
            self.weight[:-1] = torch.as_tensor(np.asarray(weights)).T
            self.bias.copy_(torch.as_tensor(np.asarray(bias)))


def _terms(text: str, form: NormalForm | None) -> list[str]:
    """Return the words of a text, and its pairs of adjacent words."""
    text = unicodedata.normalize(form, text) if form else text
    words = _word.findall(clean_text(text).lower())
    return words + [f"{first} {second}" for first, second in pairwise(words)]

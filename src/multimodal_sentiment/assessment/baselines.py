"""What any model must beat: the commonest tag, and a linear classifier of words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.dummy import DummyClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

_METHOD = "TF-IDF of words and letters, logistic regression"


class Baseline(NamedTuple):
    """A baseline's answers, and in words how it came to them."""

    predicted: np.ndarray
    method: str


def majority_baseline(train_tags: Sequence[str], n: int) -> Baseline:
    """Answer the commonest training tag for `n` posts (of equals, the first by name)."""
    model = DummyClassifier(strategy="most_frequent").fit(np.zeros(len(train_tags)), train_tags)
    return Baseline(model.predict(np.zeros(n)), "the commonest training tag")


def tfidf_baseline(
    train_texts: Sequence[str], train_tags: Sequence[str], texts: Sequence[str]
) -> Baseline:
    """Answer by TF-IDF of words, word pairs and 2 to 4 letters, and logistic regression.

    The settings are fixed, so nothing is chosen on the posts judged. Letters read scripts that
    part no words, and forms of a word; what occurs in one training post only is left out. Where
    nothing can be learnt (one tag, nothing that two posts share), it is the majority baseline, and
    `method` says so.

    Args:
        train_texts: Texts to learn from.
        train_tags: Their tags.
        texts: Texts to answer for.
    """
    if len(set(train_tags)) == 1:
        return _fallback("the training posts have one tag", train_tags, len(texts))
    choices = (_vectorizer("word", 1, 2), _vectorizer("char_wb", 2, 4))
    learnt = [(choice, _learn(choice, train_texts)) for choice in choices]
    learnt = [(vectorizer, known) for vectorizer, known in learnt if known is not None]
    if not learnt:
        return _fallback("the training texts share nothing", train_tags, len(texts))
    if not len(texts):
        return Baseline(np.array([], dtype=object), _METHOD)
    known = hstack([known for _, known in learnt], format="csr")
    asked = hstack([vectorizer.transform(texts) for vectorizer, _ in learnt], format="csr")
    model = LogisticRegression(C=4, max_iter=1000).fit(known, train_tags)
    return Baseline(model.predict(asked), _METHOD)


def _vectorizer(analyzer: str, shortest: int, longest: int) -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer=analyzer,
        ngram_range=(shortest, longest),
        min_df=2,
        sublinear_tf=True,
    )


def _learn(vectorizer: TfidfVectorizer, texts: Sequence[str]) -> csr_matrix | None:
    try:
        return vectorizer.fit_transform(texts)
    except ValueError:  # scikit-learn's word for an empty vocabulary
        return None


def _fallback(reason: str, train_tags: Sequence[str], n: int) -> Baseline:
    majority = majority_baseline(train_tags, n)
    return Baseline(majority.predicted, f"{majority.method}: {reason}")

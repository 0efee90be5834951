"""Solves heads on the features of frozen encoders, and the pool that joins them."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from scipy.sparse import csr_array
from threadpoolctl import threadpool_limits

from multimodal_sentiment.assessment import choose_temperature
from multimodal_sentiment.batches import Features, LabelledPosts
from multimodal_sentiment.compute.memory import keep_freed_memory
from multimodal_sentiment.model import SentimentModel, build_model
from multimodal_sentiment.model.words import (
    NORMAL_FORM,
    Vocabulary,
    count_terms,
    learn_idf,
    learn_vocabulary,
)

from ..plan import Fitted, Plan, class_weights, describe_plan
from .heads import SolvedHeads, Voice, deal_folds, solve_heads

logger = logging.getLogger(__name__)

_MIN_GROUPS = 3  # of near duplicates, that a counted word must be in


def solve(plan: Plan, posts: LabelledPosts) -> Fitted:
    """Solve the heads of a model whose encoders are frozen, and the pool of their logits.

    All posts are learnt from: how strongly heads are regularised, the pool and the temperature are
    chosen by grouped folds of them.

    Raises:
        ValueError: If a label has too few posts, or none has anything that the model reads.
    """
    keep_freed_memory()  # each step of a solver needs as much as the last one, wherever it runs
    fold = deal_folds(posts.tags, posts.groups, plan.training.seed)
    present = {name: ~np.isnan(rows[:, 0]) for name, rows in plan.features.items()}
    if not any(has.any() for has in present.values()):
        raise ValueError(
            f"not one of the {len(posts):,} posts to learn from has a usable {' or '.join(present)}"
        )
    texts = posts.texts
    terms = learn_vocabulary(texts, posts.groups, _MIN_GROUPS) if plan.counts_words else []
    weights = class_weights(posts.tags, plan.labels, plan.training.class_weights)
    model, tokenizer = build_model(
        plan.model,
        plan.labels,
        texts,
        plan.encoders,
        counted_terms=len(terms),
        word_form=NORMAL_FORM if terms else None,
    )
    logger.info("%s: %s posts to learn from", describe_plan(plan, model), f"{len(posts):,}")

    voices, idf = _gather_voices(plan.features, present, texts, terms)
    truth = posts.label_indices(plan.labels)
    # On one thread: so small products gain nothing by more, and their sums would differ.
    with threadpool_limits(1):
        solved = solve_heads(
            {name: voices[name] for name in model.config.voices},
            present,
            truth,
            fold,
            weights or [1.0] * len(plan.labels),
        )
    _take_over(model, solved, idf)
    model.config.calibration_temperature = choose_temperature(
        solved.out_of_fold, truth, posts.groups
    )
    history = pd.DataFrame(solved.tried)
    logger.info("Regularisation chosen by folds: %s", _describe(history))
    record = {
        "learning_posts": len(posts),
        "tuning_posts": 0,
        "strengths": {name: head.strength for name, head in solved.heads.items()},
    }
    return Fitted(model, tokenizer, history, record, terms)


def _gather_voices(
    features: Features,
    present: Mapping[str, NDArray[np.bool_]],
    texts: Sequence[str],
    terms: Sequence[str],
) -> tuple[dict[str, Voice], NDArray[np.float64]]:
    """Return what each head reads, and the inverse document frequencies of the terms."""
    voices = {
        name: Voice(np.where(present[name][:, None], rows, np.float32(0)), name)
        for name, rows in features.items()
    }
    idf = np.zeros(0)
    if terms:
        counted = count_terms(Vocabulary(terms, NORMAL_FORM), texts)
        idf = learn_idf(*counted, len(terms))
        voices["words"] = Voice(weigh_terms(*counted, idf), "text")
    return voices, idf


def weigh_terms(
    indices: NDArray[np.int64], counts: NDArray[np.int64], idf: NDArray[np.float64]
) -> csr_array:
    """Return what `WordHead` multiplies its weights with, of shape (texts, terms), to solve it."""
    row, column = np.nonzero(counts)
    term = indices[row, column]
    values = (1 + np.log(counts[row, column])) * idf[term]
    lengths = np.sqrt(np.bincount(row, values**2, minlength=len(indices)))
    return csr_array((values / lengths[row], (row, term)), shape=(len(indices), len(idf)))


def _take_over(model: SentimentModel, solved: SolvedHeads, idf: NDArray[np.float64]) -> None:
    """Write what was solved into the model."""
    solution = {
        model.fusion.weights: solved.pool.weights,
        model.fusion.bias: solved.pool.bias,
    }
    for name, head in solved.heads.items():
        if model.words is not None and name == "words":
            model.words.load_solution(idf, head.weights, head.bias)
        else:
            layer = model.branches[name].head
            solution |= {layer.weight: head.weights, layer.bias: head.bias}
    with torch.no_grad():
        for parameter, values in solution.items():
            parameter.copy_(torch.as_tensor(values))


def _describe(history: pd.DataFrame) -> str:
    chosen = history[history["chosen"]]
    return ", ".join(
        f"{row.voice} {row.strength:g} (log loss {row.log_loss:.3f}, accuracy {row.accuracy:.3f})"
        for row in chosen.itertuples()
    )

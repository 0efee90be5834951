"""Linear heads on the features of frozen encoders: convex problems, solved rather than searched.

Each *voice* (the text's embedding, its counted words, the image's embedding) gets a multinomial
logistic regression of its own, and a pool joins them. The pool is fitted to logits that the heads
gave for posts they had not learnt from, and thus calibrates as well. Nothing is drawn at random
but the folds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array, issparse
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from multimodal_sentiment.posts.split import grouped_folds

from .logit_pool import BITS, Floats, LogitPool, fit_pool, rows_of_posts

# Inverse strengths of the penalty, tried from the left until the loss rises; if the first is the
# best of these, then smaller ones likewise. Rows have about unit length, so that one grid serves
# features of any width.
STRENGTHS = tuple(2.0**power for power in range(-5, 13))
SMALLER_STRENGTHS = tuple(2.0**power for power in range(-6, -16, -1))

_FOLDS = 5

# Features of unit length that vary less than this, in standard deviations, vary by rounding alone.
_ROUNDING = 1e-6

# No feature is taken to vary less than this share of the root mean square of all deviations. Drawn
# images of one kind hardly move many features of a network that was made for photos: divided by
# next to nothing, the slightest other image would decide every answer, and so would rounding to
# bfloat16. (A constant beside the deviation: Tusher et al., "Significance analysis of microarrays",
# 2001.) On thousands of varied photos each feature varies by more, or by hardly less.
_LEAST_SPREAD = 0.5

Matrix: TypeAlias = "NDArray[np.floating] | csr_array"


@dataclass(frozen=True)
class Voice:
    """The features that one head learns from.

    Attributes:
        features: The features, of shape (posts, width). Dense ones are scaled to unit length and
            standardised; sparse ones are used as they are: their rows should have unit length.
        modality: The modality that a post must have for this voice to give logits.
    """

    features: Matrix
    modality: str


@dataclass(frozen=True)
class Head:
    """A voice's head: linear in the features, dense ones scaled to unit length.

    Attributes:
        weights: The weights, of shape (labels, width); the standardisation is folded in.
        bias: The bias, of shape (labels,).
        strength: The inverse strength of the penalty that was chosen.
    """

    weights: Floats
    bias: Floats
    strength: float

    def logits(self, features: Matrix) -> Floats:
        """Return logits of shape (posts, labels) for features of shape (posts, width)."""
        seen = features if issparse(features) else unit_length(features)
        return np.asarray(seen @ self.weights.T + self.bias)


@dataclass(frozen=True)
class SolvedHeads:
    """Heads, how they are joined, and what they answer for posts that they have not learnt from.

    Attributes:
        heads: The head of each voice, learnt from all posts.
        pool: The pool; its voices are in the order of `heads`.
        out_of_fold: The logits of all posts, of shape (posts, labels); neither heads nor pool have
            learnt from the post or its near duplicates. Only the strengths were chosen with their
            help.
        tried: One row for each voice and strength: `voice`, `strength`, `log_loss` (class weights
            included), `accuracy` and `macro_f1` out of fold, and whether it was `chosen`.
    """

    heads: dict[str, Head]
    pool: LogitPool
    out_of_fold: Floats
    tried: list[dict[str, str | float | bool]]


def solve_heads(
    voices: Mapping[str, Voice],
    present: Mapping[str, ArrayLike],
    labels: ArrayLike,
    fold: NDArray[np.int64],
    class_weights: ArrayLike,
) -> SolvedHeads:
    """Solve a head for each voice and the pool that joins them.

    Args:
        voices: The voices by name, in the order that the pool keeps.
        present: For each modality, whether each post has it, boolean of shape (posts,).
        labels: The index of each post's label, of shape (posts,).
        fold: The fold of each post, from `deal_folds`, by which strengths and pool are chosen.
        class_weights: The weight of each label in the heads' loss, of shape (labels,). The pool's
            loss weighs all posts alike, so that its probabilities are calibrated.

    Raises:
        ValueError: If features are not finite.
    """
    truth, of_labels = np.asarray(labels, dtype=int), np.asarray(class_weights, dtype=float)
    rows = rows_of_posts(present)
    heads: dict[str, Head] = {}
    tried: list[dict[str, str | float | bool]] = []
    voiced = np.full((len(truth), len(voices), len(of_labels)), np.nan)
    for number, (name, voice) in enumerate(voices.items()):
        at = np.flatnonzero(rows & BITS[voice.modality])
        problem = _Problem.of(name, voice.features[at], truth[at], of_labels)
        strength, judged, table = problem.choose_strength(fold[at])
        heads[name] = problem.solve(strength)
        voiced[at, number] = judged
        tried += [{"voice": name, **row} for row in table]
    speaks = [voice.modality for voice in voices.values()]
    pool = fit_pool(voiced, speaks, rows, truth)
    out_of_fold = np.empty((len(truth), len(of_labels)))
    for held_out in np.unique(fold):
        judge, learn = fold == held_out, fold != held_out
        part = fit_pool(voiced[learn], speaks, rows[learn], truth[learn])
        out_of_fold[judge] = part.logits(voiced[judge], rows[judge])
    return SolvedHeads(heads, pool, out_of_fold, tried)


def deal_folds(labels: ArrayLike, groups: ArrayLike, seed: int) -> NDArray[np.int64]:
    """Return the fold of each post, of shape (posts,); fewer than five where a label is rare.

    Args:
        labels: The label of each post.
        groups: The group of each post; near duplicates share one, and are never in two folds.
        seed: The seed of the folds.

    Raises:
        ValueError: If a label has too few groups for two folds.
    """
    found, owners = np.asarray(labels), np.asarray(groups)
    counts = [len(np.unique(owners[found == label])) for label in np.unique(found)]
    return grouped_folds(found, owners, max(2, min([_FOLDS, *counts])), seed)


def unit_length(features: ArrayLike) -> Floats:
    """Return rows of shape (posts, width) scaled to length 1; a row of zeros stays."""
    values = np.asarray(features, dtype=float)
    return values / np.maximum(np.linalg.norm(values, axis=1, keepdims=True), 1e-12)


@dataclass
class _Problem:
    """A voice's posts, standardised: `inputs` = features * `scale` - `shift`."""

    inputs: Matrix
    labels: NDArray[np.int64]
    class_weights: Floats
    shift: Floats
    scale: Floats

    @classmethod
    def of(
        cls, name: str, features: Matrix, labels: NDArray[np.int64], class_weights: Floats
    ) -> _Problem:
        if not np.isfinite(features.data if issparse(features) else features).all():
            raise ValueError(f"the features of {name!r} are not finite: encode the posts again")
        width = features.shape[1]
        if issparse(features):
            values = csr_array(features, dtype=float)
            shift, scale = np.zeros(width), np.ones(width)
        else:
            values = unit_length(features)
            deviation = values.std(axis=0) if len(values) else np.ones(width)
            varies = deviation > _ROUNDING  # what never varies tells nothing
            least = max(_ROUNDING, _LEAST_SPREAD * np.sqrt(np.mean(deviation**2)))
            scale = np.where(varies, 1 / (np.maximum(deviation, least) * np.sqrt(width)), 0)
            shift = values.mean(axis=0) * scale if len(values) else np.zeros(width)
            values = values * scale - shift
        return cls(values, labels, class_weights, shift, scale)

    def choose_strength(
        self, fold: NDArray[np.int64]
    ) -> tuple[float, Floats, list[dict[str, float | bool]]]:
        """Return the strength of least loss out of fold, its logits, and what was tried.

        Near duplicates share a fold. The loss weighs the labels as the heads' own loss does.
        """
        if not len(fold):  # no post has this voice's modalities
            return STRENGTHS[0], np.zeros((0, len(self.class_weights))), []
        best, chosen, logits = np.inf, STRENGTHS[0], np.zeros((len(fold), len(self.class_weights)))
        table: list[dict[str, float | bool]] = []
        for grid in (STRENGTHS, SMALLER_STRENGTHS):
            solutions: dict[int, _Solution] = {int(k): None for k in np.unique(fold)}
            for strength in grid if chosen == STRENGTHS[0] else ():
                answered = self._answer(fold, strength, solutions)
                row = self._judge(answered)
                table.append({"strength": strength, **row, "chosen": False})
                if row["log_loss"] >= best:
                    break
                best, chosen, logits = row["log_loss"], strength, answered
        table.sort(key=lambda tried: tried["strength"])
        for tried in table:
            tried["chosen"] = tried["strength"] == chosen
        return chosen, logits, table

    def _answer(
        self, fold: NDArray[np.int64], strength: float, solutions: dict[int, _Solution]
    ) -> Floats:
        """Return the logits of all posts out of fold.

        Each fold starts from its solution for the strength before, which is replaced.
        """
        answered = np.empty((len(fold), len(self.class_weights)))
        for k, start in solutions.items():
            learn, judge = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
            solutions[k] = weights, bias = self._solve(learn, strength, start, tolerance=1e-4)
            answered[judge] = self.inputs[judge] @ weights.T + bias
        return answered

    def solve(self, strength: float) -> Head:
        """Return the head that learns from all posts."""
        weights, bias = self._solve(np.arange(len(self.labels)), strength, None, tolerance=1e-7)
        return Head(weights * self.scale, bias - weights @ self.shift, strength)

    def _solve(
        self, rows: NDArray[np.int64], strength: float, start: _Solution, tolerance: float
    ) -> tuple[Floats, Floats]:
        """Return weights and bias for the standardised features of some posts."""
        labels = self.labels[rows]
        known, place = np.unique(labels, return_inverse=True)
        weights = np.zeros((len(self.class_weights), self.inputs.shape[1]))
        # A label that no post has is as rare as so few posts can show.
        bias = np.full(len(self.class_weights), -np.log(len(labels) + 1.0))
        if len(known) <= 1:  # nothing to tell apart
            bias[known] = 0
            return weights, bias
        binary = len(known) == 2  # noqa: PLR2004 (scikit-learn then solves for the difference)
        post_weights = self.class_weights[labels]
        solver = LogisticRegression(C=strength, tol=tolerance, max_iter=1000, warm_start=True)
        if start is not None and not binary:
            solver.coef_, solver.intercept_ = start[0][known], start[1][known]
        solver.fit(self.inputs[rows], place, sample_weight=post_weights / post_weights.mean())
        coefficients, intercepts = solver.coef_, solver.intercept_
        if binary:
            coefficients = np.concatenate([-coefficients, coefficients]) / 2
            intercepts = np.concatenate([-intercepts, intercepts]) / 2
        weights[known], bias[known] = coefficients, intercepts
        return weights, bias

    def _judge(self, logits: Floats) -> dict[str, float]:
        losses = -log_softmax(logits, axis=1)[np.arange(len(logits)), self.labels]
        answers = logits.argmax(axis=1)
        return {
            "log_loss": float(np.average(losses, weights=self.class_weights[self.labels])),
            "accuracy": float(accuracy_score(self.labels, answers)),
            "macro_f1": float(f1_score(self.labels, answers, average="macro")),
        }


_Solution = tuple[Floats, Floats] | None

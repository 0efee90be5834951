"""The pool: how the logits of several heads become those of a post.

The logits of a post are a weighted sum of its voices' logits plus a bias, with weights of their own
for each set of modalities that a post may have. Sources: Wolpert, "Stacked generalization", 1992;
Genest and Zidek, "Combining probability distributions", 1986 (the logarithmic pool).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

MODALITIES = ("text", "image")

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class LogitPool:
    """The weights by which the logits of the voices become those of a post.

    The row of a post is 1 if it has a text, plus 2 if it has an image. Weights of voices that
    have no logits there are 0; a post that has nothing gets the logarithms of the labels' shares.

    Attributes:
        weights: The weights, of shape (4, voices), not negative.
        bias: The bias, of shape (4, labels).
    """

    weights: Floats
    bias: Floats

    def logits(self, voices: Floats, present: Mapping[str, ArrayLike]) -> Floats:
        """Return the logits of posts, of shape (posts, labels).

        Args:
            voices: The logits, of shape (posts, voices, labels); those of a voice that lacks its
                modality may be anything.
            present: For each modality, whether each post has it, of shape (posts,).
        """
        row = np.zeros(len(voices), dtype=int)
        for power, modality in enumerate(MODALITIES):
            if modality in present:
                row += np.asarray(present[modality], dtype=bool) << power
        weights = self.weights[row][:, :, None]  # (posts, voices, 1)
        heard = np.where(weights > 0, voices, 0)
        return np.asarray((weights * heard).sum(axis=1) + self.bias[row])


def fit_pool(
    voices: Floats,
    speaks: Sequence[tuple[str, ...]],
    present: Mapping[str, ArrayLike],
    labels: ArrayLike,
) -> LogitPool:
    """Fit the weights and biases under which the voices' logits explain the labels best.

    The loss is the mean negative log-likelihood of all posts that have the modalities of a row,
    whatever else they have. As in `fit_temperature`, one post of each label is imagined beside each
    post's own, and one more that asks for the mean of the voices: few posts, all of them answered
    rightly, would else ask for boundless confidence. Convex, so there is one minimum.

    Args:
        voices: The logits, of shape (posts, voices, labels), of posts that no head has
            learnt from.
        speaks: The modalities that each voice needs.
        present: For each modality, whether each post has it, of shape (posts,).
        labels: The index of each post's label, of shape (posts,).
    """
    truth = np.asarray(labels, dtype=int)
    _, speakers, classes = voices.shape
    weights, bias = np.zeros((4, speakers)), np.zeros((4, classes))
    counts = np.bincount(truth, minlength=classes) + 1.0
    bias[0] = np.log(counts / counts.sum())
    for row in range(1, 4):
        has = {modality for power, modality in enumerate(MODALITIES) if row >> power & 1}
        heard = [number for number, needs in enumerate(speaks) if has.issuperset(needs)]
        at = has_all(tuple(has), present, len(truth))
        seen = all(has_all((modality,), present, len(truth)).any() for modality in has)
        if heard and seen:
            weights[row, heard], bias[row] = _fit_row(voices[at][:, heard], truth[at])
        else:  # nothing is known of such posts
            bias[row] = bias[0]
    # A modality that no post has had says nothing, beside the other one neither.
    for lacking, other in (("text", 2), ("image", 1)):
        if not has_all((lacking,), present, len(truth)).any():
            weights[3], bias[3] = weights[other], bias[other]
    return LogitPool(weights, bias)


def has_all(
    modalities: tuple[str, ...], present: Mapping[str, ArrayLike], posts: int
) -> NDArray[np.bool_]:
    """Return whether each post has all of some modalities, of shape (posts,)."""
    has = np.ones(posts, dtype=bool)
    for modality in modalities:
        has &= np.asarray(present.get(modality, np.zeros(posts)), dtype=bool)
    return has


def _fit_row(voices: Floats, labels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Fit weights of shape (voices,) and a bias of shape (labels,) for one set of modalities."""
    posts, speakers, classes = voices.shape
    mean = np.full(speakers, 1 / speakers)
    if not posts:
        return mean, np.zeros(classes)
    targets = np.full((posts, classes), 1 / (posts + classes))
    targets[np.arange(posts), labels] *= posts + 1

    def loss(parameters: Floats) -> tuple[float, Floats]:
        weights, bias = parameters[:speakers], parameters[speakers:]
        likelihoods = log_softmax(np.tensordot(voices, weights, (1, 0)) + bias, axis=1)
        excess = (np.exp(likelihoods) - targets) / posts  # (posts, labels)
        slope = np.einsum("pl,pvl->v", excess, voices) + 2 * (weights - mean) / posts
        value = -(targets * likelihoods).sum() / posts + ((weights - mean) ** 2).sum() / posts
        return float(value), np.concatenate([slope, excess.sum(axis=0)])

    bounds = [(0, None)] * speakers + [(None, None)] * classes
    start = np.concatenate([mean, np.zeros(classes)])
    options = {"maxiter": 1000, "ftol": 1e-12, "gtol": 1e-8}
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return found[:speakers], found[speakers:]

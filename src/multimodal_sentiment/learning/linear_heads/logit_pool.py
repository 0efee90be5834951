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

BITS = {"text": 1, "image": 2}  # whose sum is the set of modalities that a post has

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

    def logits(self, voices: Floats, rows: NDArray[np.int64]) -> Floats:
        """Return the logits of posts, of shape (posts, labels).

        Args:
            voices: The logits, of shape (posts, voices, labels); those of a voice that lacks its
                modality may be anything.
            rows: The row of each post, from `rows_of_posts`.
        """
        weights = self.weights[rows][:, :, None]  # (posts, voices, 1)
        heard = np.where(weights > 0, voices, 0)
        return np.asarray((weights * heard).sum(axis=1) + self.bias[rows])


def rows_of_posts(present: Mapping[str, ArrayLike]) -> NDArray[np.int64]:
    """Return the row of each post in a pool, of shape (posts,).

    Args:
        present: For each modality, whether each post has it, of shape (posts,); one that is not
            named, none has.
    """
    return np.sum([BITS[name] * np.asarray(has, bool) for name, has in present.items()], axis=0)


def fit_pool(
    voices: Floats, speaks: Sequence[str], rows: NDArray[np.int64], labels: ArrayLike
) -> LogitPool:
    """Fit the weights and biases under which the voices' logits explain the labels best.

    The loss is the mean negative log-likelihood of all posts that have the modalities of a row,
    whatever else they have. As in `fit_temperature`, one post of each label is imagined beside each
    post's own, and one more that asks for the mean of the voices: few posts, all of them answered
    rightly, would else ask for boundless confidence. Convex, so there is one minimum.

    Args:
        voices: The logits, of shape (posts, voices, labels), of posts that no head has
            learnt from.
        speaks: The modality that each voice needs.
        rows: The row of each post, from `rows_of_posts`.
        labels: The index of each post's label, of shape (posts,).
    """
    truth = np.asarray(labels, dtype=int)
    _, speakers, classes = voices.shape
    weights, bias = np.zeros((4, speakers)), np.zeros((4, classes))
    counts = np.bincount(truth, minlength=classes) + 1.0
    bias[:] = np.log(counts / counts.sum())  # where nothing is known of such posts
    for row in range(1, 4):
        heard = [number for number, name in enumerate(speaks) if row & BITS[name]]
        if heard and all((rows & bit).any() for bit in BITS.values() if row & bit):
            at = (rows & row) == row
            weights[row, heard], bias[row] = _fit_row(voices[at][:, heard], truth[at])
    # A modality that no post has had says nothing, beside the other one neither.
    for lacking, other in ((1, 2), (2, 1)):
        if not (rows & lacking).any():
            weights[3], bias[3] = weights[other], bias[other]
    return LogitPool(weights, bias)


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

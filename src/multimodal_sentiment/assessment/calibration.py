"""Whether a classifier's confidence can be taken at its word, and one number that mends it."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy import special
from scipy.optimize import minimize_scalar
from sklearn.model_selection import GroupKFold

TEMPERATURES = (0.05, 20.0)
_FOLDS = 5


def fit_temperature(logits: ArrayLike, true: ArrayLike) -> float:
    """Find the temperature under which the logits explain the true classes best.

    The loss is the mean negative log-likelihood, with one imagined post added per class and post:
    (n + 1) / (n + classes) of the weight goes to the true class and 1 / (n + classes) to each
    other. A handful of posts, all answered right, would else ask for boundless confidence.
    The loss is convex in 1 / temperature, so there is one minimum.
    Sources: Guo et al., "On Calibration of Modern Neural Networks", 2017; Platt, "Probabilistic
    Outputs for Support Vector Machines", 1999 (its section 2.2 has the imagined posts).

    Args:
        logits: The logits, of shape (n, classes).
        true: Index of each post's true class, of shape (n,).

    Returns:
        A temperature within `TEMPERATURES`; 1.0, which changes nothing, where there is no post.

    Raises:
        ValueError: A logit is not finite.
    """
    scores, truth = np.asarray(logits, dtype=float), np.asarray(true, dtype=int)
    if not np.isfinite(scores).all():
        bad = int((~np.isfinite(scores)).any(axis=1).sum())
        raise ValueError(f"{bad} of {len(scores)} posts have logits that are not finite: retrain")
    if not len(scores):
        return 1.0
    posts, classes = scores.shape
    weights = np.full(scores.shape, 1 / (posts + classes))
    weights[np.arange(posts), truth] *= posts + 1

    def loss(log_temperature: float) -> float:
        logs = special.log_softmax(scores / np.exp(log_temperature), axis=1)
        return -float((weights * logs).sum() / posts)

    best = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return float(np.exp(best.x))


def choose_temperature(logits: ArrayLike, true: ArrayLike, groups: ArrayLike) -> float:
    """Fit a temperature, and keep it only if it helps on posts that it was not fitted on.

    That is judged by the mean negative log-likelihood over grouped folds, each under the
    temperature that fits the others best.

    Args:
        logits: The logits, of shape (n, classes).
        true: Index of each post's true class, of shape (n,).
        groups: Each post's group, of shape (n,); near duplicates are never in two folds.

    Returns:
        The temperature that fits all posts best; 1.0 where temperatures do not help, or there are
        too few groups to tell.
    """
    scores, truth = np.asarray(logits, dtype=float), np.asarray(true, dtype=int)
    folds = min(_FOLDS, len(np.unique(np.asarray(groups))))
    if folds < 2:  # noqa: PLR2004 (nothing is left to judge by)
        return 1.0
    gain = 0.0
    for learnt, judged in GroupKFold(folds).split(scores, truth, groups):
        temperature = fit_temperature(scores[learnt], truth[learnt])
        gain += _likelihood(scores[judged] / temperature, truth[judged])
        gain -= _likelihood(scores[judged], truth[judged])
    return fit_temperature(scores, truth) if gain > 0 else 1.0


def _likelihood(logits: np.ndarray, true: np.ndarray) -> float:
    return float(special.log_softmax(logits, axis=1)[np.arange(len(true)), true].sum())


def softmax(logits: ArrayLike, temperature: float = 1.0) -> np.ndarray:
    """Turn logits of shape (n, classes) into probabilities of the same shape."""
    return np.asarray(special.softmax(np.asarray(logits, dtype=float) / temperature, axis=1))


def reliability(probabilities: ArrayLike, true: ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Set the confidence of the answers against how many of them are right.

    Args:
        probabilities: The probabilities, of shape (n, classes).
        true: Index of each post's true class, of shape (n,).
        bins: The number of parts of equal width that (0, 1] is cut into.

    Returns:
        One row per bin: the bounds `low` (exclusive) and `high` (inclusive) of the confidence,
        `n`, and the means `confidence` and `accuracy`, NaN where the bin is empty.
    """
    chances, truth = np.asarray(probabilities, dtype=float), np.asarray(true, dtype=int)
    edges = np.linspace(0, 1, bins + 1)
    posts = pd.DataFrame(
        {"confidence": chances.max(axis=1), "accuracy": chances.argmax(axis=1) == truth}
    )
    by_bin = posts.groupby(np.searchsorted(edges, posts["confidence"].clip(0, 1)) - 1)
    means = by_bin.mean().reindex(range(bins)).astype(float)
    n = by_bin.size().reindex(range(bins), fill_value=0)
    return pd.DataFrame({"low": edges[:-1], "high": edges[1:], "n": n, **means})


def expected_calibration_error(probabilities: ArrayLike, true: ArrayLike, bins: int = 10) -> float:
    """Give the mean gap between confidence and accuracy over bins of equal width, by posts.

    Source: Guo et al., "On Calibration of Modern Neural Networks", 2017.
    """
    if not len(np.asarray(true)):
        raise ValueError("no posts to calibrate on: give at least one")
    table = reliability(probabilities, true, bins)
    gaps = (table["accuracy"] - table["confidence"]).abs().fillna(0)
    return float(np.average(gaps, weights=table["n"]))

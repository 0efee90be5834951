"""Two-sample tests: how likely two samples of one source would differ so much."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.distance import cdist
from scipy.stats import chi2_contingency, fisher_exact, ks_2samp

FEWEST = 5  # of a kind: what is expected less often is counted with other rare kinds
PERMUTATIONS = 9_999

_AT_ONCE = 333  # permutations
_ENOUGH = 20  # permutations that differ as much: the p-value is then above 0.002, known to a fifth
_OTHERS = "all others"


class Test(NamedTuple):
    """The name of a test, and its p-value."""

    name: str
    p_value: float


def categories_test(reference: Mapping[str, int], new: Mapping[str, int]) -> Test | None:
    """Compare how common categories are; None if there is nothing to compare.

    Categories that are too rare for the chi-square distribution are counted as one: which they
    are depends on both samples together alone. Two categories are compared exactly.

    Args:
        reference: The number of posts of each category.
        new: The same of the other sample.
    """
    counts = _testable(pool_rare(reference, new))
    if min(len(counts), *map(sum, (reference.values(), new.values()))) < 2:  # noqa: PLR2004
        return None
    table = np.array(list(counts.values()))  # (categories, samples)
    if len(table) == 2:  # noqa: PLR2004
        return Test("Fisher's exact test", float(fisher_exact(table).pvalue))
    return Test("chi-square test", float(chi2_contingency(table).pvalue))


def pool_rare(reference: Mapping[str, int], new: Mapping[str, int]) -> dict[str, tuple[int, int]]:
    """Count categories in both samples, the rare ones as one."""
    sizes = sum(reference.values()), sum(new.values())
    share = min(sizes) / max(sum(sizes), 1)
    counts: dict[str, tuple[int, int]] = {}
    rare = np.zeros(2, dtype=int)
    for name in sorted(reference.keys() | new.keys()):
        both = reference.get(name, 0), new.get(name, 0)
        if sum(both) * share < FEWEST:
            rare += both
        else:
            counts[name] = both
    if rare.any():
        counts[_OTHERS] = (int(rare[0]), int(rare[1]))
    return counts


def _testable(counts: Mapping[str, tuple[int, int]]) -> dict[str, tuple[int, int]]:
    """Add further categories to the rare ones, until these are common enough for the test."""
    pooled = dict(counts)
    sizes = np.array(list(counts.values())).sum(axis=0) if counts else np.zeros(2)
    share = sizes.min() / max(sizes.sum(), 1)
    while _OTHERS in pooled and len(pooled) > 2 and sum(pooled[_OTHERS]) * share < FEWEST:  # noqa: PLR2004
        rarest = min(pooled.keys() - {_OTHERS}, key=lambda name: (sum(pooled[name]), name))
        old, now = pooled.pop(rarest)
        pooled[_OTHERS] = pooled[_OTHERS][0] + old, pooled[_OTHERS][1] + now
    return pooled


def numbers_test(reference: Sequence[float], new: Sequence[float]) -> Test | None:
    """Compare the distributions of a number; None if there are too few to compare."""
    if min(len(reference), len(new)) < FEWEST:
        return None
    with warnings.catch_warnings():
        # Of samples of one size that hardly differ, rounding may take the exact p-value above 1:
        # SciPy then warns, and takes the asymptotic one, which is 1 too.
        warnings.filterwarnings("ignore", "ks_2samp: Exact calculation unsuccessful")
        found = ks_2samp(reference, new)
    return Test("Kolmogorov-Smirnov test", float(found.pvalue))


def features_test(
    reference: NDArray[np.float32], new: NDArray[np.float32], seed: int
) -> Test | None:
    """Compare the distributions of vectors by their energy distance, with permutations.

    The p-value is exact: the share of the permutations, this order of the posts among them, that
    differ as much. It ends early where enough do: it is then above 0.002, and the share of those
    so far.
    Sources: Székely and Rizzo, "Testing for equal distributions in high dimension", 2004; Besag
    and Clifford, "Sequential Monte Carlo p-values", 1991.

    Args:
        reference: The features of the posts compared with, of shape (posts, size).
        new: The features of the new posts, of shape (other posts, size).
        seed: The seed of the permutations.
    """
    if min(len(reference), len(new)) < FEWEST:
        return None
    both = np.concatenate([reference, new])
    distances = cdist(both, both)
    distances = (distances - distances.mean()).astype(np.float32)  # changes no result but rounding
    is_new = np.arange(len(both)) >= len(reference)
    observed = float(_energy(distances, is_new[None])[0])
    slack = 1e-6 * max(abs(observed), 1e-6)  # what rounding may do
    rng = np.random.default_rng(seed)
    done = as_large = 0
    while done < PERMUTATIONS and as_large < _ENOUGH:
        count = min(_AT_ONCE, PERMUTATIONS - done)
        labels = rng.permuted(np.tile(is_new, (count, 1)), axis=1)
        as_large += int((_energy(distances, labels) >= observed - slack).sum())
        done += count
    return Test("energy distance, permutations", (as_large + 1) / (done + 1))


def _energy(distances: NDArray[np.float32], labels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the energy distances of (permutations, posts) labels."""
    new = labels.sum(axis=1)
    old = labels.shape[1] - new
    sums = distances.sum(axis=1, dtype=np.float64)
    chosen = labels.astype(np.float32)
    within_new = np.einsum("pn,pn->p", chosen @ distances, chosen, dtype=np.float64)
    of_new = chosen.astype(np.float64) @ sums
    between = of_new - within_new
    within_old = sums.sum() - of_new - between
    energy: NDArray[np.float64] = (
        2 * between / (new * old) - within_old / old**2 - within_new / new**2
    )
    return energy

"""Shapley values of many players, from the values of some coalitions.

Weighted least squares with the Shapley kernel, under the constraint that the values add up to what
all players add together. Where all coalitions are asked, the result is exact.
Source: Lundberg and Lee, "A Unified Approach to Interpreting Model Predictions", 2017; Covert and
Lee, "Improving KernelSHAP", 2021 (pairs of a coalition and its complement).
"""

from __future__ import annotations

from math import comb
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Coalitions(NamedTuple):
    """The coalitions whose values are asked for.

    Attributes:
        members: Who is in each, boolean of shape (coalitions, players). The first has none, the
            last all players.
        weights: How much each counts, of shape (coalitions,); 0 for the first and the last, whose
            values are constraints.
    """

    members: NDArray[np.bool_]
    weights: NDArray[np.float64]


def choose_coalitions(players: int, budget: int, seed: int = 0) -> Coalitions:
    """Return all coalitions if the budget allows it, else the telling ones and a random sample.

    Args:
        players: The number of players.
        budget: The most coalitions, at least four times as many as players.
        seed: The seed of the sample.
    """
    if 2**players <= budget:
        codes = np.arange(2**players)[:, None]
        members = (codes >> np.arange(players) & 1).astype(bool)
        return Coalitions(members, _kernel(members.sum(axis=1), players))
    alone = np.eye(players, dtype=bool)
    mass = (players - 1) / (np.arange(1, players) * (players - np.arange(1, players)))  # by size
    pairs = (budget - 2 - 2 * players) // 2
    rng = np.random.default_rng(seed)
    inner = mass[1:-1] / mass[1:-1].sum()
    sizes = rng.choice(np.arange(2, players - 1), size=pairs, p=inner)
    ranks = rng.random((pairs, players)).argsort(axis=1).argsort(axis=1)
    drawn = ranks < sizes[:, None]
    members = np.concatenate([alone, ~alone, drawn, ~drawn])
    weights = np.concatenate(
        [np.full(2 * players, mass[0] / players), np.full(2 * pairs, mass[1:-1].sum() / 2 / pairs)]
    )
    ends = np.zeros((1, players), dtype=bool)
    return Coalitions(
        np.concatenate([ends, members, ~ends]), np.concatenate([[0.0], weights, [0.0]])
    )


def solve_shapley(
    coalitions: Coalitions, values: NDArray[np.float64], total: float
) -> NDArray[np.float64]:
    """Return the Shapley value of each player, of shape (players,).

    Args:
        coalitions: The coalitions.
        values: The value of each, of shape (coalitions,).
        total: What the values of the players must add up to: the last value less the first.
    """
    members, weights = coalitions.members.astype(float), coalitions.weights
    players = members.shape[1]
    weighted = members.T * weights  # (players, coalitions)
    # The normal equations, bordered by the constraint and its multiplier.
    system = np.ones((players + 1, players + 1))
    system[:-1, :-1], system[-1, -1] = weighted @ members, 0
    right = np.append(weighted @ (values - values[0]), total)
    solution: NDArray[np.float64] = np.linalg.lstsq(system, right, rcond=None)[0]
    return solution[:-1]


def _kernel(sizes: NDArray[np.int64], players: int) -> NDArray[np.float64]:
    """Return the Shapley kernel's weight of coalitions of some sizes; 0 for none and for all."""
    by_size = [
        (players - 1) / (comb(players, size) * size * (players - size))
        for size in range(1, players)
    ]
    return np.array([0.0, *by_size, 0.0])[sizes]

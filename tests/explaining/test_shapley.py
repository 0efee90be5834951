from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from multimodal_sentiment.explaining.shapley import choose_coalitions, solve_shapley


def game(members: np.ndarray) -> np.ndarray:
    """Two players with a left glove and one with a right one: a pair is worth 1."""
    return np.minimum(members[:, 0] + members[:, 1] > 0, members[:, 2]).astype(float)


def by_permutations(worth, players: int) -> np.ndarray:
    """What each adds on average, in whatever order they come."""
    values = np.zeros(players)
    orders = list(permutations(range(players)))
    for order in orders:
        members = np.zeros((players + 1, players), dtype=bool)
        for step, player in enumerate(order):
            members[step + 1 :, player] = True
        values[list(order)] += np.diff(worth(members))
    return values / len(orders)


def test_the_right_glove_is_worth_four_times_a_left_one():
    coalitions = choose_coalitions(3, 100)

    values = solve_shapley(coalitions, game(coalitions.members), 1.0)

    np.testing.assert_allclose(values, [1 / 6, 1 / 6, 4 / 6])


@pytest.mark.parametrize("players", [1, 2, 5])
def test_all_coalitions_give_the_average_over_all_orders(players):
    table = np.random.default_rng(players).normal(size=2**players)

    def worth(members):
        return table[members @ (1 << np.arange(players))]

    coalitions = choose_coalitions(players, 64)
    values = solve_shapley(coalitions, worth(coalitions.members), table[-1] - table[0])

    assert len(coalitions.members) == 2**players
    np.testing.assert_allclose(values, by_permutations(worth, players))


def test_a_sample_keeps_to_the_budget_and_is_the_same_each_time():
    coalitions = choose_coalitions(32, 130)
    again = choose_coalitions(32, 130)

    assert coalitions.members.shape == (130, 32)
    assert not coalitions.members[0].any()
    assert coalitions.members[-1].all()
    assert np.array_equal(coalitions.members, again.members)


def test_a_sample_finds_what_players_add_by_themselves():
    worths = np.random.default_rng(0).normal(size=40)
    coalitions = choose_coalitions(40, 200)

    values = solve_shapley(coalitions, 5 + coalitions.members @ worths, worths.sum())

    np.testing.assert_allclose(values, worths, atol=1e-9)


def test_a_sample_shares_out_what_pairs_add_together_nearly_equally():
    """A pair's worth belongs to both, half and half."""
    pairs = np.triu(np.random.default_rng(0).normal(size=(20, 20)), 1)
    expected = (pairs.sum(axis=0) + pairs.sum(axis=1)) / 2
    coalitions = choose_coalitions(20, 256)
    worth = np.einsum("si,ij,sj->s", *(m := coalitions.members.astype(float), pairs, m)[:3])

    values = solve_shapley(coalitions, worth, worth[-1])

    assert values.sum() == pytest.approx(worth[-1])
    assert np.abs(values - expected).max() < 0.1 * np.abs(expected).max()


@pytest.mark.parametrize("players", [8, 12, 16, 20, 32])
def test_a_sample_treats_all_players_and_pairs_alike(players):
    members = choose_coalitions(players, 130).members

    signs = 2 * members.astype(int) - 1
    together = signs.T @ signs

    assert not signs.sum(axis=0).any()
    assert len(np.unique(together[~np.eye(players, dtype=bool)])) == 1

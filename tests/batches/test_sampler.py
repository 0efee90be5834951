from __future__ import annotations

import numpy as np
import pytest

from multimodal_sentiment.batches.sampler import LengthAwareSampler


def batches_of(sampler: LengthAwareSampler, size: int) -> list[list[int]]:
    order = list(sampler)
    return [order[start : start + size] for start in range(0, len(order), size)]


def padding(batches: list[list[int]], lengths: np.ndarray) -> int:
    return sum(len(batch) * lengths[batch].max() - lengths[batch].sum() for batch in batches)


@pytest.mark.parametrize("posts", [0, 3, 8, 100, 1003])
def test_every_post_comes_once(posts: int) -> None:
    lengths = np.arange(posts) % 37

    assert sorted(LengthAwareSampler(lengths, 8, 0)) == list(range(posts))
    assert len(LengthAwareSampler(lengths, 8, 0)) == posts


def test_indices_count_on_from_epoch_to_epoch() -> None:
    sampler = LengthAwareSampler(np.arange(10), 4, 0)
    sampler.set_epoch(3)

    assert sorted(sampler) == list(range(30, 40))


def test_texts_of_like_length_share_a_batch() -> None:
    lengths = np.random.default_rng(0).integers(5, 64, 1000)
    shuffled = np.random.default_rng(1).permutation(1000)
    plain = [list(shuffled[start : start + 16]) for start in range(0, 1000, 16)]

    assert padding(batches_of(LengthAwareSampler(lengths, 16, 0), 16), lengths) < 0.3 * padding(
        plain, lengths
    )


def test_batches_are_not_met_by_length() -> None:
    lengths = np.random.default_rng(0).integers(5, 64, 4096)
    means = [lengths[batch].mean() for batch in batches_of(LengthAwareSampler(lengths, 16, 0), 16)]

    assert abs(np.corrcoef(means[:-1], means[1:])[0, 1]) < 0.2


def test_seed_and_epoch_alone_decide_the_order() -> None:
    lengths = np.arange(50)
    sampler = LengthAwareSampler(lengths, 4, 3)
    first = list(sampler)
    sampler.set_epoch(2)
    third = list(sampler)
    resumed = LengthAwareSampler(lengths, 4, 3)
    resumed.set_epoch(2)

    assert first != [index - 100 for index in third]
    assert list(resumed) == third
    assert list(LengthAwareSampler(lengths, 4, 4)) != first

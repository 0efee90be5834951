"""Images and texts that are nearly equal."""

from __future__ import annotations

import random
import tracemalloc

import numpy as np
import pytest

from multimodal_sentiment.posts.near_duplicates import find_near_duplicates
from multimodal_sentiment.posts.near_pairs import SHINGLE, close_hashes, similar_texts


def pairs(found: np.ndarray) -> set[tuple[int, int]]:
    return {(min(pair), max(pair)) for pair in found.tolist()}


@pytest.mark.parametrize("bits", [1, 2, 3, 4])
def test_hashes_within_some_bits_are_all_found_and_no_others(bits: int) -> None:
    rng = random.Random(bits)
    values = {rng.getrandbits(64) for _ in range(60)}
    for value in list(values):  # others around them, up to six bits away
        for distance in range(1, 7):
            values.add(value ^ sum(1 << bit for bit in rng.sample(range(64), distance)))
    hashes = [f"{value:016x}" for value in values]
    ordered = [int(each, 16) for each in hashes]
    expected = {
        (a, b)
        for b, second in enumerate(ordered)
        for a, first in enumerate(ordered[:b])
        if (first ^ second).bit_count() <= bits
    }
    assert len(expected) > 50
    assert pairs(close_hashes(hashes, bits)) == expected


def test_hashes_of_which_many_share_a_band_are_compared_with_each_other() -> None:
    hashes = [f"{1 << bit:016x}" for bit in range(64)]  # two bits apart, each pair
    assert len(pairs(close_hashes(hashes, 2))) == 64 * 63 // 2
    assert pairs(close_hashes(hashes, 1)) == set()


def test_texts_are_similar_by_the_share_of_their_pieces() -> None:
    rng = random.Random(0)
    letters = "abcdefghijklmnopqrstuvwxyz "
    texts = []
    for _ in range(60):
        text = "".join(rng.choices(letters, k=150))
        texts.append(text)
        for changes in (1, 3, 8):
            other = list(text)
            for at in rng.sample(range(len(text)), changes):
                other[at] = "#"
            texts.append("".join(other))

    ends = range(SHINGLE, 151)
    pieces = [{text[end - SHINGLE : end] for end in ends} for text in texts]
    found = pairs(similar_texts(texts, 0.8))
    exact = {
        (a, b): len(pieces[a] & pieces[b]) / len(pieces[a] | pieces[b])
        for b in range(len(texts))
        for a in range(b)
    }
    assert {pair for pair, share in exact.items() if share > 0.92} <= found
    assert all(exact[pair] > 0.68 for pair in found)
    assert len(found) > 60


def test_long_texts_are_compared_in_little_memory() -> None:
    text = "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz ", k=12_000))
    tracemalloc.start()
    found = pairs(similar_texts([text, text[:11_400], text[::-1]], 0.8))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == {(0, 1)}
    assert peak < 20e6  # all hashes of one text take 12 MB several times


def test_nothing_has_no_pairs() -> None:
    assert close_hashes([], 3).shape == similar_texts([], 0.8).shape == (0, 2)


def test_near_ones_join_posts_only_if_that_is_asked_for() -> None:
    story = "the same story of a long day by the sea, told once more by somebody else"
    texts = [story, "something different", story + "!", "and another one", "a post of its own"]
    hashes = ["", "f0f0f0f0f0f0f0f0", "0", "f0f0f0f0f0f0f0f3", "0000000000000001"]
    assert find_near_duplicates(texts, hashes).tolist() == [0, 1, 2, 3, 4]
    assert find_near_duplicates(texts, hashes, 0, 0.9).tolist() == [0, 1, 0, 2, 3]
    assert find_near_duplicates(texts, hashes, 1).tolist() == [0, 1, 2, 3, 2]
    assert find_near_duplicates(texts, hashes, 2).tolist() == [0, 1, 2, 1, 2]
    assert find_near_duplicates(texts, hashes, 2, 0.9).tolist() == [0, 1, 0, 1, 0]


def test_placeholders_have_no_near_ones() -> None:
    texts = [f"a text of its own, {number:09}" for number in range(12)]
    hashes = ["aa"] * 11 + ["ab"]
    assert find_near_duplicates(texts, hashes, 2).tolist() == list(range(12))

"""Finds pairs of images, or of texts, that are nearly but not quite equal.

Each is cut into bands, and only what is equal in a band is compared in full. The number of such
candidates grows with the square of the number of posts.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

# Of MinHash signatures. Of pairs with a similarity of 0.8, 998 in 1,000 have equal bands.
BANDS, ROWS = 20, 6
SHINGLE = 5  # characters

_PIECES_AT_ONCE = 4096  # that are hashed: those of a long text would fill the memory

_HASH_BITS = 64
_PRIME = np.uint64(2**31 - 1)


def close_hashes(hashes: Sequence[str], bits: int) -> NDArray[np.int64]:
    """Find the perceptual hashes that differ in a few bits.

    Of `bits` + 1 bands, `bits` different bits leave one equal.

    Args:
        hashes: Different ones, 64 bits in hexadecimal digits.
        bits: The number of bits in which two may differ.

    Returns:
        Indices of shape (pairs, 2); a pair may be there several times.
    """
    values = np.array([int(each, 16) for each in hashes], np.uint64)
    edges = np.linspace(0, _HASH_BITS, bits + 2).astype(np.uint64)
    found = [np.empty((0, 2), np.int64)]
    for start, end in pairwise(edges):
        band = (values >> start) & np.uint64(2 ** int(end - start) - 1)
        for left, right in _pairs_of_equals(band):
            is_close = np.bitwise_count(values[left] ^ values[right]) <= bits
            found.append(np.stack([left[is_close], right[is_close]], axis=1))
    return np.concatenate(found)


def similar_texts(texts: Sequence[str], similarity: float) -> NDArray[np.int64]:
    """Find the texts that share most of their pieces, by MinHash.

    A. Broder: On the resemblance and containment of documents, SEQUENCES 1997.

    Args:
        texts: Different ones, of at least `SHINGLE` characters.
        similarity: What share of the pieces of `SHINGLE` characters of both texts they have in
            common at least, as it is estimated from `BANDS` x `ROWS` hashes, to about 0.04.

    Returns:
        Indices of shape (pairs, 2); a pair may be there several times.
    """
    signatures = _signatures(texts)
    found = [np.empty((0, 2), np.int64)]
    for band in np.split(signatures, BANDS, axis=1):
        keys = np.ascontiguousarray(band).view(f"V{ROWS * band.itemsize}").ravel()
        _, numbers = np.unique(keys, return_inverse=True)
        for left, right in _pairs_of_equals(numbers):
            is_close = (signatures[left] == signatures[right]).mean(axis=1) >= similarity
            found.append(np.stack([left[is_close], right[is_close]], axis=1))
    return np.concatenate(found)


def _signatures(texts: Sequence[str]) -> NDArray[np.uint32]:
    """Return the least of each of several hashes of a text's pieces: (texts, BANDS * ROWS)."""
    rng = np.random.default_rng(0)
    factors, shifts = rng.integers(1, int(_PRIME), (2, BANDS * ROWS, 1), np.uint64)
    signatures = np.full((len(texts), BANDS * ROWS), _PRIME, np.uint32)  # above any hash
    for row, text in enumerate(texts):
        pieces = {text[at : at + SHINGLE] for at in range(len(text) - SHINGLE + 1)}
        hashes = np.array([zlib.crc32(piece.encode(errors="surrogatepass")) for piece in pieces])
        for start in range(0, len(hashes), _PIECES_AT_ONCE):
            some = hashes[start : start + _PIECES_AT_ONCE].astype(np.uint64)
            least = ((factors * some + shifts) % _PRIME).min(axis=1)
            signatures[row] = np.minimum(signatures[row], least)
    return signatures


def _pairs_of_equals(
    keys: NDArray[np.uint64] | NDArray[np.int64],
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the indices of all pairs of equal keys, many pairs at a time."""
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    place = np.arange(len(keys))
    distance = 0
    while len(place):
        distance += 1
        place = place[place < len(keys) - distance]
        place = place[ordered[place] == ordered[place + distance]]
        yield order[place], order[place + distance]

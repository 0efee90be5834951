"""Finds near duplicates ("twins"): posts of the same text, whoever shared it, or the same image."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .content_keys import find_placeholders, normalise_text
from .near_pairs import close_hashes, similar_texts

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

# More posts than these are grouped on disk. In memory, they take 0.53 kB each beyond their texts in
# Arrow, 1 GB in all.
MOST_IN_MEMORY = 2_000_000


def group_posts(
    posts: pa.Table, image_bits: int = 0, text_similarity: float | None = None
) -> NDArray[np.int64]:
    """Number the groups of near duplicates, in memory or, of very many posts, on disk.

    Args:
        posts: Columns `text` and `image_hash`, both without nulls.
        image_bits: See `find_near_duplicates`; with this or the next, memory is used.
        text_similarity: See `find_near_duplicates`.

    Returns:
        The number of each post's group, of shape (posts,), as from `find_near_duplicates`.
    """
    is_exact = not image_bits and text_similarity is None
    if len(posts) > MOST_IN_MEMORY and is_exact:
        if importlib.util.find_spec("duckdb"):
            from .near_duplicates_on_disk import group_on_disk

            return group_on_disk(posts)
        logger.warning(
            "Twins of %s posts are looked for in memory, which takes about %.0f GB: with DuckDB "
            'installed, as by pip install "multimodal-sentiment[cluster]", it takes 1 GB',
            f"{len(posts):,}",
            len(posts) * 0.53e-6,
        )
    texts, hashes = (posts[name].to_pylist() for name in ("text", "image_hash"))
    return find_near_duplicates(texts, hashes, image_bits, text_similarity)


def find_near_duplicates(
    texts: Sequence[str],
    image_hashes: Sequence[str],
    image_bits: int = 0,
    text_similarity: float | None = None,
) -> NDArray[np.int64]:
    """Number the groups of posts that are near duplicates, directly or through others.

    Two posts are near duplicates if their normalised texts or their image hashes are equal, or
    nearly equal if that is asked for. Empty hashes, hashes of placeholders and texts shorter than
    `SHORTEST_TEXT` are not compared.

    Args:
        texts: The text of each post.
        image_hashes: The hash of each image; empty where there is no image, or nothing to be seen
            on it.
        image_bits: The number of bits in which two hashes may differ; see `near_pairs`.
        text_similarity: The least similarity of two texts; see `near_pairs`; None wants equal ones.

    Returns:
        The group of each post, of shape (posts,), numbered from 0 in the order of first appearance.
    """
    posts = len(texts)
    placeholders = find_placeholders(texts, image_hashes)
    normal = [normalise_text(text) for text in texts]
    seen = ["" if each in placeholders else each for each in image_hashes]
    text_keys, hash_keys = _keys(normal), _keys(seen)
    first_hash = text_keys.max(initial=-1) + 1
    hash_keys[hash_keys >= 0] += first_hash
    keys = np.concatenate([text_keys, hash_keys])
    post = np.tile(np.arange(posts), 2)[keys >= 0]
    bonds = [np.stack([post, keys[keys >= 0] + posts], axis=1)]
    if text_similarity is not None:
        bonds.append(similar_texts(_different(normal), text_similarity) + posts)
    if image_bits:
        bonds.append(close_hashes(_different(seen), image_bits) + posts + first_hash)

    # Posts and keys are the nodes of one graph, and each post is joined to its keys.
    nodes = posts + keys.max(initial=-1) + 1
    joined = np.concatenate(bonds).T
    graph = coo_array((np.ones(joined.shape[1], bool), tuple(joined)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return _numbered(pd.Series(component[:posts]))


def _keys(values: Iterable[str]) -> NDArray[np.int64]:
    """Number equal values alike, from 0; -1 for an empty one."""
    series = pd.Series(list(values), dtype=object)
    return _numbered(series.where(series != "", None))


def _different(values: Iterable[str]) -> list[str]:
    """Return the values in the order of their numbers, as by `_keys`."""
    return [value for value in dict.fromkeys(values) if value]


def _numbered(values: pd.Series[Any]) -> NDArray[np.int64]:
    return np.asarray(pd.factorize(values)[0], np.int64)

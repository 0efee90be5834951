"""Finds near duplicates ("twins"): posts of the same text, whoever shared it, or the same image."""

from __future__ import annotations

import hashlib
import importlib.util
import logging
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from .near_pairs import close_hashes, similar_texts

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger(__name__)

# Shorter texts ("lol", "so cute") are the same by chance, not by copying.
SHORTEST_TEXT = 8

# An image that so many different texts share, and so large a share of all posts, is a placeholder
# (an app's logo, "image not found") and says nothing of them. A post that is copied keeps its text,
# or varies it a few times: of 3,711 real posts at most 4 share an image, with 2 different texts.
PLACEHOLDER_TEXTS = 10
PLACEHOLDER_SHARE = 0.05

# More posts than these are grouped on disk. In memory, they take 0.53 kB each beyond their texts in
# Arrow, 1 GB in all.
MOST_IN_MEMORY = 2_000_000

_SHARED = re.compile(r"^(?:\s*RT\b[\s:]*(?:@\w+[\s:]*)*)+", re.IGNORECASE)
_LINK_OR_USER = re.compile(r"(?:https?://|www\.)\S+|@\w+", re.IGNORECASE)


def group_posts(
    posts: pa.Table, image_bits: int = 0, text_similarity: float | None = None
) -> NDArray[np.int64]:
    """Number the groups of near duplicates, in memory or, of very many posts, on disk.

    Args:
        posts: Columns `text` and `image_hash`, both without nulls.
        image_bits: See `find_near_duplicates`; with this or the next, memory is used.
        text_similarity: See `find_near_duplicates`.

    Returns:
        As `find_near_duplicates`, which see.
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


def find_placeholders(texts: Sequence[str], image_hashes: Sequence[str]) -> dict[str, int]:
    """Find the images that stand in place of many posts' own.

    Args:
        texts: The text of each post.
        image_hashes: The hash of each image.

    Returns:
        The number of posts by image hash, the commonest first, of the images that more than
        `PLACEHOLDER_TEXTS` different texts share, and more than `PLACEHOLDER_SHARE` of all posts.
    """
    counts = Counter(filter(None, image_hashes))
    most = max(PLACEHOLDER_TEXTS, PLACEHOLDER_SHARE * len(texts))
    different: dict[str, set[str]] = {
        image_hash: set() for image_hash, count in counts.most_common() if count > most
    }
    for text, image_hash in zip(texts, image_hashes, strict=True):
        if image_hash in different:
            different[image_hash].add(normalise_text(text) or text)
    return {
        image_hash: counts[image_hash]
        for image_hash, own in different.items()
        if len(own) > PLACEHOLDER_TEXTS
    }


def content_keys(texts: Sequence[str], image_hashes: Sequence[str]) -> NDArray[np.uint64]:
    """Return keys by which a post, or a near duplicate of it, is known again elsewhere.

    Two posts are near duplicates, as above, if they share the key of their normalised text or of
    their image; equal posts share the third, that of both as they are. Keys are the first 64 bits
    of a SHA-256, and 0 where there is nothing that could be shared.

    Args:
        texts: The text of each post.
        image_hashes: The hash of each image; the placeholders among them make no keys.

    Returns:
        Of shape (posts, 3).
    """
    placeholders = find_placeholders(texts, image_hashes)
    keys = np.zeros((len(texts), 3), dtype=np.uint64)
    for row, (text, image_hash) in enumerate(zip(texts, image_hashes, strict=True)):
        seen = "" if image_hash in placeholders else image_hash
        parts = (normalise_text(text), seen, f"{text}\0{image_hash}")
        for column, part in enumerate(parts):
            if part:
                keys[row, column] = content_key(column, part)
    return keys


def content_key(kind: int | str, content: str) -> int:
    """Return the first 64 bits of the SHA-256 of what a post holds of a kind."""
    digest = hashlib.sha256(f"{kind} {content}".encode(errors="surrogatepass")).digest()
    return int.from_bytes(digest[:8])


def normalise_text(text: str) -> str:
    """Return what a text says, without who shared it, users, links, case and spacing.

    Empty if fewer than `SHORTEST_TEXT` characters are left.
    """
    said = _LINK_OR_USER.sub(" ", _SHARED.sub("", text))
    said = " ".join(said.casefold().split())
    return said if len(said) >= SHORTEST_TEXT else ""


def _keys(values: Iterable[str]) -> NDArray[np.int64]:
    """Number equal values alike, from 0; -1 for an empty one."""
    series = pd.Series(list(values), dtype=object)
    return _numbered(series.where(series != "", None))


def _different(values: Iterable[str]) -> list[str]:
    """Return the values in the order of their numbers, as by `_keys`."""
    return [value for value in dict.fromkeys(values) if value]


def _numbered(values: pd.Series[Any]) -> NDArray[np.int64]:
    return np.asarray(pd.factorize(values)[0], np.int64)

"""Finds near duplicates ("twins"): posts of the same text, whoever shared it, or the same image."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Shorter texts ("lol", "so cute") are the same by chance, not by copying.
SHORTEST_TEXT = 8

# An image that so many different texts share, and so large a share of all posts, is a placeholder
# (an app's logo, "image not found") and says nothing of them. A post that is copied keeps its text,
# or varies it a few times: of 3,711 real posts at most 4 share an image, with 2 different texts.
PLACEHOLDER_TEXTS = 10
PLACEHOLDER_SHARE = 0.05

_SHARED = re.compile(r"^(?:\s*RT\b[\s:]*(?:@\w+[\s:]*)*)+", re.IGNORECASE)
_LINK_OR_USER = re.compile(r"(?:https?://|www\.)\S+|@\w+", re.IGNORECASE)


def find_near_duplicates(texts: Sequence[str], image_hashes: Sequence[str]) -> NDArray[np.int64]:
    """Number the groups of posts that are near duplicates, directly or through others.

    Two posts are near duplicates if their normalised texts or their image hashes are equal. Empty
    hashes, hashes of placeholders and texts shorter than `SHORTEST_TEXT` are not compared.

    Args:
        texts: Of shape (posts,).
        image_hashes: Of shape (posts,); empty where there is no image, or nothing to be seen on it.

    Returns:
        The group of each post, of shape (posts,), numbered from 0 in the order of first appearance.
    """
    posts = len(texts)
    placeholders = find_placeholders(texts, image_hashes)
    text_keys = _keys(normalise_text(text) for text in texts)
    hash_keys = _keys("" if each in placeholders else each for each in image_hashes)
    hash_keys[hash_keys >= 0] += text_keys.max(initial=-1) + 1
    keys = np.concatenate([text_keys, hash_keys])
    post = np.tile(np.arange(posts), 2)[keys >= 0]
    key = keys[keys >= 0] + posts

    # Posts and keys are the nodes of one graph, and each post is joined to its keys.
    nodes = posts + keys.max(initial=-1) + 1
    graph = coo_array((np.ones(len(post), bool), (post, key)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return _numbered(pd.Series(component[:posts]))


def find_placeholders(texts: Sequence[str], image_hashes: Sequence[str]) -> dict[str, int]:
    """Find the images that stand in place of many posts' own.

    Args:
        texts: Of shape (posts,).
        image_hashes: Of shape (posts,).

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
        texts: Of shape (posts,).
        image_hashes: Of shape (posts,); the placeholders among them make no keys.

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
                digest = hashlib.sha256(f"{column} {part}".encode(errors="surrogatepass")).digest()
                keys[row, column] = int.from_bytes(digest[:8])
    return keys


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


def _numbered(values: pd.Series[Any]) -> NDArray[np.int64]:
    return np.asarray(pd.factorize(values)[0], np.int64)

"""Which posts are twins: the same text but for who shared it, or the same picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

# Shorter texts ("lol", "so cute") are the same by chance, not by copying.
SHORTEST_TEXT = 8

_SHARED = re.compile(r"^(?:\s*RT\b[\s:]*(?:@\w+[\s:]*)*)+", re.IGNORECASE)
_LINK_OR_USER = re.compile(r"(?:https?://|www\.)\S+|@\w+", re.IGNORECASE)


def find_near_duplicates(texts: Sequence[str], image_hashes: Sequence[str]) -> NDArray[np.int64]:
    """Number the groups of posts that are twins of each other, directly or through others.

    Two posts are twins if their normalised texts or their image hashes are equal; an empty hash
    and a text shorter than `SHORTEST_TEXT` are equal to nothing.

    Args:
        texts: Of shape (posts,).
        image_hashes: Of shape (posts,); empty where there is no image, or nothing to be seen on it.

    Returns:
        The group of each post, of shape (posts,), numbered from 0 in the order of first appearance.
    """
    posts = len(texts)
    text_keys = _keys(normalise_text(text) for text in texts)
    hash_keys = _keys(image_hashes)
    hash_keys[hash_keys >= 0] += text_keys.max(initial=-1) + 1
    keys = np.concatenate([text_keys, hash_keys])
    post = np.tile(np.arange(posts), 2)[keys >= 0]
    key = keys[keys >= 0] + posts

    # Posts and keys are the nodes of one graph, and each post is joined to its keys.
    nodes = posts + keys.max(initial=-1) + 1
    graph = coo_array((np.ones(len(post), bool), (post, key)), shape=(nodes, nodes))
    _, component = connected_components(graph, directed=False)
    return _numbered(pd.Series(component[:posts]))


def normalise_text(text: str) -> str:
    """What a text says, without who shared it, users, links, case and spacing.

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

"""What of a post makes it a near duplicate of others: its normalised text, and its image's hash."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# Shorter texts ("lol", "so cute") are the same by chance, not by copying.
SHORTEST_TEXT = 8

# An image that so many different texts share, and so large a share of all posts, is a placeholder
# (an app's logo, "image not found") and says nothing of them. A post that is copied keeps its text,
# or varies it a few times: of 3,711 real posts at most 4 share an image, with 2 different texts.
PLACEHOLDER_TEXTS = 10
PLACEHOLDER_SHARE = 0.05

_SHARED = re.compile(r"^(?:\s*RT\b[\s:]*(?:@\w+[\s:]*)*)+", re.IGNORECASE)
_LINK_OR_USER = re.compile(r"(?:https?://|www\.)\S+|@\w+", re.IGNORECASE)


def normalise_text(text: str) -> str:
    """Return what a text says, without who shared it, users, links, case and spacing.

    Empty if fewer than `SHORTEST_TEXT` characters are left.
    """
    said = _LINK_OR_USER.sub(" ", _SHARED.sub("", text))
    said = " ".join(said.casefold().split())
    return said if len(said) >= SHORTEST_TEXT else ""


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

    Two posts are near duplicates if they share the key of their normalised text or of
    their image; equal posts share the third, that of both as they are. Keys are the first 64 bits
    of a SHA-256, and 0 where there is nothing that could be shared.

    They are saved with a model. Whoever changes what they are made of also changes the name of that
    file (`model/classifier.py`), so that keys of two kinds are never compared.

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

"""The texts of a source, read in parts by the workers of a cluster; the same as in one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from itertools import chain

from multimodal_sentiment.cluster import divide, map_parts
from multimodal_sentiment.parameters import ClusterParameters

from .evidence import Evidence, structural_encoding
from .mixture import EncodingProfile
from .reading import RARE_POSTS, Reading, read_and_count, read_source, read_texts
from .shares import count_encodings, weighed_encodings
from .source import draw_posts, learn_profile

_PART = 2000  # posts; each takes tens of microseconds

_DEADLY = Reading("", "", 0.0, "text_deadly")


def read_source_by(
    cluster: ClusterParameters, payloads: Sequence[bytes], candidates: Sequence[str] | None = None
) -> tuple[list[Reading], EncodingProfile]:
    """Do what `read_source` does, by the workers of a cluster, if it has some.

    The profile is learnt here, from the posts drawn for it; then each part is read under it. A text
    that kills its worker is left out, and a problem says so.
    """
    if not cluster.workers:
        return read_source(payloads, candidates)
    distinct = list(dict.fromkeys(payloads))
    unproved = [payload for payload in distinct if not structural_encoding(payload)]
    profile = learn_profile(Evidence(draw_posts(unproved)), candidates)
    names = weighed_encodings(profile, candidates)
    # Which encodings are rare is known when all posts are counted.
    uncounted = dataclasses.replace(profile, posts=dict.fromkeys(names, RARE_POSTS))
    readings, best = _read(cluster, distinct, uncounted, candidates)
    profile = dataclasses.replace(profile, posts=count_encodings(names, best))
    read = dict(zip(distinct, readings, strict=True))
    rare = {name for name, count in profile.posts.items() if count < RARE_POSTS}
    few = [payload for payload, name in zip(distinct, best, strict=True) if name in rare]
    read |= zip(few, read_texts(few, profile, candidates), strict=True)
    return [read[payload] for payload in payloads], profile


def read_texts_by(
    cluster: ClusterParameters,
    payloads: Sequence[bytes],
    profile: EncodingProfile,
    candidates: Sequence[str] | None = None,
) -> list[Reading]:
    """Do what `read_texts` does, by the workers of a cluster, if it has some."""
    if not cluster.workers:
        return read_texts(payloads, profile, candidates)
    return _read(cluster, payloads, profile, candidates)[0]


def _read(
    cluster: ClusterParameters,
    payloads: Sequence[bytes],
    profile: EncodingProfile,
    candidates: Sequence[str] | None,
) -> tuple[list[Reading], list[str]]:
    read = partial(read_and_count, profile=profile, candidates=candidates)
    parts = divide(payloads, _PART)
    pieces = list(map_parts(read, parts, cluster, "Decoding texts", lambda _: ([_DEADLY], [""])))
    readings, best = zip(*pieces, strict=True) if pieces else ((), ())
    return [*chain.from_iterable(readings)], [*chain.from_iterable(best)]

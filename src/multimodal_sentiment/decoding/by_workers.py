"""The texts of a source, read in parts by the workers of a cluster; the same as in one process."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from itertools import chain

from multimodal_sentiment.cluster import divide, map_parts
from multimodal_sentiment.parameters import ClusterParameters

from .evidence import Evidence, structural_encoding
from .mixture import EncodingProfile, count_encodings, weighed_encodings
from .reading import RARE_POSTS, Reading, read_and_count, read_source, read_texts
from .source import draw_posts, learn_profile

_PART = 2000  # posts; each takes tens of microseconds

_DEADLY = Reading("", "", 0.0, "text_deadly")


def read_source_by(
    cluster: ClusterParameters, payloads: Sequence[bytes], candidates: Sequence[str] | None = None
) -> tuple[list[Reading], EncodingProfile]:
    """Do what `read_source` does, by the workers of a cluster, if it has some.

    One worker learns the profile, from the posts drawn for it; then each part is read under it. A
    text that kills its worker, in the one or the other, is left out, and a problem says so.
    """
    if not cluster.workers:
        return read_source(payloads, candidates)
    distinct = dict.fromkeys(payloads)
    unproved = [payload for payload in distinct if not structural_encoding(payload)]
    profile, deadly = _learn(cluster, draw_posts(unproved), candidates)
    others = [payload for payload in distinct if payload not in deadly]
    names = weighed_encodings(profile, candidates)
    # Which encodings are rare is known when all posts are counted.
    uncounted = dataclasses.replace(profile, posts=dict.fromkeys(names, RARE_POSTS))
    readings, best = _read(cluster, others, uncounted, candidates)
    profile = dataclasses.replace(profile, posts=count_encodings(names, best))
    read = dict.fromkeys(deadly, _DEADLY)
    read |= zip(others, readings, strict=True)
    rare = {name for name, count in profile.posts.items() if count < RARE_POSTS}
    few = [payload for payload, name in zip(others, best, strict=True) if name in rare]
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


def _learn(
    cluster: ClusterParameters, drawn: Sequence[bytes], candidates: Sequence[str] | None
) -> tuple[EncodingProfile, set[bytes]]:
    """Learn the profile of the texts drawn for it, but for those that kill whoever learns it.

    Returns:
        The profile, and the texts that are left out.

    Raises:
        ClusterError: If no single text is deadly, but all of them together.
    """
    learn = partial(_learn_part, candidates=candidates)
    if not drawn:
        return learn(drawn), set()
    deadly: set[bytes] = set()

    def leave_out(text: Sequence[bytes]) -> EncodingProfile:
        deadly.update(text)
        return learn([])

    # If it kills its worker, the only part is halved until the deadly texts are known. What the
    # halves have taught is of no use then: a profile is of all other texts together.
    first, *more = map_parts(learn, [drawn], cluster, "Learning encodings", leave_out)
    if deadly or more:
        others = [payload for payload in drawn if payload not in deadly]
        (first,) = map_parts(learn, [others], cluster, "Learning encodings")
    return first, deadly


def _learn_part(drawn: Sequence[bytes], candidates: Sequence[str] | None) -> EncodingProfile:
    return learn_profile(Evidence(drawn), candidates)


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

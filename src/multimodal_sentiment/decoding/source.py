"""What is learnt of a source from its posts: which encodings it uses, and how common each is.

Nine encodings are tried on every source. Others are tried where they have a case: chardet, which
knows letter pairs of many languages, is asked about posts joined (one post tells it too little), and
where posts read like no language, all the others are tried as well. Either only proposes: an encoding
stays if it makes more plausible text of some posts than those already there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import chardet
import numpy as np
import numpy.typing as npt

from .evidence import (
    CESU,
    DEFAULT_CANDIDATES,
    FURTHER_CANDIDATES,
    JUDGED_BYTES,
    Evidence,
    decoded,
    judged_encodings,
    judged_part,
    python_name,
)
from .mixture import UNSEEN_POSTS, EncodingProfile, posteriors
from .scoring import excess_bits

PROFILED_POSTS = 20_000  # distinct posts that a profile rests on at most, evenly drawn
NAMED_POSTS = 1.0  # what each encoding that the user names counts for beforehand
_FEWEST = 3  # posts that tell an encoding
_SAMPLE = 400  # posts of a group looked at
_JOINED_BYTES = 65_536  # of them, shown to chardet
_CONFIDENT = 0.15  # where posts hold hardly any words, chardet's first guess has 0.1
_NEAR = 0.8  # of the first guess's confidence: others to be tried too
_ROUNDS = 3  # of proposals
_CASE_BITS = 12.0  # that an encoding must save in all to be taken
_SWITCH_BITS = 4.0  # saved on a post count beyond these: the price of being the rarer encoding
_DOUBT_BITS = 0.25  # a character: beyond this, posts read like no language
_SELF_EVIDENT = ("utf-8", "ascii", CESU)  # hardly any other bytes are valid in these


def prior_posts(
    names: Sequence[str],
    named: Sequence[str] | None,
    profile: EncodingProfile | None = None,
) -> npt.NDArray[np.float64]:
    """Return how many posts each encoding counts as having before any is seen. (encodings,)"""
    likely = {python_name(name).removesuffix("-sig") for name in named or ()}
    before = np.where(np.isin(names, list(likely)), NAMED_POSTS, UNSEEN_POSTS)
    return before if profile is None else before + profile.pseudo_posts(names)


def learn_profile(evidence: Evidence, named: Sequence[str] | None = None) -> EncodingProfile:
    """Learn a source's profile from its posts.

    Args:
        evidence: the source's distinct posts whose encoding structure does not prove.
        named: the encodings to choose from; None means all that are known.

    Raises:
        ValueError: an encoding is unknown, or does not extend ASCII.
    """
    names = [*judged_encodings(DEFAULT_CANDIDATES if named is None else named)]
    count = len(evidence.payloads)
    drawn = evidence
    if count > PROFILED_POSTS:
        evidence.bits(names)  # all of them are needed in the end
        drawn = evidence.some(np.arange(0, count, 1 + count // PROFILED_POSTS))
    readable = np.isfinite(drawn.bits(names)).any(axis=1)
    if not readable.all():
        drawn = drawn.some(np.flatnonzero(readable))
    shares = posteriors(drawn.bits(names), prior_posts(names, named))
    for _ in range(0 if named else _ROUNDS):
        found = _proposals(drawn, names, shares.argmax(axis=1))
        if not found:
            break
        names += found
        shares = posteriors(drawn.bits(names), prior_posts(names, named))
    best = shares.argmax(axis=1)
    doubted = [
        names[column]
        for column in np.unique(best)
        if names[column] not in _SELF_EVIDENT
        and _reads_like_no_language(drawn, np.flatnonzero(best == column), names[column])
    ]
    return EncodingProfile.from_posteriors(names, shares, doubted)


def _proposals(posts: Evidence, names: Sequence[str], best: npt.NDArray[np.integer]) -> list[str]:
    """Find encodings that make more plausible text of some posts than those they are read in."""
    found: list[str] = []
    for rows, encoding in _groups(posts, names, best):
        some = posts.some(rows[:: 1 + len(rows) // _SAMPLE])
        proposed, confirmed = _guesses(some, encoding)
        if not confirmed and _reads_like_no_language(some, np.arange(len(some.payloads)), encoding):
            proposed += FURTHER_CANDIDATES
        new = [n for n in dict.fromkeys(proposed) if n not in names and n not in found]
        found += _those_with_a_case(some, [*names, *found], new)
    return found


def _groups(
    posts: Evidence, names: Sequence[str], best: npt.NDArray[np.integer]
) -> Iterator[tuple[npt.NDArray[np.integer], str]]:
    """Give the posts read in each encoding that others may be taken for, then all of them."""
    open_rows = np.flatnonzero(
        ~np.isin(best, [k for k, n in enumerate(names) if n in _SELF_EVIDENT])
    )
    groups = [np.flatnonzero(best == k) for k in np.unique(best[open_rows])]
    if len(groups) > 1:
        groups.append(open_rows)
    for rows in groups:
        if len(rows) >= _FEWEST:
            yield rows, names[np.bincount(best[rows]).argmax()]


def _guesses(posts: Evidence, encoding: str) -> tuple[list[str], bool]:
    """Return what chardet takes joined posts for, and whether its first guess reads them alike."""
    joined = b"\n".join(payload[:JUDGED_BYTES] for payload in posts.payloads)[:_JOINED_BYTES]
    guesses = chardet.detect_all(joined, compat_names=False)
    first = guesses[0]["confidence"]
    if first < _CONFIDENT:
        return [], False
    known = [g["encoding"] for g in guesses if g["confidence"] >= _NEAR * first and g["encoding"]]
    known = [python_name(name) for name in known if decoded(b"", name) is not None]
    confirmed = bool(known) and all(
        decoded(payload, known[0]) == decoded(payload, encoding) for payload in posts.payloads
    )
    return known, confirmed


def _those_with_a_case(posts: Evidence, names: Sequence[str], new: Sequence[str]) -> list[str]:
    """Choose new encodings one by one, as long as one saves enough bits."""
    chosen: list[str] = []
    bits = posts.bits(names).min(axis=1)
    for _ in new:
        columns = posts.bits(new)
        saved = np.maximum(bits[:, None] - columns - _SWITCH_BITS, 0.0).clip(max=40).sum(axis=0)
        if saved.max() < _CASE_BITS:
            break
        at = int(saved.argmax())
        chosen.append(new[at])
        bits = np.minimum(bits, columns[:, at])
    return chosen


def _reads_like_no_language(posts: Evidence, rows: npt.NDArray[np.integer], encoding: str) -> bool:
    """Tell whether posts, read in an encoding, take more bits than any language does."""
    if len(rows) < _FEWEST:
        return False
    parts = [judged_part(posts.payloads[row]) for row in rows[:: 1 + len(rows) // _SAMPLE]]
    texts = [text for part in parts if (text := decoded(part, encoding)) is not None]
    told = sum(not char.isascii() for text in texts for char in text)
    return bool(excess_bits(texts).sum() > _DOUBT_BITS * told)

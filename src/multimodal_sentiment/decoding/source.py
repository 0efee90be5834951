"""What is learnt of a source from its posts: which encodings it uses, and how common each is.

Nine encodings are tried on every source. Others are tried where they have a case: chardet, which
knows letter pairs of many languages, is asked about posts joined (one post tells it too little), and
where posts read like no language, all the others are tried as well. Either only proposes: an encoding
stays if it makes more plausible text of some posts than those already there.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    extends_ascii,
    judged_encodings,
    judged_part,
    python_name,
)
from .mixture import UNSEEN_POSTS, EncodingProfile, posteriors
from .scoring import excess_bits

PROFILED_POSTS = 20_000  # distinct posts that a profile rests on at most, evenly drawn
NAMED_POSTS = 1.0  # what each encoding that the user names counts for beforehand
_FEWEST = 3  # posts that tell an encoding
_SAMPLE = 1000  # posts of a group looked at
_FEW = 200  # of them suffice to see whether they read like a language
_JOINED_BYTES = 16_384  # of them, shown to chardet
_CONFIDENT = 0.15  # where posts hold hardly any words, chardet's first guess has 0.1
_NEAR = 0.8  # of the first guess's confidence: others to be tried too
_EQUAL = 0.9995  # of it: as likely as it
_HINT_BITS = 14.0  # by how much chardet's guess is ahead at first
_FOLLOWING = 0.75  # of a group's posts: fewer that this brings to the guess, and it is none
_MOST = 0.9  # of all open posts: a group of more is as good as all
_ROUNDS = 3  # of proposals
_CASE_BITS = 12.0  # that an encoding must save in all to be taken
_SWITCH_BITS = 4.0  # saved on a post count beyond these: the price of being the rarer encoding
_DOUBT_BITS = 0.25  # a character: beyond this, posts read like no language
_BY_CHANCE = 0.25  # of the posts of a source in doubt: smaller groups are in doubt too
_SELF_EVIDENT = ("utf-8", "ascii", CESU)  # hardly any other bytes are valid in these

_SIBLINGS = ("iso8859-15",)  # of cp1252: chardet does not know each language's use of it
_MULTIBYTE = ("gb18030", "big5hkscs", "cp932", "euc_jp", "cp949")  # not to be taken for a page


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
    hints = np.ones((len(drawn.payloads), len(names)))
    shares = posteriors(drawn.bits(names), prior_posts(names, named))
    for look in (_all_open, _each_group, _each_group) if named is None else ():
        best = shares.argmax(axis=1)
        known = len(names)
        for rows in look(names, best):
            likely, new = _proposals(drawn.some(rows), names, best[rows])
            names += new
            hints = np.pad(hints, ((0, 0), (0, len(new))), constant_values=1.0)
            hints[np.ix_(rows, [names.index(name) for name in likely])] = 2.0**_HINT_BITS
        shares = posteriors(drawn.bits(names), prior_posts(names, named), hints)
        if look is _each_group and len(names) == known:
            break
    return EncodingProfile.from_posteriors(names, shares, _doubted(drawn, names, shares))


def _doubted(posts: Evidence, names: Sequence[str], shares: npt.NDArray[np.float64]) -> list[str]:
    """Name the encodings in which posts read like no language."""
    best = shares.argmax(axis=1)
    groups = {
        names[column]: np.flatnonzero(best == column)
        for column in np.unique(best)
        if names[column] not in _SELF_EVIDENT
    }
    doubted = {n: len(r) for n, r in groups.items() if _reads_like_no_language(posts, r, n)}
    count = sum(map(len, groups.values()))
    if sum(doubted.values()) > count / 2:
        # The few posts that read otherwise are likely to do so by chance.
        doubted |= {n: len(r) for n, r in groups.items() if len(r) < _BY_CHANCE * count}
    return [name for name in groups if name in doubted]


def _all_open(names: Sequence[str], best: npt.NDArray[np.integer]) -> list[npt.NDArray[np.integer]]:
    """Give all posts that others than their encodings may suit, as one group."""
    rows = np.flatnonzero(~np.isin(best, [names.index(name) for name in _SELF_EVIDENT]))
    return [rows] if len(rows) >= _FEWEST else []


def _each_group(
    names: Sequence[str], best: npt.NDArray[np.integer]
) -> list[npt.NDArray[np.integer]]:
    """Give the posts read in each encoding, but for most of them, which `_all_open` told of."""
    groups = [np.flatnonzero(best == k) for k, n in enumerate(names) if n not in _SELF_EVIDENT]
    most = _MOST * sum(map(len, groups))
    return [rows for rows in groups if _FEWEST <= len(rows) < most]


def _proposals(
    posts: Evidence, names: Sequence[str], best: npt.NDArray[np.integer]
) -> tuple[list[str], list[str]]:
    """Find what a group of posts is likely in, and what encodings are to be tried for it."""
    rows = np.arange(0, len(best), -(-len(best) // _SAMPLE))
    some, best = posts.some(rows), best[rows]
    encoding = names[np.bincount(best).argmax()]
    plausible = not _reads_like_no_language(some, np.arange(len(rows)), encoding)
    if plausible and encoding in _MULTIBYTE and (best == names.index(encoding)).mean() > _MOST:
        return [], []
    guesses = _guesses(some)
    if _confirmed(some, encoding, guesses):
        return [], []
    bits = np.take_along_axis(some.bits(names), best[:, None], axis=1)[:, 0]
    # In this order, a page that holds all of another comes before it.
    tried = [n for n in FURTHER_CANDIDATES if n not in names and n in (*guesses, *_SIBLINGS)]
    likely = [n for n, c in guesses.items() if c >= _EQUAL * max(guesses.values())]
    first = [n for n in tried if n in likely and _saved(some, [n], bits)[0] >= 1.0]
    if not likely and not plausible:
        tried += [n for n in FURTHER_CANDIDATES if n not in names and n not in tried]
    new = first + _those_with_a_case(some, bits, first, [n for n in tried if n not in first])
    likely = [n for n in likely if n in (*names, *new)] or new
    likely = _as_good(some, likely, [*names, *tried])
    if encoding in likely:
        return [], [n for n in likely if n not in names]
    new += [n for n in likely if n not in (*names, *new)]
    return (likely if _followed(some, likely, [*names, *new]) else []), new


def _followed(posts: Evidence, likely: Sequence[str], names: Sequence[str]) -> bool:
    """Tell whether most posts can well be in the likely encodings."""
    if not likely:
        return False
    lost = posts.bits(likely).min(axis=1) - posts.bits(names).min(axis=1)
    return bool((lost < _HINT_BITS).mean() >= _FOLLOWING)


def _as_good(posts: Evidence, likely: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the likely encodings, and those that make posts as plausible as they do, all in all."""
    if not likely:
        return []
    bits = posts.bits(names)
    total = np.minimum(bits, bits.min(axis=1, keepdims=True) + 2 * _HINT_BITS).sum(axis=0)
    enough = min(total[names.index(name)] for name in likely)
    return [n for n, sum_ in zip(names, total, strict=True) if sum_ <= enough or n in likely]


def _confirmed(posts: Evidence, encoding: str, guesses: dict[str, float]) -> bool:
    """Tell whether chardet's first guess gives the very texts that the encoding gives."""
    first = next(iter(guesses), None)
    return first is not None and all(
        decoded(payload, first) == decoded(payload, encoding) for payload in posts.payloads
    )


def _guesses(posts: Evidence) -> dict[str, float]:
    """Return what chardet takes joined posts for, if it is sure enough, with its confidence."""
    joined = b"\n".join(payload[:JUDGED_BYTES] for payload in posts.payloads)[:_JOINED_BYTES]
    guesses = chardet.detect_all(joined, compat_names=False)
    least = max(_CONFIDENT, _NEAR * guesses[0]["confidence"])
    return {
        python_name(guess["encoding"]): guess["confidence"]
        for guess in guesses
        if guess["confidence"] >= least and guess["encoding"] and extends_ascii(guess["encoding"])
    }


def _those_with_a_case(
    posts: Evidence, bits: npt.NDArray[np.float64], first: Sequence[str], others: Sequence[str]
) -> list[str]:
    """Choose others beside the first one by one, as long as one saves enough of the bits."""
    chosen: list[str] = []
    for name in first:
        bits = np.minimum(bits, posts.bits([name])[:, 0])
    for _ in others:
        saved = _saved(posts, others, bits - _SWITCH_BITS)
        if saved.max() < _CASE_BITS:
            break
        chosen.append(others[int(saved.argmax())])
        bits = np.minimum(bits, posts.bits(chosen[-1:])[:, 0])
    return chosen


def _saved(
    posts: Evidence, names: Sequence[str], bits: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return how many bits each encoding saves where it is better. (encodings,)"""
    return np.maximum(bits[:, None] - posts.bits(names), 0.0).clip(max=40.0).sum(axis=0)


def _reads_like_no_language(posts: Evidence, rows: npt.NDArray[np.integer], encoding: str) -> bool:
    """Tell whether posts, read in an encoding, take more bits than any language does."""
    if len(rows) < _FEWEST:
        return False
    parts = [judged_part(posts.payloads[row]) for row in rows[:: -(-len(rows) // _FEW)]]
    texts = [text for part in parts if (text := decoded(part, encoding)) is not None]
    told = sum(not char.isascii() for text in texts for char in text)
    return bool(excess_bits(texts).sum() > _DOUBT_BITS * told)

"""Learns from the posts of a source which encodings it uses, and how common each is.

Nine encodings are tried on every source. Others are proposed by chardet, which knows the letter
pairs of many languages; it is given several posts joined, as a single one is too short for it.
Where posts read like no language, all known encodings are tried. A proposed encoding is tried on
the whole source if some posts make a more plausible text in it. The mixture (see
`mixture.posteriors`) then decides the encoding of each post, with a hint where chardet is sure of
a group of posts and the posts do not contradict it.
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
    python_name,
)
from .mixture import UNSEEN_POSTS, EncodingProfile, posteriors
from .scoring import excess_bits

Rows = npt.NDArray[np.intp]
Bits = npt.NDArray[np.float64]

PROFILED_POSTS = 20_000  # distinct posts that a profile rests on at most, evenly drawn

_FEWEST = 3  # posts that tell an encoding
_MOST = 0.9  # of the posts: a group of more is all of them
_SAMPLE = 1000  # posts of a group that are looked at
_FEW = 100  # of them suffice to see whether they read like a language

_JOINED_BYTES = 16_384  # of a group's posts, shown to chardet
_CONFIDENT = 0.15  # chardet's confidence in posts of hardly any words is 0.1, in texts 0.3 to 0.6
_NEAR = 0.8  # of its first guess's confidence: other guesses that are tried
_EQUAL = 0.9995  # of the same: guesses as likely as the first
_SIBLINGS = ("iso8859-15",)  # of cp1252, for languages that chardet does not know it for

_HINT_BITS = 14.0  # what a post must save in another encoding than chardet's guess for its group
_FOLLOWING = 0.75  # of a group: a guess that fewer posts would follow is no guess
_SWITCH_BITS = 4.0  # a post: what it costs to be in the rarer encoding
_CASE_BITS = 12.0  # beyond that, all posts together: what an encoding must save to be tried
_CAPPED_BITS = 40.0  # one post tells no more than this

_DOUBT_BITS = 0.25  # a character: beyond this, posts read like no language
_BY_CHANCE = 0.25  # of the posts of a source in doubt: smaller groups are in doubt too

_SELF_EVIDENT = ("utf-8", "ascii", CESU)  # hardly any other bytes are valid in these
_MULTIBYTE = ("gb18030", "big5hkscs", "cp932", "euc_jp", "cp949")


def learn_profile(evidence: Evidence, named: Sequence[str] | None = None) -> EncodingProfile:
    """Learn a source's profile from its posts, but for `posts`, which are counted as they are read.

    Args:
        evidence: the source's distinct posts whose encoding structure does not prove.
        named: the encodings to choose from, all alike likely; None means all that are known.

    Raises:
        ValueError: an encoding is unknown, or does not extend ASCII.
    """
    names = [*judged_encodings(DEFAULT_CANDIDATES if named is None else named)]
    posts = _drawn(evidence, names)
    hints = np.ones((len(posts.payloads), len(names)))
    shares = posteriors(posts.bits(names))
    for groups_of in _GROUPINGS if named is None else ():
        best = shares.argmax(axis=1)
        count = len(names)
        is_hinted = False
        for rows in groups_of(names, best):
            likely, new = _proposals(posts.some(rows), names, best[rows])
            names += new
            hints = np.pad(hints, ((0, 0), (0, len(new))), constant_values=1.0)
            hints[np.ix_(rows, np.array([names.index(n) for n in likely], int))] = 2.0**_HINT_BITS
            is_hinted |= bool(likely)
        if is_hinted or len(names) > count:
            shares = posteriors(posts.bits(names), hints)
        elif groups_of is _each_group:
            break
    expected = zip(names, shares.sum(axis=0).tolist(), strict=True)
    return EncodingProfile(
        posts={},
        expected={name: count for name, count in expected if count > UNSEEN_POSTS},
        doubted=tuple(_doubted(posts, names, shares)),
        named=None if named is None else tuple(named),
    )


def draw_posts(payloads: Sequence[bytes]) -> Sequence[bytes]:
    """Return the posts that a profile rests on, at even distances, of all that could be."""
    return payloads[:: _distance(len(payloads))]


def _distance(count: int) -> int:
    return max(1, -(-count // PROFILED_POSTS))


def _drawn(evidence: Evidence, names: Sequence[str]) -> Evidence:
    """Draw posts, and leave out those that no encoding can decode."""
    bits = evidence.bits(names)  # of all posts, drawn or not: they are needed in the end
    rows = np.arange(0, len(bits), _distance(len(bits)))
    rows = rows[np.isfinite(bits[rows]).any(axis=1)]
    return evidence if len(rows) == len(bits) else evidence.some(rows)


def _doubted(posts: Evidence, names: Sequence[str], shares: npt.NDArray[np.float64]) -> list[str]:
    """Return the encodings in which posts read like no language."""
    best = shares.argmax(axis=1)
    groups = {
        names[column]: np.flatnonzero(best == column)
        for column in np.unique(best)
        if names[column] not in _SELF_EVIDENT
    }
    doubted = {
        name: len(rows)
        for name, rows in groups.items()
        if _read_like_no_language(posts.some(rows), [name] * len(rows))
    }
    count = sum(map(len, groups.values()))
    if sum(doubted.values()) > count / 2:
        # The few posts that read otherwise are likely to do so by chance.
        doubted |= {n: len(r) for n, r in groups.items() if len(r) < _BY_CHANCE * count}
    return [name for name in groups if name in doubted]


def _all_open(names: Sequence[str], best: Rows) -> list[Rows]:
    """Return, as one group, all posts that encodings not tried yet may suit better."""
    rows = np.flatnonzero(
        ~np.isin(best, [names.index(name) for name in _SELF_EVIDENT if name in names])
    )
    return [rows] if len(rows) >= _FEWEST else []


def _all_but_the_largest(names: Sequence[str], best: Rows) -> list[Rows]:
    """Return, as one group, the same posts without those of the commonest encoding."""
    for rows in _all_open(names, best):
        others = rows[best[rows] != np.bincount(best[rows]).argmax()]
        if _FEWEST <= len(others):
            return [others]
    return []


def _each_group(names: Sequence[str], best: Rows) -> list[Rows]:
    """Return the groups of posts read in one encoding, but for one that holds nearly all posts."""
    groups = [np.flatnonzero(best == k) for k, n in enumerate(names) if n not in _SELF_EVIDENT]
    most = _MOST * sum(map(len, groups))
    return [rows for rows in groups if _FEWEST <= len(rows) < most]


# The second time, with what the first has found. Most posts of a source are often in one encoding,
# and the others in another one, which is not known yet: so these are looked at together, too.
_GROUPINGS = (_all_open, _all_but_the_largest, _each_group, _each_group)


def _proposals(posts: Evidence, names: Sequence[str], best: Rows) -> tuple[list[str], list[str]]:
    """Return the likely encodings of a group of posts, and others to try on the source.

    Args:
        posts: the group.
        names: the encodings tried so far.
        best: the column of the encoding that each post is read in.

    Returns:
        The likely encodings, if there is reason for a hint; and encodings that are not in `names`.
    """
    counts = np.bincount(best)
    # As `_each_group` has it, which looks at each encoding of a mixture by itself.
    is_mixed = counts.max() < _MOST * len(best) and counts[counts > 0].min() >= _FEWEST
    rows = np.arange(0, len(best), -(-len(best) // _SAMPLE))
    posts, best = posts.some(rows), best[rows]
    column = int(np.bincount(best).argmax())
    encoding = names[column]
    plausible = not _read_like_no_language(posts, [names[k] for k in best])
    is_multibyte = encoding in _MULTIBYTE and (best == column).mean() > _MOST
    if plausible and (is_mixed or is_multibyte):
        return [], []  # pages of one byte a character hardly ever pass for one of several bytes
    guesses = _guesses(posts)
    if _confirmed(posts, encoding, guesses):
        return [], []
    bits = np.take_along_axis(posts.bits(names), best[:, None], axis=1)[:, 0]
    # In this order, a page that holds all of another comes before it.
    tried = [n for n in FURTHER_CANDIDATES if n not in names and n in (*guesses, *_SIBLINGS)]
    likely = [n for n, c in guesses.items() if c >= _EQUAL * max(guesses.values())]
    first = [n for n in tried if n in likely and _saved(posts, [n], bits)[0] > 0.0]
    if not likely and not plausible:
        tried = [n for n in FURTHER_CANDIDATES if n not in names]
    new = first + _those_with_a_case(posts, bits, first, [n for n in tried if n not in first])
    likely = [n for n in likely if n in (*names, *new)] or new
    total = _total_bits(posts, [*names, *tried])
    most = min((total[name] for name in likely), default=0.0)
    likely = [name for name, n in total.items() if n <= most or name in likely]
    new += [n for n in likely if n not in (*names, *new)]
    if total[encoding] < most or not _followed(posts, likely, [*names, *new]):
        return [], new  # the posts speak against a hint
    return likely, new


def _confirmed(posts: Evidence, encoding: str, guesses: dict[str, float]) -> bool:
    """Return whether chardet's first guess gives the same texts as the encoding."""
    first = next(iter(guesses), None)
    return first is not None and all(
        decoded(payload, first) == decoded(payload, encoding) for payload in posts.payloads
    )


def _total_bits(posts: Evidence, names: Sequence[str]) -> dict[str, float]:
    """Return how many bits the posts take altogether, were all of them in one encoding."""
    bits = posts.bits(names)
    total = np.minimum(bits, bits.min(axis=1, keepdims=True) + _CAPPED_BITS).sum(axis=0)
    return dict(zip(names, total.tolist(), strict=True))


def _followed(posts: Evidence, likely: Sequence[str], names: Sequence[str]) -> bool:
    """Return whether a hint at the likely encodings would have most posts read in them."""
    if not likely:
        return False
    lost = posts.bits(likely).min(axis=1) - posts.bits(names).min(axis=1)
    return bool((lost < _HINT_BITS).mean() >= _FOLLOWING)


def _guesses(posts: Evidence) -> dict[str, float]:
    """Return chardet's guess for joined posts and its confidence, if that is high enough."""
    joined = b"\n".join(payload[:JUDGED_BYTES] for payload in posts.payloads)[:_JOINED_BYTES]
    guesses = chardet.detect_all(joined, compat_names=False)
    least = max(_CONFIDENT, _NEAR * guesses[0]["confidence"])
    return {
        python_name(guess["encoding"]): guess["confidence"]
        for guess in guesses
        if guess["confidence"] >= least and guess["encoding"] and extends_ascii(guess["encoding"])
    }


def _those_with_a_case(
    posts: Evidence, bits: Bits, first: Sequence[str], others: Sequence[str]
) -> list[str]:
    """Choose some of the others, one by one, as long as one saves enough beyond those before it."""
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


def _saved(posts: Evidence, names: Sequence[str], bits: Bits) -> Bits:
    """Return how many bits each encoding saves on the posts that it suits better: (encodings,)."""
    saved = np.clip(bits[:, None] - posts.bits(names), 0.0, _CAPPED_BITS)
    return np.asarray(saved.sum(axis=0))


def _read_like_no_language(posts: Evidence, encodings: Sequence[str]) -> bool:
    """Return whether posts, each read in an encoding, take more bits than any language does."""
    if len(encodings) < _FEWEST:
        return False
    step = -(-len(encodings) // _FEW)
    some = zip(posts.windows[::step], encodings[::step], strict=True)
    texts = [decoded(window, encoding) for window, encoding in some]
    return excess_bits([text for text in texts if text is not None]) > _DOUBT_BITS

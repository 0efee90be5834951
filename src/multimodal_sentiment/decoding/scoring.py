"""Measures how plausible a text is, in bits: fewer bits mean a more plausible text.

The bits of a character are those of its kind, given the character before it (a letter after a
letter of its alphabet is expected, a box-drawing line is not), and those of the choice within its
kind. How common characters are depends on the language: all languages of the table are tried, and
those that suit the text count.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

from .characters import Kind, characters

_BATCH = 1 << 14  # characters looked up at once, so that they stay in a core's cache

# How surprising it is that one kind follows another, in bits.
_USUAL, _COMMON, _ODD, _STRANGE, _ALIEN, _NEVER = 0.0, 2.0, 4.0, 7.0, 12.0, 24.0

# What a character of each kind takes at most, on average over a source, in the languages measured.
_MOST_BITS = {
    Kind.PUNCTUATION: 10.0, Kind.LINK: 10.0, Kind.WIDE_SIGN: 12.0, Kind.SYMBOL: 14.0,
    Kind.EMOJI: 20.0, Kind.JOINER: 16.0,
    Kind.ACCENTED_LOWER: 11.3, Kind.ACCENTED_UPPER: 13.0,
    Kind.CYRILLIC_LOWER: 6.1, Kind.CYRILLIC_UPPER: 6.3,
    Kind.GREEK_LOWER: 6.6, Kind.GREEK_UPPER: 6.8,
    Kind.KANA: 10.5, Kind.HAN: 14.5, Kind.HANGUL: 12.0, Kind.LETTER: 7.2,
}  # fmt: skip


def text_bits(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Return how many bits each text takes; an empty one takes none."""
    ends = np.cumsum([len(text) + 1 for text in texts])
    cuts = [0, *(np.flatnonzero(np.diff(ends // _BATCH)) + 1), len(texts)]
    batches = [_batch_bits(texts[start:end]) for start, end in itertools.pairwise(cuts)]
    return np.concatenate(batches)


def excess_bits(texts: Sequence[str]) -> float:
    """Return by how many bits a character the texts exceed texts of any language.

    Only characters beyond ASCII count. The excess is positive where texts read like no language: as
    letters that do not go together, or signs within words. It is 0 where all is ASCII.
    """
    tables = _tables()
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), "<u4")
    told = codes[codes >= 0x80]  # noqa: PLR2004 - ASCII's end
    most = np.array([_MOST_BITS.get(kind, 0.0) for kind in Kind])[tables.kind[tables.sort[told]]]
    plain = [text.encode("ascii", "ignore").decode("ascii") for text in texts]
    taken, plainly = np.split(text_bits([*texts, *plain]), 2)
    return float(taken.sum() - plainly.sum() - most.sum()) / max(1, len(told))


def _batch_bits(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    if not texts:
        return np.zeros(0)
    tables = _tables()
    # Every text starts with a space, which costs nothing.
    codes = np.frombuffer((" " + " ".join(texts)).encode("utf-32-le", "surrogatepass"), "<u4")
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    sort = tables.sort.take(codes)
    kind = tables.kind.take(sort)
    shared = tables.change[_state(kind, starts), kind] + tables.shared.take(sort)
    shared[starts] = 0.0
    # Most characters are ASCII, which no language is told by: only the others are looked up in all.
    telling = codes >= 0x80  # noqa: PLR2004 - ASCII's end
    ends = np.append(np.cumsum(telling)[starts], telling.sum())
    told = sort[telling]
    occurs = csr_array((np.ones(len(told), np.float32), told, ends), (len(texts), len(tables.kind)))
    bits = np.add.reduceat(shared, starts)[:, None] + occurs @ tables.choice  # (texts, columns)
    fewest = bits.min(axis=1, keepdims=True).astype(np.float64)
    total = fewest[:, 0] - np.log2(np.exp2(fewest - bits) @ tables.prior)
    return np.asarray(total.round(3) + 0.0)


def _state(kind: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return what each character follows: the kind before it, or at a word's start the last word's.

    A single letter of another script, between two spaces, would otherwise be no surprise. Neither
    would one sign between two letters, which few signs are at home between: such a letter follows
    the letter before the sign.
    """
    is_letter = kind >= int(Kind.LATIN_LOWER)
    places = np.arange(len(kind), dtype=np.int32)
    letters = np.where(is_letter, places, np.int32(0))
    letters[starts] = starts  # a text's leading space stands for "no word yet"
    last = np.maximum.accumulate(letters)[:-1]
    state = np.zeros(len(kind), np.int64)  # the first character's is never used
    state[1:] = np.where(is_letter[1:] & ~is_letter[:-1], len(Kind) + kind.take(last), kind[:-1])
    is_sign = (kind == int(Kind.PUNCTUATION)) | (kind == int(Kind.SYMBOL))
    split = is_letter[2:] & is_sign[1:-1] & is_letter[:-2]
    state[2:][split] += len(Kind)
    return state


class _Tables(NamedTuple):
    """The bits that characters take.

    Attributes:
        sort: by code point, see `Characters`.
        kind: by sort.
        shared: bits to choose a character of a sort, the part that all columns have. (sorts,)
        choice: the bits beyond it. (sorts, columns)
        prior: how probable each column is.
        change: bits for each kind in each state. (3 kinds, kinds)
    """

    sort: npt.NDArray[np.uint16]
    kind: npt.NDArray[np.uint8]
    shared: npt.NDArray[np.float32]
    choice: npt.NDArray[np.float32]
    prior: npt.NDArray[np.float64]
    change: npt.NDArray[np.float32]


@functools.cache
def _tables() -> _Tables:
    found = characters()
    shared = found.choice.min(axis=1)
    choice = found.choice - shared[:, None]
    return _Tables(found.sort, found.kind, shared, choice, found.prior, _changes())


def _changes() -> npt.NDArray[np.float32]:
    """Return the bits of each kind in each state; grades are made probabilities row by row.

    The states are the kind of the character before; for a word's first letter, the kind of the last
    word's last letter; and, where only a sign lies between the two, that kind again: an array of
    shape (3 kinds, kinds).
    """
    grades = np.array(
        [[_grade(before, after) for after in Kind] for before in Kind]
        + [[_word_grade(last, after) for after in Kind] for last in Kind]
    )
    bits = grades + np.log2(np.exp2(-grades).sum(axis=1, keepdims=True))
    across = bits[len(Kind) :] + np.array([[_across(last)] for last in Kind])
    return np.concatenate([bits, across]).astype(np.float32)


_UPPER = (Kind.LATIN_UPPER, Kind.ACCENTED_UPPER, Kind.CYRILLIC_UPPER, Kind.GREEK_UPPER)
_SCRIPTS = {
    Kind.LATIN_LOWER: "Latin", Kind.LATIN_UPPER: "Latin",
    Kind.ACCENTED_LOWER: "Latin", Kind.ACCENTED_UPPER: "Latin",
    Kind.CYRILLIC_LOWER: "Cyrillic", Kind.CYRILLIC_UPPER: "Cyrillic",
    Kind.GREEK_LOWER: "Greek", Kind.GREEK_UPPER: "Greek",
    Kind.KANA: "East Asian", Kind.HAN: "East Asian", Kind.HANGUL: "Korean", Kind.LETTER: "other",
}  # fmt: skip
_SIGN_GRADES = {
    Kind.DIGIT: _COMMON, Kind.ASCII_SIGN: _COMMON, Kind.PUNCTUATION: _ODD, Kind.LINK: _ODD,
    Kind.WIDE_SIGN: _STRANGE, Kind.SYMBOL: _STRANGE, Kind.EMOJI: _STRANGE, Kind.JOINER: _STRANGE,
    Kind.JUNK: _NEVER,
}  # fmt: skip


def _grade(before: Kind, after: Kind) -> float:
    """Grade a character after the one beside it."""
    if after in _SCRIPTS:
        if before in _SCRIPTS:
            return _letter_grade(before, after, switch=_ALIEN, guest=_STRANGE, rise=_STRANGE)
        return _USUAL if after is Kind.LATIN_LOWER else np.inf  # a word begins: see _word_grade
    east_asian = _SCRIPTS.get(before) == "East Asian"
    match after:
        case Kind.SPACE:
            return _ODD if east_asian else _COMMON
        case Kind.WIDE_SIGN if east_asian or before is Kind.WIDE_SIGN:
            return _COMMON
        case Kind.EMOJI | Kind.JOINER if before is Kind.EMOJI:
            return _COMMON
    return _SIGN_GRADES[after]


def _word_grade(last: Kind, after: Kind) -> float:
    """Grade a word's first letter after the word before."""
    if after not in _SCRIPTS:
        return np.inf
    return _letter_grade(last, after, switch=_STRANGE, guest=_ODD, rise=_COMMON)


def _across(last: Kind) -> float:
    """Grade a letter after a sign after a letter, beyond a word's first letter."""
    return _USUAL if _SCRIPTS.get(last) in ("East Asian", "Korean") else _STRANGE


def _letter_grade(last: Kind, after: Kind, *, switch: float, guest: float, rise: float) -> float:
    """Grade one letter after another.

    Args:
        last: the letter before, or none.
        after: the letter.
        switch: the bits of a change of script.
        guest: the bits of Latin letters in an East Asian text, where they are common.
        rise: the bits of a capital after a small letter.
    """
    grade = _ODD if after in (Kind.ACCENTED_LOWER, Kind.ACCENTED_UPPER) else _USUAL
    if last not in _SCRIPTS:
        return grade
    if after in _UPPER and last not in _UPPER:
        grade += rise
    scripts = {_SCRIPTS[last], _SCRIPTS[after]}
    if len(scripts) == 1:
        return grade
    return grade + (guest if "Latin" in scripts and scripts & {"East Asian", "Korean"} else switch)

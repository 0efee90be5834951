"""How plausible a text is, in bits: the fewer, the more it reads like something people write.

Naming a text character by character takes, for each, the bits to say which kind of character
follows the one before (a letter after a letter of its alphabet is no news, a box-drawing line is)
and the bits to choose one character of that kind. What there is to choose from depends on the
standard that the language is written in: every one is tried, and those that suit the text count.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .characters import Characters, Kind, characters

_BATCH = 1 << 14  # characters looked up at once, so that they stay in a core's cache

# How surprising it is that one kind follows another, in bits.
_USUAL, _COMMON, _ODD, _STRANGE, _ALIEN, _NEVER = 0.0, 2.0, 4.0, 7.0, 12.0, 24.0


def text_bits(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    """Tell how many bits each text takes; an empty one takes none."""
    ends = np.cumsum([len(text) + 1 for text in texts])
    cuts = [0, *(np.flatnonzero(np.diff(ends // _BATCH)) + 1), len(texts)]
    batches = [_batch_bits(texts[start:end]) for start, end in itertools.pairwise(cuts)]
    return np.concatenate(batches)


def _batch_bits(texts: Sequence[str]) -> npt.NDArray[np.float64]:
    if not texts:
        return np.zeros(0)
    tables, change = _tables()
    # Every text starts with a space, which costs nothing.
    codes = np.frombuffer((" " + " ".join(texts)).encode("utf-32-le", "surrogatepass"), "<u4")
    starts = np.cumsum([0, *(len(text) + 1 for text in texts[:-1])])
    sort = tables.sort.take(codes)
    kind = tables.kind.take(sort)
    changes = change[_state(kind, starts), kind]
    changes[starts] = 0.0
    choices = tables.choice.take(sort, axis=0)  # (characters, standards)
    choices[starts] = 0.0
    bits = np.add.reduceat(changes, starts)[:, None] + np.add.reduceat(choices, starts)
    fewest = bits.min(axis=1, keepdims=True).astype(np.float64)
    return np.asarray(fewest[:, 0] - np.log2(np.exp2(fewest - bits).mean(axis=1)))


def _state(kind: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Tell what each character follows: the kind before it, or at a word's start the last word's.

    A single letter of another script, between two spaces, would otherwise be no surprise.
    """
    is_letter = kind >= int(Kind.LATIN_LOWER)
    places = np.arange(len(kind), dtype=np.int32)
    letters = np.where(is_letter, places, np.int32(0))
    letters[starts] = starts  # a text's leading space stands for "no word yet"
    last = np.maximum.accumulate(letters)[:-1]
    state = np.zeros(len(kind), np.int64)  # the first character's is never used
    state[1:] = np.where(is_letter[1:] & ~is_letter[:-1], len(Kind) + kind.take(last), kind[:-1])
    return state


@functools.cache
def _tables() -> tuple[Characters, npt.NDArray[np.float32]]:
    return characters(), _changes()


def _changes() -> npt.NDArray[np.float32]:
    """Bits for each kind after each kind, then for each word's first kind after each last word's.

    Grades are made probabilities row by row. (2 kinds, kinds)
    """
    grades = np.array(
        [[_grade(before, after) for after in Kind] for before in Kind]
        + [[_word_grade(last, after) for after in Kind] for last in Kind]
    )
    return np.asarray(grades + np.log2(np.exp2(-grades).sum(axis=1, keepdims=True)), np.float32)


_UPPER = (Kind.LATIN_UPPER, Kind.ACCENTED_UPPER, Kind.CYRILLIC_UPPER, Kind.GREEK_UPPER)
_SCRIPTS = {
    Kind.LATIN_LOWER: "Latin", Kind.LATIN_UPPER: "Latin",
    Kind.ACCENTED_LOWER: "Latin", Kind.ACCENTED_UPPER: "Latin",
    Kind.CYRILLIC_LOWER: "Cyrillic", Kind.CYRILLIC_UPPER: "Cyrillic",
    Kind.GREEK_LOWER: "Greek", Kind.GREEK_UPPER: "Greek",
    Kind.KANA: "East Asian", Kind.HAN: "East Asian", Kind.HANGUL: "Korean", Kind.LETTER: "other",
}  # fmt: skip
_SIGN_GRADES = {
    Kind.DIGIT: _COMMON, Kind.ASCII_SIGN: _COMMON, Kind.PUNCTUATION: _ODD,
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


def _letter_grade(last: Kind, after: Kind, *, switch: float, guest: float, rise: float) -> float:
    """Grade one letter after another.

    Args:
        last: the letter before, or none.
        after: the letter.
        switch: what another script costs,
        guest: but Latin in an East Asian text, where it is at home.
        rise: what a capital costs after a small letter.
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

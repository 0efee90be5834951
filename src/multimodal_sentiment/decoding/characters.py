"""The characters of text: what kind each is, and how common it is in which language.

Kinds come from Unicode's categories and names. How common letters are in a language comes from the
table `characters.txt` beside this file. How common Chinese characters, kana and Hangul are comes
from the table's lists of the commonest, and from the national standards, read out of Python's
codecs: GB 2312, Big5 and JIS X 0208 put the frequent characters before the rare ones, KS X 1001
puts Hangul before Chinese characters.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
from importlib.resources import files
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Kind(IntEnum):
    """What sort of character one is: in any language, some follow each other and some do not.

    Letters, of which words are made, come last.
    """

    SPACE = 0
    DIGIT = 1
    ASCII_SIGN = 2
    PUNCTUATION = 3
    WIDE_SIGN = 4
    SYMBOL = 5
    EMOJI = 6
    JOINER = 7
    JUNK = 8
    LINK = 9
    LATIN_LOWER = 10
    LATIN_UPPER = 11
    ACCENTED_LOWER = 12
    ACCENTED_UPPER = 13
    CYRILLIC_LOWER = 14
    CYRILLIC_UPPER = 15
    GREEK_LOWER = 16
    GREEK_UPPER = 17
    KANA = 18
    HAN = 19
    HANGUL = 20
    LETTER = 21


# Bits that it takes to say how common a character is: common, of the standard's first level, of its
# second, only in other standards, in none. The first two share most of all text, and each further
# step is as rare as a misspelling.
_LEVEL_BITS = np.array([0.5, 2.0, 8.0, 14.0, 20.0])
_COMMON_LEVEL, _FIRST, _SECOND, _FOREIGN, _UNLISTED = range(5)

_LATIN = (Kind.ACCENTED_LOWER, Kind.ACCENTED_UPPER)
_CYRILLIC = (Kind.CYRILLIC_LOWER, Kind.CYRILLIC_UPPER)
_GREEK = (Kind.GREEK_LOWER, Kind.GREEK_UPPER)
_SIGNS = (Kind.PUNCTUATION, Kind.LINK, Kind.WIDE_SIGN, Kind.SYMBOL)
_EVERYBODYS = (
    *(Kind.SPACE, Kind.DIGIT, Kind.ASCII_SIGN, Kind.LATIN_LOWER, Kind.LATIN_UPPER),
    *(Kind.EMOJI, Kind.JOINER, Kind.JUNK),
)
_LINKS = "‘’…–—‐‑"  # signs that stand between two letters without a space
_TONES = "\u0300\u0301\u0303\u0309\u0323"  # Vietnamese tone marks: cp1258 writes them as letters


class _Standard(NamedTuple):
    """A national standard of Chinese characters, kana or Hangul.

    Attributes:
        codec: Python's name for it.
        kinds: the kinds that its levels rank.
        first_level: the lead bytes, from and to, of its frequent characters.
    """

    codec: str
    kinds: tuple[Kind, ...]
    first_level: tuple[int, int]


class _Language(NamedTuple):
    """A language that is written in letters.

    Attributes:
        page: the code page, as Python calls it, that holds its signs.
        shares: how common each letter is among its letters that are not ASCII, from 0 to 1.
    """

    page: str
    shares: dict[str, float]


_STANDARDS = (
    _Standard("gb2312", (Kind.HAN,), (0xB0, 0xD7)),
    _Standard("big5", (Kind.HAN,), (0xA4, 0xC6)),
    _Standard("euc_jp", (Kind.KANA, Kind.HAN), (0xA4, 0xCF)),
    _Standard("euc_kr", (Kind.HANGUL,), (0xB0, 0xC8)),
)
_ALL_LEADS = (0xA1, 0xFE)
_PLANES = 0x20000  # code points looked at; beyond lie rare ideographs and nothing else
# What Unicode's own list of characters gives as ranges, from and up to: all of one kind.
_RANGES = (
    (0x3400, 0x4DC0, Kind.HAN),
    (0x4E00, 0xA000, Kind.HAN),
    (0xAC00, 0xD7A4, Kind.HANGUL),
    (0xD800, 0xF900, Kind.JUNK),  # surrogates and private use
    (0x17000, 0x187F8, Kind.LETTER),  # Tangut
)


class Characters(NamedTuple):
    """The kind of every code point, and what it costs to choose it among its kind.

    Characters that all languages rank alike are one *sort*. A *column* is a language or a standard.

    Attributes:
        sort: by code point. (0x110000,)
        kind: by sort. (sorts,)
        choice: bits to choose one character of a sort, by column. (sorts, columns)
        prior: how probable each column is before a text is seen. (columns,)
    """

    sort: npt.NDArray[np.uint16]
    kind: npt.NDArray[np.uint8]
    choice: npt.NDArray[np.float32]
    prior: npt.NDArray[np.float64]


def characters() -> Characters:
    """Rank all of Unicode in every language and standard; takes a tenth of a second."""
    common, rare, languages = _table()
    kinds = _kinds()
    pages = list(dict.fromkeys(language.page for language in languages))
    levels = _levels(kinds, pages, common, rare)
    ranks = len(_LEVEL_BITS)
    key = kinds.astype(np.int64)
    for row in levels:
        key = key * ranks + row
    listed = sorted({ord(letter) for language in languages for letter in language.shares})
    key[listed] = -1 - np.arange(len(listed))  # each listed letter is a sort of its own
    _, first, sort = np.unique(key, return_index=True, return_inverse=True)
    cells = kinds.astype(np.int64) * ranks + levels  # (standards and pages, code points)
    sizes = np.stack([np.bincount(row, minlength=len(Kind) * ranks) for row in cells])
    size = np.take_along_axis(sizes, cells[:, first], axis=1)
    ranked = np.log2(size) + _LEVEL_BITS[levels[:, first]]  # (standards and pages, sorts)
    columns = [*ranked[: len(_STANDARDS)]]
    for language in languages:
        column = ranked[len(_STANDARDS) + pages.index(language.page)].copy()
        for letter, share in language.shares.items():
            column[sort[ord(letter)]] = -np.log2(share)
        columns.append(column)
    everywhere = np.full(0x110000, sort[0xE000], np.uint16)  # private use: junk
    everywhere[:_PLANES] = sort
    everywhere[0x20000:0x32400] = sort[0x3400]
    everywhere[0xE0000:0xE01F0] = sort[0x200D]
    choice = np.stack(columns, axis=1).astype(np.float32)
    return Characters(everywhere, kinds[first], choice, _prior(languages))


def _table() -> tuple[str, str, list[_Language]]:
    """Read the common characters, the rare signs and the languages' letters."""
    common, rare, languages = "", "", []
    for line in files(__package__).joinpath("characters.txt").read_text("utf-8").splitlines():
        match line.split():
            case ["common", _, listed]:
                common += listed
            case ["rare", _, listed]:
                rare += listed
            case ["letters", _, page, *shares]:
                letters = {share[0]: int(share[1:]) / 1000 for share in shares}
                # A capital sigma is as common as the small one, not as its final form.
                rising = sorted(letters, key=letters.__getitem__)
                capitals = {letter.upper(): letters[letter] for letter in rising}
                capitals = {k: v for k, v in capitals.items() if len(k) == 1 and not k.isascii()}
                languages.append(_Language(page, capitals | letters))
    return common, rare, languages


def _prior(languages: Sequence[_Language]) -> npt.NDArray[np.float64]:
    """Give each script a share by how many standards and languages write it, as a square root."""
    scripts = [standard.codec for standard in _STANDARDS] + [
        unicodedata.name(next(iter(language.shares))).partition(" ")[0] for language in languages
    ]
    counts = {script: scripts.count(script) for script in scripts}
    weights = np.array([counts[script] ** -0.5 for script in scripts])
    return np.asarray(weights / weights.sum())


def _kinds() -> npt.NDArray[np.uint8]:
    """Return the kind of each code point."""
    kinds = np.full(_PLANES, Kind.JUNK, np.uint8)
    in_ranges = np.zeros(_PLANES, bool)
    for start, end, kind in _RANGES:
        kinds[start:end] = kind
        in_ranges[start:end] = True
    for point in np.flatnonzero(~in_ranges).tolist():
        char = chr(point)
        if (category := unicodedata.category(char)) != "Cn":  # unassigned: junk
            kinds[point] = _kind(char, category)
    return kinds


def _levels(
    kinds: npt.NDArray[np.uint8], pages: Sequence[str], common: str, rare: str
) -> npt.NDArray[np.uint8]:
    """Rank the code points in every standard and page: an array (standards and pages, points)."""
    is_common, is_rare = (_mask(np.array([ord(char) for char in some])) for some in (common, rare))
    whole = np.stack(
        [_mask(_repertoire(standard.codec, _ALL_LEADS)) for standard in _STANDARDS]
        + [_mask(_repertoire(page, None)) for page in pages]
    )
    levels = np.where(whole.any(axis=0), _FOREIGN, np.full_like(whole, _UNLISTED, np.uint8))
    levels[whole] = _SECOND
    levels[whole & _of_kinds(kinds, _SIGNS)] = _FIRST
    for level, standard in zip(levels, _STANDARDS, strict=False):
        first = _mask(_repertoire(standard.codec, standard.first_level))
        level[_of_kinds(kinds, standard.kinds) & first] = _FIRST
    levels[:, _of_kinds(kinds, _EVERYBODYS)] = _FIRST
    levels[(levels == _FIRST) & is_common] = _COMMON_LEVEL
    levels[(levels == _FIRST) & is_rare] = _SECOND
    return levels


def _of_kinds(kinds: npt.NDArray[np.uint8], some: Sequence[Kind]) -> npt.NDArray[np.bool_]:
    among = np.zeros(len(Kind), bool)
    among[list(some)] = True
    return among[kinds]


def _mask(points: npt.NDArray[np.integer]) -> npt.NDArray[np.bool_]:
    mask = np.zeros(_PLANES, bool)
    mask[points] = True
    return mask


def _repertoire(codec: str, leads: tuple[int, int] | None) -> npt.NDArray[np.uint32]:
    """Return the code points of a codec, all of one byte or those with lead bytes in a range."""
    if leads is None:
        cells = np.arange(0x80, 0x100)[:, None]
    else:
        trails = np.r_[0x40:0x7F, 0xA1:0xFF]
        grid = np.meshgrid(np.arange(leads[0], leads[1] + 1), trails, indexing="ij")
        cells = np.stack(grid, axis=-1).reshape(-1, 2)
    # A line feed is no character's second byte: between them a missing one harms no other.
    lines = np.pad(cells, ((0, 0), (0, 1)), constant_values=0x0A).astype(np.uint8).tobytes()
    points = np.frombuffer(lines.decode(codec, "ignore").encode("utf-32-le"), "<u4")
    return points[points >= 0x80]  # noqa: PLR2004 - ASCII's end


def _kind(char: str, category: str) -> Kind:
    if char.isascii():
        return _ascii_kind(char, category)
    if category[0] == "C":
        return Kind.JOINER if category == "Cf" and char >= "\u2000" else Kind.JUNK
    if category[0] in "LM":
        return (
            Kind.ACCENTED_LOWER
            if char in _TONES
            else _letter_kind(unicodedata.name(char, ""), category)
        )
    if char >= "\U0001f000" or "\u2600" <= char <= "\u27bf":  # the two blocks of older emoji
        return Kind.EMOJI
    return _sign_kind(char, category)


def _sign_kind(char: str, category: str) -> Kind:
    if unicodedata.east_asian_width(char) in "WFH":
        return Kind.WIDE_SIGN
    if char in _LINKS:
        return Kind.LINK
    return Kind.PUNCTUATION if category[0] in "PZ" else Kind.SYMBOL


def _ascii_kind(char: str, category: str) -> Kind:
    if char in " \t\n\r\f\v":
        return Kind.SPACE
    kinds = {"C": Kind.JUNK, "N": Kind.DIGIT, "Ll": Kind.LATIN_LOWER, "Lu": Kind.LATIN_UPPER}
    return kinds.get(category, kinds.get(category[0], Kind.ASCII_SIGN))


_CASED = {"LATIN": _LATIN, "CYRILLIC": _CYRILLIC, "GREEK": _GREEK}
_UNCASED = {
    "CJK": Kind.HAN, "HANGUL": Kind.HANGUL, "HIRAGANA": Kind.KANA, "KATAKANA": Kind.KANA,
    "FULLWIDTH": Kind.WIDE_SIGN, "HALFWIDTH": Kind.WIDE_SIGN,
    "COMBINING": Kind.JOINER, "VARIATION": Kind.JOINER,
    "FEMININE": Kind.SYMBOL, "MASCULINE": Kind.SYMBOL, "MICRO": Kind.SYMBOL,
    "MODIFIER": Kind.SYMBOL,
}  # fmt: skip


def _letter_kind(name: str, category: str) -> Kind:
    script = name.replace("-", " ").partition(" ")[0]
    if script in _CASED:
        return _CASED[script][category in ("Lu", "Lt")]
    return _UNCASED.get(script, Kind.LETTER)

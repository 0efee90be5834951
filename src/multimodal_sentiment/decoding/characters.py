"""What characters there are to choose from: their kinds, and how common each is where.

Kinds come from Unicode's categories and names. How common a character is comes from the national
standards, which rank their own repertoire (GB 2312, Big5 and JIS X 0208 put the frequent characters
before the rare, KS X 1001 its script before Chinese characters), read out of Python's codecs, and
from one short list of the commonest.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from enum import IntEnum
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
    LATIN_LOWER = 9
    LATIN_UPPER = 10
    ACCENTED_LOWER = 11
    ACCENTED_UPPER = 12
    CYRILLIC_LOWER = 13
    CYRILLIC_UPPER = 14
    GREEK_LOWER = 15
    GREEK_UPPER = 16
    KANA = 17
    HAN = 18
    HANGUL = 19
    LETTER = 20


# What makes up half and more of running text: signs, then the commonest letters of each script.
_COMMON = (
    "…“”‘’–—«»„•¿¡°€£©®™·♥★、。，！？：；（）「」『』《》～・❤☺☀😂😭😍😊🙏😘🔥👍😁💕😉😅🎉😢🤣"
    "éáàèíóúöüäñçãêßâõоеаинтсрвлієїґαειοντσηςυ"
    "のにをはがでとしたてかもなっれいるうりんだすらまこさあきくせよけーンスイトルリラッアクドシタロマカ"
    "的一是不了在人有我他这個个這們们中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于着著下自之"
    "年过過发發后後作里裡用道行所然家事成方多么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣"
    "谢謝理心她本前开開但因只从從想实實日军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將"
    "两兩高间間由问問很最重并並物手应應战戰向头頭文体體政美相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信"
    "表化老给給世位次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論处處走义義各入几幾口认認条條平系气氣题題"
    "活尔爾更别別打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接必场場件计計管期市直德资資命山金指克"
    "许許统統区區保至队隊形社便空决決私今言気食楽高"
    "이다는을의에가고하지은를로기도한사리서어자나시아인대해그정으라있들일수부제상게보적여스과구전장만원주연것성소조안동유공요면우용"
    "위비관선었내모할년마무국문니까습거오진방생없말했데네러와르더미중신세개치크런등실계학음회저려경당물때몰번두별직남본청양천명달심강"
    "외북산피현축복출발종민호배화건따단금통트프습좋싶좀죠"
)
# Bits that it takes to say how common a character is: common, of the standard's first level, of its
# second, only in other standards, in none. The first two share most of all text, and each further
# step is as rare as a misspelling.
_LEVEL_BITS = np.array([0.5, 2.0, 8.0, 14.0, 20.0])
_COMMON_LEVEL, _FIRST, _SECOND, _FOREIGN, _UNLISTED = range(5)

_LATIN = (Kind.ACCENTED_LOWER, Kind.ACCENTED_UPPER)
_CYRILLIC = (Kind.CYRILLIC_LOWER, Kind.CYRILLIC_UPPER)
_GREEK = (Kind.GREEK_LOWER, Kind.GREEK_UPPER)
_SIGNS = (Kind.PUNCTUATION, Kind.WIDE_SIGN, Kind.SYMBOL)
_EVERYBODYS = (
    *(Kind.SPACE, Kind.DIGIT, Kind.ASCII_SIGN, Kind.LATIN_LOWER, Kind.LATIN_UPPER),
    *(Kind.EMOJI, Kind.JOINER, Kind.JUNK),
)


class _Standard(NamedTuple):
    """A national standard, and the kinds that it was made for.

    Attributes:
        codec: Python's name for it.
        kinds: those that its levels rank.
        first_level: the lead bytes, from and to, of its frequent characters; None if characters are
            one byte each, and of one level.
    """

    codec: str
    kinds: tuple[Kind, ...]
    first_level: tuple[int, int] | None = None


_STANDARDS = (
    *(_Standard(codec, _LATIN) for codec in ("cp1250", "cp1252", "cp1254", "cp1257", "cp1258")),
    *(_Standard(codec, _CYRILLIC) for codec in ("koi8_r", "koi8_u", "cp1251")),
    _Standard("cp1253", _GREEK),
    *(_Standard(codec, (Kind.LETTER,)) for codec in ("cp874", "cp1255", "cp1256")),
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
    """Every code point's kind, and what choosing it among its kind costs.

    Characters that all standards rank alike are one *sort*.

    Attributes:
        sort: by code point. (0x110000,)
        kind: by sort. (sorts,)
        choice: bits to choose one character of a sort, by standard. (sorts, standards)
    """

    sort: npt.NDArray[np.uint16]
    kind: npt.NDArray[np.uint8]
    choice: npt.NDArray[np.float32]


def characters() -> Characters:
    """Rank all of Unicode in every standard; a tenth of a second."""
    kinds = _kinds()
    levels = _levels(kinds)
    ranks = len(_LEVEL_BITS)
    key = kinds.astype(np.int64)
    for row in levels:
        key = key * ranks + row
    _, first, sort = np.unique(key, return_index=True, return_inverse=True)
    cells = kinds.astype(np.int64) * ranks + levels  # (standards, code points)
    sizes = np.stack([np.bincount(row, minlength=len(Kind) * ranks) for row in cells])
    size = np.take_along_axis(sizes, cells[:, first], axis=1)
    choice = np.log2(size) + _LEVEL_BITS[levels[:, first]]
    everywhere = np.full(0x110000, sort[0xE000], np.uint16)  # private use: junk
    everywhere[:_PLANES] = sort
    everywhere[0x20000:0x32400] = sort[0x3400]
    everywhere[0xE0000:0xE01F0] = sort[0x200D]
    return Characters(everywhere, kinds[first], choice.T.astype(np.float32))


def _kinds() -> npt.NDArray[np.uint8]:
    """The kind of each code point."""
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


def _levels(kinds: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Rank the code points in every standard: an array (standards, code points)."""
    common = _mask(np.array([ord(char) for char in _COMMON + _COMMON.upper()]))
    whole = np.stack(
        [_mask(_repertoire(s.codec, s.first_level and _ALL_LEADS)) for s in _STANDARDS]
    )
    levels = np.where(whole.any(axis=0), _FOREIGN, np.full_like(whole, _UNLISTED, np.uint8))
    levels[whole] = _SECOND
    is_sign = _of_kinds(kinds, _SIGNS)
    for level, standard, own in zip(levels, _STANDARDS, whole, strict=True):
        first = _mask(_repertoire(standard.codec, standard.first_level))
        level[_of_kinds(kinds, standard.kinds) & first | is_sign & own] = _FIRST
    levels[:, _of_kinds(kinds, _EVERYBODYS)] = _FIRST
    levels[(levels == _FIRST) & common] = _COMMON_LEVEL
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
    """The code points of a codec, all of one byte or those with lead bytes from one to another."""
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
        return _letter_kind(unicodedata.name(char, ""), category)
    if char >= "\U0001f000" or "\u2600" <= char <= "\u27bf":  # the two blocks of older emoji
        return Kind.EMOJI
    if unicodedata.east_asian_width(char) in "WFH":
        return Kind.WIDE_SIGN
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

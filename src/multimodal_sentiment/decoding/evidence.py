"""What speaks for each encoding: the structure of a post's bytes, and the text they would be."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from .scoring import text_bits

# Tried on every source.
DEFAULT_CANDIDATES = (
    "utf-8", "gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "cp1252", "cp1251", "koi8-u",
)  # fmt: skip
# Tried on a source whose posts none of those explains: what else people wrote, commonest first.
FURTHER_CANDIDATES = (
    "cp1250", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874", "koi8-r",
    "iso8859-2", "iso8859-3", "iso8859-4", "iso8859-5", "iso8859-6", "iso8859-7", "iso8859-8",
    "iso8859-9", "iso8859-10", "iso8859-13", "iso8859-14", "iso8859-15", "iso8859-16", "johab",
    "cp866", "cp850", "cp852", "cp437", "cp737", "cp775", "cp855", "cp857", "cp860", "cp861",
    "cp862", "cp863", "cp865", "cp869", "cp720", "cp1125", "mac-roman", "mac-latin2",
    "mac-cyrillic", "mac-greek", "mac-turkish", "mac-iceland", "koi8-t", "kz1048", "ptcp154",
    "euc_jis_2004",
)  # fmt: skip

CESU = "cesu-8"  # no codec of Python's: see `decoded`
JUDGED_BYTES = 4096  # of each post, from just before its first byte that is not ASCII
_TEXTS_AT_ONCE = 2000  # decoded and weighed
_CONTEXT = 8  # ASCII bytes judged on either side of the others
_DAMAGE_BITS = 16.0  # for a post to be damaged at all, beyond spelling out the bytes concerned
_HALF_BITS = 8.0  # for half a surrogate pair: programs that cut texts leave such behind

_ASCII = bytes(range(128))
_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's, so it comes first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Bytes that mean nothing in a text, and the encodings in which they mean something. An ASCII text's
# control characters are just that; beside other bytes they are what Chinese in UTF-16 is full of.
_SIGNS = (
    (re.compile(rb"\0"), ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")),
    (re.compile(rb"\x1b[$(]"), ("iso2022_jp_ext", "iso2022_kr")),
    (re.compile(rb"~\{([!-w][!-~])+~\}"), ("hz",)),
)
_ANY_SIGN = re.compile(
    rb"[\0-\x08\x0e-\x1f~]"
)  # one of these is in each; searched ten times as fast
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
# Characters beyond U+FFFF as two surrogates of three bytes each; one of the two; Java's NUL.
_PAIR = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")
_CESU_SIGN = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]|\xc0\x80")
_SURROGATES = re.compile("[\ud800-\udbff][\udc00-\udfff]|[\ud800-\udfff]")
_STRUCTURAL = ("ascii", CESU, *(name for _, names in _SIGNS for name in names))


def judged_encodings(candidates: Sequence[str]) -> tuple[str, ...]:
    """Check the candidates and put behind them the encodings that structure gives away.

    Raises:
        ValueError: a candidate is unknown, or no encoding that extends ASCII.
    """
    if not candidates:
        raise ValueError(f"no candidate encodings: give some of {', '.join(DEFAULT_CANDIDATES)}")
    for candidate in candidates:
        if not extends_ascii(candidate):
            raise ValueError(
                f"candidate encoding {candidate!r} is unknown or does not extend ASCII: "
                f"choose one such as {', '.join(DEFAULT_CANDIDATES)}"
            )
    # A mark is a matter of structure: without one, utf-8-sig is utf-8.
    names = (python_name(candidate).removesuffix("-sig") for candidate in candidates)
    return tuple(dict.fromkeys((*names, *_STRUCTURAL)))


def python_name(encoding: str) -> str:
    """Return Python's own name of an encoding; `cesu-8` is the one that Python has not."""
    return encoding if encoding == CESU else codecs.lookup(encoding).name


def structural_encoding(payload: bytes) -> str:
    """Name the encoding that the bytes' structure proves; nothing if it proves none."""
    if payload.isascii():
        return "" if _ANY_SIGN.search(payload) and _signalled(payload) else "ascii"
    if b"\xed" in payload and _PAIR.search(payload) and _surrogates_decoded(payload) is not None:
        return CESU
    return next((name for mark, name in _MARKS if payload.startswith(mark)), "")


def decoded(payload: bytes, encoding: str) -> str | None:
    """Decode strictly, or not at all.

    CESU-8 is UTF-8 but for the characters beyond U+FFFF, each written as the two surrogates of
    UTF-16 (Unicode Technical Report 26): Oracle and Java export it. Java's "modified UTF-8" also
    writes NUL in two bytes.
    """
    if encoding == CESU:
        text = _surrogates_decoded(payload)
        return None if text is None or _SURROGATES.search(text) else text
    try:
        return payload.decode(encoding)
    except (UnicodeDecodeError, LookupError):  # LookupError: chardet knows more than Python
        return None


def spelled_out(payload: bytes, encoding: str) -> str:
    """Decode what can be decoded, and write the other bytes (or lone surrogates) as escapes."""
    if encoding != CESU:
        return payload.decode(encoding, "backslashreplace")
    text = _surrogates_decoded(payload)
    if text is None:
        return payload.decode("utf-8", "backslashreplace")
    return _SURROGATES.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


class Evidence:
    """What each of some posts takes as text in each encoding; worked out when first asked for."""

    def __init__(self, payloads: Sequence[bytes]) -> None:
        self.payloads = payloads
        self._columns: dict[str, npt.NDArray[np.float64]] = {}

    @cached_property
    def signs(self) -> list[tuple[str, ...]]:
        """The encodings that each post's bytes give away."""
        return [tuple(_signalled(payload)) for payload in self.payloads]

    @cached_property
    def windows(self) -> list[bytes]:
        """The part of each post that encodings can differ about: all read ASCII ends alike."""
        return [
            payload[:JUDGED_BYTES] if found else _told_part(payload)
            for payload, found in zip(self.payloads, self.signs, strict=True)
        ]

    def bits(self, names: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return how plausible each post is as text in each encoding.

        Args:
            names: the encodings, as `judged_encodings` names them.

        Returns:
            Bits, the fewer the better; infinite where an encoding is out of the question or decodes
            the post with more than one damaged place. (posts, encodings)
        """
        missing = [name for name in names if name not in self._columns]
        # Several encodings at once: of a small source, calls would take longer than texts.
        step = max(1, _TEXTS_AT_ONCE // max(1, len(self.payloads)))
        for start in range(0, len(missing), step):
            some = missing[start : start + step]
            self._columns.update(zip(some, self._weighed(some).T, strict=True))
        return np.stack([self._columns[name] for name in names], axis=1)

    def some(self, rows: npt.NDArray[np.intp]) -> Evidence:
        """Return the evidence of some of the posts."""
        part = Evidence([self.payloads[row] for row in rows])
        part._columns = {name: column[rows] for name, column in self._columns.items()}
        part.signs = [self.signs[row] for row in rows]
        part.windows = [self.windows[row] for row in rows]
        return part

    def _weighed(self, names: Sequence[str]) -> npt.NDArray[np.float64]:
        """Weigh each post as text in each encoding: bits of shape (posts, encodings)."""
        rows: list[int] = []
        columns: list[int] = []
        texts: list[str] = []
        damages: list[float] = []
        plain = [row for row, payload in enumerate(self.payloads) if payload.isascii()]
        others = [row for row, payload in enumerate(self.payloads) if not payload.isascii()]
        signalled = [row for row, found in enumerate(self.signs) if found]
        for column, name in enumerate(names):
            contest = others
            if name in _STRUCTURAL:
                contest = plain if name == "ascii" else []
                contest = contest + [row for row in signalled if name in self.signs[row]]
            for row, text, damage in _window_texts(self.windows, contest, name):
                rows.append(row)
                columns.append(column)
                texts.append(text)
                damages.append(damage)
        bits = np.full((len(self.payloads), len(names)), np.inf)
        bits[rows, columns] = text_bits(texts) + np.array(damages)
        return bits


def _window_texts(
    windows: Sequence[bytes], contest: Sequence[int], encoding: str
) -> Iterator[tuple[int, str, float]]:
    """Yield the windows that an encoding reads: row, text, and what their damage costs."""
    for row in contest:
        damage = 0.0
        try:
            text = windows[row].decode(encoding)
        except UnicodeDecodeError as error:
            text, damage = _damaged_text(windows[row], encoding, error)
        except LookupError:
            text, damage = _halved_text(windows[row])
        if damage < np.inf:
            yield row, text, damage


def _told_part(payload: bytes) -> bytes:
    start = max(0, len(payload) - len(payload.lstrip(_ASCII)) - _CONTEXT)
    end = min(len(payload.rstrip(_ASCII)) + _CONTEXT, start + JUDGED_BYTES)
    return payload[start:end]


def _damaged_text(window: bytes, encoding: str, error: UnicodeDecodeError) -> tuple[str, float]:
    """Spell out the one place that does not decode, and tell what that costs.

    A post cut within its last character is such a case.
    """
    rest = decoded(window[error.end :], encoding)
    if rest is None:
        return "", np.inf
    spelled = window[error.start : error.end].decode("ascii", "backslashreplace")
    return window[: error.start].decode(encoding) + spelled + rest, _DAMAGE_BITS


def _halved_text(window: bytes) -> tuple[str, float]:
    """Decode CESU-8 without lone surrogates and NULs, and tell what these cost."""
    text = _surrogates_decoded(window)
    if text is None:
        return "", np.inf
    text, halves = _SURROGATES.subn("", text.replace("\0", ""))
    return text, _HALF_BITS * max(1, halves)


def _surrogates_decoded(payload: bytes) -> str | None:
    """Decode CESU-8 but for lone surrogates, which stay; nothing if there are other faults."""
    payload = payload.removeprefix(codecs.BOM_UTF8)
    try:
        text = payload.replace(b"\xc0\x80", b"\0").decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


def _signalled(payload: bytes) -> list[str]:
    """Name the encodings that a post's bytes give away."""
    is_ascii = payload.isascii()
    found = [] if is_ascii or not _CESU_SIGN.search(payload) else [CESU]
    if not _ANY_SIGN.search(payload):
        return found
    # ASCII and NULs behind it are the string of a C program.
    body = payload.rstrip(b"\0") if is_ascii else payload
    found += [name for sign, names in _SIGNS if sign.search(body) for name in names]
    if not is_ascii and "utf-16-le" not in found and _CONTROL.search(body):
        found += ["utf-16-le", "utf-16-be"]
    return found


def extends_ascii(name: str) -> bool:
    """Tell whether an encoding is known, and reads ASCII as ASCII."""
    try:
        return _ASCII.decode(name) == _ASCII.decode("ascii")
    except (LookupError, ValueError):  # ValueError: a codec of something else than text
        return False

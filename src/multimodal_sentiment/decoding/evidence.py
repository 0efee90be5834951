"""What speaks for each encoding: the structure of a post's bytes, and the text they would be."""

from __future__ import annotations

import codecs
import difflib
import encodings
import pkgutil
import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .plausibility import text_bits

# What posts come in. A rarer one that looks like these would cost more than it brings.
DEFAULT_CANDIDATES = (
    "utf-8", "gb18030", "big5hkscs", "cp932", "euc_jp", "cp949", "cp1252", "cp1251", "koi8-u",
)  # fmt: skip

JUDGED_BYTES = 4096  # of each post, from just before its first byte that is not ASCII
_CONTEXT = 8  # ASCII bytes judged on either side of the others
_DAMAGE_BITS = 16.0  # for a post to be damaged at all, beyond spelling out the bytes concerned

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
_CONTROL = re.compile(rb"[\x01-\x08\x0e-\x1a\x1c-\x1f]")
_ANY_SIGN = re.compile(rb"[\0-\x08\x0e-\x1f]|~\{")
_STRUCTURAL = ("ascii", *(name for _, names in _SIGNS for name in names))


def judged_encodings(candidates: Sequence[str]) -> tuple[str, ...]:
    """Check the candidates and put behind them the encodings that structure gives away.

    Raises:
        ValueError: a candidate is unknown, or no encoding that extends ASCII.
    """
    if not candidates:
        raise ValueError(f"no candidate encodings: give some of {', '.join(DEFAULT_CANDIDATES)}")
    for candidate in candidates:
        if not _extends_ascii(candidate):
            known = [m.name for m in pkgutil.iter_modules(encodings.__path__)]
            near = difflib.get_close_matches(candidate.lower(), filter(_extends_ascii, known))
            raise ValueError(
                f"candidate encoding {candidate!r} is unknown or does not extend ASCII: "
                f"choose one such as {', '.join(near or DEFAULT_CANDIDATES)}"
            )
    # A mark is a matter of structure: without one, utf-8-sig is utf-8.
    names = (codecs.lookup(candidate).name.removesuffix("-sig") for candidate in candidates)
    return tuple(dict.fromkeys((*names, *_STRUCTURAL)))


def structural_encoding(payload: bytes) -> str:
    """Name the encoding that the bytes' structure proves; nothing if it proves none."""
    if payload.isascii():
        return "" if _signalled(payload) else "ascii"
    return next((name for mark, name in _MARKS if payload.startswith(mark)), "")


def decoded(payload: bytes, encoding: str) -> str | None:
    """Decode strictly, or not at all."""
    try:
        return payload.decode(encoding)
    except (UnicodeDecodeError, LookupError):  # LookupError: chardet knows more than Python
        return None


def judged_part(payload: bytes) -> bytes:
    """Cut out what the candidates can differ about: they all read ASCII ends alike."""
    if _signalled(payload):
        return payload[:JUDGED_BYTES]
    start = max(0, len(payload) - len(payload.lstrip(_ASCII)) - _CONTEXT)
    end = min(len(payload.rstrip(_ASCII)) + _CONTEXT, start + JUDGED_BYTES)
    return payload[start:end]


def reading_bits(payloads: Sequence[bytes], names: Sequence[str]) -> npt.NDArray[np.float64]:
    """Tell how plausible each post is as text in each encoding.

    Args:
        payloads: posts whose encoding is not proved by structure.
        names: the encodings, from `judged_encodings`.

    Returns:
        Bits, the fewer the better; infinite where an encoding is out of the question or decodes
        the post with more than one damaged place. (posts, encodings)
    """
    bits = np.full((len(payloads), len(names)), np.inf)
    windows = [judged_part(payload) for payload in payloads]
    contests: dict[str, list[int]] = {name: [] for name in names}
    candidates = [name for name in names if name not in _STRUCTURAL]
    for row, payload in enumerate(payloads):
        for name in ["ascii"] if payload.isascii() else candidates:
            contests[name].append(row)
        for name in _signalled(payload):
            contests[name].append(row)
    for column, name in enumerate(names):
        rows, texts, damages = [], [], []
        for row in contests[name]:
            text, damage = _window_text(windows[row], name)
            if damage < np.inf:
                rows.append(row)
                texts.append(text)
                damages.append(damage)
        bits[rows, column] = text_bits(texts) + np.array(damages)
    return bits


def _window_text(window: bytes, encoding: str) -> tuple[str, float]:
    """Decode, with one damaged place spelled out at most; and tell what the damage costs.

    A post cut within its last character is such a case.
    """
    try:
        return window.decode(encoding), 0.0
    except UnicodeDecodeError as error:
        rest = decoded(window[error.end :], encoding)
        if rest is None:
            return "", np.inf
        spelled = window[error.start : error.end].decode("ascii", "backslashreplace")
        return window[: error.start].decode(encoding) + spelled + rest, _DAMAGE_BITS


def _signalled(payload: bytes) -> list[str]:
    """Name the encodings that a post's bytes give away."""
    if not _ANY_SIGN.search(payload):
        return []
    is_ascii = payload.isascii()
    # ASCII and NULs behind it are the string of a C program.
    body = payload.rstrip(b"\0") if is_ascii else payload
    found = [name for sign, names in _SIGNS if sign.search(body) for name in names]
    if not is_ascii and "utf-16-le" not in found and _CONTROL.search(body):
        found += ["utf-16-le", "utf-16-be"]
    return found


def _extends_ascii(name: str) -> bool:
    try:
        return _ASCII.decode(name) == _ASCII.decode("ascii")
    except (LookupError, ValueError):  # ValueError: a codec of something else than text
        return False

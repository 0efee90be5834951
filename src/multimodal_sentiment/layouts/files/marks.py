"""What the first bytes of a file tell of its encoding."""

from __future__ import annotations

import codecs

_MARKS = (  # the longer ones first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


def marked_encoding(payload: bytes) -> str | None:
    """Return the encoding that a byte order mark tells, or the NULs of UTF-16 without one."""
    marked = next((name for mark, name in _MARKS if payload.startswith(mark)), None)
    if marked is None and b"\0" in payload[:4]:
        return "utf-16-be" if payload[:1] == b"\0" else "utf-16-le"
    return marked

"""Time spans, sizes and errors in a few words, for logs and messages."""

from __future__ import annotations

_KILO = 1000


def duration(seconds: float) -> str:
    """Return a time span, as in `2.1 s`, `3 min 5 s` or `2 h 7 min`."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{seconds:.1f} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def size_in_words(count: int) -> str:
    """Return a number of bytes, as in `12 B` or `3.4 MB`."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if round(amount, 1) >= _KILO:
            amount, unit = amount / _KILO, larger
    return f"{amount:.1f} {unit}" if unit != "B" else f"{count} B"


def one_line(error: BaseException) -> str:
    """Return all that an error says, in one line; the name of its kind if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; the name of its kind if it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

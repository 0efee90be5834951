"""Time spans, sizes, shares and errors in a few words, for logs, messages and pages."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from difflib import get_close_matches

_KILO = 1000
_MOST_DIGITS = 3  # of a percentage
_WHOLE_FROM = 100  # numbers are whole


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


def counted(number: int, one: str, more: str = "") -> str:
    """Return a number with what is counted: 1 post, 2 posts.

    Args:
        number: The number.
        one: What is counted, of one.
        more: The same of more or none; with an s at the end if nothing is given.
    """
    return f"{number:,} {one if number == 1 else more or f'{one}s'}"


def rounded_percent(share: float, digits: int = 0) -> str:
    """Return a share that was measured, in whole percent, but for what is nearly none or all.

    One of 300 is 0.3%, not 0%, and 299 of 300 are 99.7%, not 100%. A probability may be nearer to
    0 or 1 than anybody wants to read.

    Args:
        share: The share.
        digits: The digits after the point, where so many are enough.
    """
    while 0 < share < 1 and float(f"{100 * share:.{digits}f}") in (0, 100):
        if digits >= _MOST_DIGITS:
            return "<0.001%" if share < 1 / 2 else ">99.999%"
        digits += 1
    return f"{share:.{digits}%}"


def floored_percent(share: float, digits: int = 0) -> str:
    """Return a probability that stands near a limit: none below looks as if it reached it.

    It has the digits that `rounded_percent` gives it, and is rounded down but for nearly 0.

    Args:
        share: The probability.
        digits: The digits after the point, where so many are enough.
    """
    rounded = rounded_percent(share, digits)
    if rounded[0] in "<>":
        return rounded
    percent = 100 * Decimal(str(float(share)))
    down = percent.quantize(Decimal(rounded.rstrip("%")), ROUND_FLOOR)
    return f"{down}%" if down else rounded


def rounded_number(value: float) -> str:
    """Return a number that was measured, in three places or whole: 0.123, 45.7, 1,024."""
    return f"{value:,.0f}" if abs(value) >= _WHOLE_FROM else f"{value:.3g}"


def exact_percent(share: float) -> str:
    """Return a share that was chosen, such as a target or a level: 0.975 is 97.5%."""
    return f"{100 * share:g}%"


def least_confidence(confidence: float) -> str:
    """Return a confidence from which on answers are trusted, to three places or more.

    It is rounded up, as nothing below it is trusted, but never to 1, which no answer may have.
    """
    exact, places = Decimal(str(confidence)), 3
    while True:
        said = exact.quantize(Decimal(1).scaleb(-places), ROUND_CEILING)
        if said < 1 or exact >= 1:
            return str(said)
        places += 1


def did_you_mean(name: str, known: Iterable[str], before: str = "") -> str:
    """Return a question for the known name that a misspelt one is most like; "" if it is like none.

    Args:
        name: The misspelt name.
        known: The names that there are.
        before: What stands before the name where it is used, as in `training.`.
    """
    near = get_close_matches(name, [*known], n=1)
    return f"did you mean {before}{near[0]}?" if near else ""


def one_line(error: BaseException) -> str:
    """Return all that an error says, in one line; the name of its kind if it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def reason(error: BaseException) -> str:
    """Return why something cannot be read, say: in the system's words, if the error holds any."""
    return getattr(error, "strerror", None) or one_line(error)


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says; the name of its kind if it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)

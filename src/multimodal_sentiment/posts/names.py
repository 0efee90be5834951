"""Names in messages: each cut where it is long, and of many the first few."""

from __future__ import annotations

from collections.abc import Callable, Iterable

_LONGEST = 40  # characters of a name
_NAMED = 3


def shown(name: str) -> str:
    """Return a name in quotes, cut where it is long."""
    return repr(name if len(name) <= _LONGEST else f"{name[:_LONGEST]}...")


def first_names(
    names: Iterable[str], show: Callable[[str], str] = shown, most: int = _NAMED
) -> str:
    """Return the first few names, and how many more there are.

    Args:
        names: The names.
        show: The function that shows one; `str` leaves it as it is.
        most: The number of those that are named.
    """
    names = list(names)
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(map(show, names[:most])) + more


def name_posts(guids: Iterable[str]) -> str:
    """Return the first few guids and how many more there are, after the word post or posts."""
    guids = list(guids)
    return f"{'post' if len(guids) == 1 else 'posts'} {first_names(guids)}"

"""What is wrong with a source of posts as a whole."""

from __future__ import annotations

from multimodal_sentiment.wording import one_line


class LayoutError(ValueError):
    """A source of posts cannot be read; the message says why, in one line."""


def reason(error: BaseException) -> str:
    """Return why something cannot be read: by the system's words, if the error holds any."""
    return getattr(error, "strerror", None) or one_line(error)

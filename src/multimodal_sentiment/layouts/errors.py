"""What is wrong with a source of posts as a whole."""

from __future__ import annotations


class LayoutError(ValueError):
    """A source of posts cannot be read; the message says why, in one line."""

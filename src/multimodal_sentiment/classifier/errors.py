"""The one error of what is used from Python."""

from __future__ import annotations


class ClassifierError(ValueError):
    """A model cannot be loaded or asked so; the message says why, in one line."""

"""The small model, and photos."""

from __future__ import annotations

from ..small_model import make_model, model, photos

__all__ = ["make_model", "model", "photos"]

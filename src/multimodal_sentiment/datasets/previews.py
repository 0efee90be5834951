"""What a dataset's `preview` returns: Kedro-Viz goes by the names of these types."""

from __future__ import annotations

from typing import Any, NewType

TablePreview = NewType("TablePreview", dict[str, Any])
JSONPreview = NewType("JSONPreview", str)
HTMLPreview = NewType("HTMLPreview", str)

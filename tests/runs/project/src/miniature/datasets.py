"""A dataset that knows when it is whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kedro_datasets.json import JSONDataset


class WholeJSONDataset(JSONDataset):
    """JSON which exists only if it can be read."""

    def save(self, data: Any) -> None:
        """Write it; as some libraries do, so that only its owner may read it."""
        super().save(data)
        Path(self._get_load_path()).chmod(0o600)

    def _exists(self) -> bool:
        path = Path(self._get_load_path())
        try:
            json.loads(path.read_text())
        except (OSError, ValueError):
            return False
        return True

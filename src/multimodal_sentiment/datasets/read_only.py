"""What an earlier run wrote, read by a run that writes it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn, TypeVar

from kedro.io import AbstractDataset, DatasetError

Loaded = TypeVar("Loaded")


class ReadOnlyDataset(AbstractDataset[NoReturn, Loaded]):
    """Base of datasets that read the versions which another dataset writes.

    A pipeline cannot both read and write one dataset; so these have names of their own. A run goes
    on without them: they always exist, and load None where there is nothing to read.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a new instance.

        Args:
            filepath: The folder of the versions.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._folder = Path(filepath)
        self.metadata = metadata

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: what is read here is saved under another name.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._folder} is only read here")

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder}

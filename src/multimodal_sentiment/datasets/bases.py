"""What datasets have in common: those at a path of this machine, and those that are only read."""

from __future__ import annotations

from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, TypeVar

from kedro.io import AbstractDataset, AbstractVersionedDataset, DatasetError, Version

Saved = TypeVar("Saved")
Loaded = TypeVar("Loaded")


class LocalVersionedDataset(AbstractVersionedDataset[Saved, Loaded]):
    """A file or folder of this machine that may have versions."""

    def __init__(
        self,
        *,
        filepath: str,
        version: Version | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Create a new instance.

        Args:
            filepath: The file or folder, or with versions the folder of their folders.
            version: The versions to load and to save.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        super().__init__(filepath=PurePosixPath(filepath), version=version)
        self.metadata = metadata

    def _exists(self) -> bool:
        return Path(self._get_load_path()).exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._filepath, "version": self._version}


class ReadOnlyDataset(AbstractDataset[NoReturn, Loaded]):
    """A dataset that no run writes under its name."""

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: it is only read.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{type(self).__name__} is only read, never written")

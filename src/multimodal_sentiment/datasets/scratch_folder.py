"""A folder for what a node needs between two tries."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError


class ScratchFolderDataset(AbstractDataset[NoReturn, Path]):
    """``ScratchFolderDataset`` hands a node a folder to keep its own intermediate state in.

    What lies there is no result and outlives the node only so that an interrupted run can go on.
    When a run that used it is complete, it is emptied.

    Example usage for the YAML API:

    ```yaml
    training_checkpoints:
      type: multimodal_sentiment.datasets.ScratchFolderDataset
      path: data/06_models/checkpoints
      to_go_on: the same command goes on from there
    ```

    Example usage for the Python API:

    >>> folder = ScratchFolderDataset(
    ...     path="data/06_models/checkpoints", to_go_on="the same command goes on from there"
    ... ).load()
    """

    def __init__(self, *, path: str, to_go_on: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a new instance of ``ScratchFolderDataset``.

        Args:
            path: The folder; it is made when it is needed.
            to_go_on: The way to go on after an interrupted run, in words.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._path = Path(path)
        self.to_go_on = to_go_on
        self.metadata = metadata

    def load(self) -> Path:
        """Return the folder, which then exists."""
        self._path.mkdir(parents=True, exist_ok=True)
        return self._path

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: nodes write into the folder themselves."""
        raise DatasetError(
            f"{self._path} is a folder for intermediate state: nothing is saved to it"
        )

    def clear(self) -> None:
        """Remove the folder and what is in it."""
        shutil.rmtree(self._path, ignore_errors=True)

    def holds_files(self) -> bool:
        """Return whether a run has left something to go on from."""
        return any(path.is_file() for path in self._path.rglob("*"))

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}

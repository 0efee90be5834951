"""A folder for what a node needs between two tries."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from .bases import ReadOnlyDataset


class ScratchFolderDataset(ReadOnlyDataset[Path]):
    """``ScratchFolderDataset`` hands a node a folder to keep its own intermediate state in.

    What lies there is no result and outlives the node only so that an interrupted run can go on.
    When a run is complete, what it has written there or used (see `mark_used`) is removed; what
    other runs have left stays for them.

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
        self._before: dict[Path, int] = {}  # what lay there when the run began

    def load(self) -> Path:
        """Return the folder, which then exists."""
        self._path.mkdir(parents=True, exist_ok=True)
        return self._path

    def note(self) -> None:
        """Note what lies there when a run begins, for `clear`."""
        self._before = self._times()

    def clear(self) -> int:
        """Remove what was written or used since `note`; all if there was none.

        Returns:
            The bytes of what other runs have left.
        """
        for path in self._used():
            with suppress(OSError):
                path.unlink()
        left = [path for path in self._path.rglob("*") if not path.is_dir()]
        for folder in sorted({*self._path.rglob("*")} - {*left}, reverse=True):
            with suppress(OSError):  # it is not empty
                folder.rmdir()
        with suppress(OSError):
            self._path.rmdir()
        return sum(path.stat().st_size for path in left)

    def holds_files(self) -> bool:
        """Return whether a run has left something to go on from."""
        return bool(self._used())

    def _used(self) -> list[Path]:
        return [path for path, time in self._times().items() if self._before.get(path) != time]

    def _times(self) -> dict[Path, int]:
        """Return when each file was last written or marked as used."""
        times = {}
        for path in self._path.rglob("*"):
            with suppress(OSError):  # another process has just removed it
                if path.is_file():
                    times[path] = path.stat().st_mtime_ns
        return times

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}

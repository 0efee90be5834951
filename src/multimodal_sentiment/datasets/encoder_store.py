"""Pretrained encoders as a dataset."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kedro.io import AbstractDataset

from multimodal_sentiment.encoders import EncoderStore


class EncoderStoreDataset(AbstractDataset[dict[str, Any], EncoderStore]):
    """``EncoderStoreDataset`` keeps pretrained encoders in a folder, each whole and verified.

    Loading gives the store, in which encoders are found by name, folder or file, and never over
    the network; those of installed packages are found there too. Saving is given names and fetches
    what is not there yet from a hub, or takes it from an installed package. It is not
    versioned, nor written aside by a run: an encoder never changes, one that has come whole is
    kept whatever happens to the run, and of one that has not, the next run fetches the rest.

    Example usage for the YAML API:

    ```yaml
    pretrained_encoders:
      type: multimodal_sentiment.datasets.EncoderStoreDataset
      path: data/06_models/pretrained_encoders
      project: {path: .}  # where relative paths of local encoders start
    ```

    Example usage for the Python API:

    >>> dataset = EncoderStoreDataset(path="encoders", project={"path": "."})
    >>> dataset.save({"names": ["bert-base-uncased"], "endpoint": None})
    >>> dataset.load().find("bert-base-uncased").path
    """

    def __init__(
        self, *, path: str, project: dict[str, str], metadata: dict[str, Any] | None = None
    ) -> None:
        """Create a new instance of ``EncoderStoreDataset``.

        Args:
            path: The folder; it is made when something is fetched.
            project: Under `path`, which Kedro makes absolute, where relative paths start.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._path = Path(path)
        self._project = Path(project["path"])
        self.metadata = metadata

    def load(self) -> EncoderStore:
        """Return the store; it may be empty."""
        return EncoderStore(self._path, self._project)

    def save(self, data: dict[str, Any]) -> None:
        """Fetch encoders that are not there yet.

        Args:
            data: Their `names`, and the `endpoint` to fetch them from, or none.

        Raises:
            EncoderError: If one cannot be had; those before it are kept.
        """
        names: Sequence[str] = data["names"]
        for name in names:
            self.load().fetch(name, data["endpoint"])

    def _exists(self) -> bool:
        return True  # a model from scratch needs no encoder; what lacks one asks the store

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}

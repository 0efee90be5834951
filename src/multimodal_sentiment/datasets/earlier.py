"""What earlier runs wrote, read by a run that writes it anew."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from kedro.io import DatasetError

from .arrow_stream import ArrowStreamDataset
from .bases import Loaded, ReadOnlyDataset
from .model_folder import find_model, load_model

if TYPE_CHECKING:
    from multimodal_sentiment.model import SentimentClassifier

logger = logging.getLogger(__name__)


class _EarlierDataset(ReadOnlyDataset[Loaded]):
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

    def _exists(self) -> bool:
        return True

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder}


class EarlierTableDataset(_EarlierDataset["pa.Table | None"]):
    """``EarlierTableDataset`` loads the newest version of a table, or None where there is none.

    It reads what an ``ArrowStreamDataset`` at the same path wrote in an earlier run. It is a cache:
    what cannot be read is passed over with a warning.

    Example usage for the YAML API:

    ```yaml
    earlier_features:
      type: multimodal_sentiment.datasets.EarlierTableDataset
      filepath: data/04_feature/features.arrow
    ```

    Example usage for the Python API:

    >>> EarlierTableDataset(filepath="nowhere.arrow").load() is None
    True
    """

    def load(self) -> pa.Table | None:
        """Map the newest version into memory."""
        files = sorted(self._folder.glob(f"*/{self._folder.name}"))
        if not files:
            return None
        try:
            table: pa.Table = ArrowStreamDataset(filepath=files[-1].as_posix()).load()
        except DatasetError as error:
            logger.warning("%s: it is not used again", error)
            return None
        return table


class FormerModelDataset(_EarlierDataset["SentimentClassifier | None"]):
    """``FormerModelDataset`` loads the model that answered before this run, or None if none did.

    In a run that trains none, it is the model that answers now.

    It reads what a ``ModelFolderDataset`` at the same path wrote in an earlier run: the promoted
    version, else the newest. One that cannot be read is passed over with a warning.

    Example usage for the YAML API:

    ```yaml
    former_model:
      type: multimodal_sentiment.datasets.FormerModelDataset
      filepath: data/06_models/fusion_model
    ```

    Example usage for the Python API:

    >>> FormerModelDataset(filepath="nowhere").load() is None
    True
    """

    def load(self) -> SentimentClassifier | None:
        """Read the model."""
        if not self._folder.is_dir():
            return None
        try:
            return load_model(*find_model(self._folder))
        except DatasetError as error:
            logger.warning("The model before this one is not compared with it: %s", error)
            return None

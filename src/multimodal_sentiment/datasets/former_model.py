"""The model that answered before, for a run that trains another."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from kedro.io import DatasetError

from .model_folder import find_model, load_model
from .read_only import ReadOnlyDataset

if TYPE_CHECKING:
    from multimodal_sentiment.model import SentimentClassifier

logger = logging.getLogger(__name__)


class FormerModelDataset(ReadOnlyDataset["SentimentClassifier | None"]):
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

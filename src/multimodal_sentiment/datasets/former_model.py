"""The model that answered before, for a run that trains another."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from .model_folder import find_model, load_model

if TYPE_CHECKING:
    from multimodal_sentiment.model import SentimentClassifier

logger = logging.getLogger(__name__)


class FormerModelDataset(AbstractDataset[NoReturn, "SentimentClassifier | None"]):
    """``FormerModelDataset`` loads the model that answered before this run, or None if none did.

    A pipeline cannot both read and write one dataset. This one reads what a ``ModelFolderDataset``
    at the same path wrote in an earlier run: the promoted version, else the newest. One that cannot
    be read is passed over with a warning.

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

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Create a new instance.

        Args:
            filepath: The folder of the model's versions.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._folder = Path(filepath)
        self.metadata = metadata

    def load(self) -> SentimentClassifier | None:
        """Read the model."""
        if not self._folder.is_dir():
            return None
        try:
            return load_model(*find_model(self._folder))
        except DatasetError as error:
            logger.warning("The model before this one is not compared with it: %s", error)
            return None

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: the model is saved under another name.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"{self._folder} is only read here")

    def _exists(self) -> bool:
        return True  # that there was no model before is no fault

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder}

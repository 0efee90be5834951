"""The table that an earlier run wrote, for a node that may use some of it again."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, NoReturn

import pyarrow as pa
from kedro.io import AbstractDataset, DatasetError

from .arrow_stream import ArrowStreamDataset

logger = logging.getLogger(__name__)


class EarlierTableDataset(AbstractDataset[NoReturn, "pa.Table | None"]):
    """``EarlierTableDataset`` loads the newest version of a table, or None where there is none.

    A pipeline cannot both read and write one dataset. This one reads what an
    ``ArrowStreamDataset`` at the same path wrote in an earlier run. It is a cache: what cannot be
    read is passed over with a warning.

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

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        """Creates a new instance of ``EarlierTableDataset``.

        Args:
            filepath: The folder of the table's versions.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._folder = Path(filepath)
        self.metadata = metadata

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

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse: the table is saved under another name."""
        raise DatasetError(f"{self._folder} is only read here")

    def _exists(self) -> bool:
        return True  # that there is no earlier table is no fault

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._folder}

"""The table that an earlier run wrote, for a node that may use some of it again."""

from __future__ import annotations

import logging

import pyarrow as pa
from kedro.io import DatasetError

from .arrow_stream import ArrowStreamDataset
from .read_only import ReadOnlyDataset

logger = logging.getLogger(__name__)


class EarlierTableDataset(ReadOnlyDataset["pa.Table | None"]):
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

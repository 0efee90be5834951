"""A table that data folders of earlier versions do not have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from kedro_datasets.pandas import CSVDataset


class OptionalCSVDataset(CSVDataset):
    """``OptionalCSVDataset`` is a ``pandas.CSVDataset`` that is empty where there is no file.

    A run need not have written it: data folders of earlier versions of this project go on being
    used, as if nothing stood in it.

    Example usage for the YAML API:

    ```yaml
    labelled.corrections:
      type: multimodal_sentiment.datasets.OptionalCSVDataset
      columns: [guid, tag]
      filepath: data/02_intermediate/labelled/corrections.csv
    ```

    Example usage for the Python API:

    >>> OptionalCSVDataset(columns=["guid", "tag"], filepath="nowhere.csv").load().empty
    True
    """

    is_optional = True

    def __init__(self, *, columns: Sequence[str], **arguments: Any) -> None:
        """Create a new instance.

        Args:
            columns: The columns of the table where there is no file.
            arguments: Those of ``pandas.CSVDataset``.
        """
        super().__init__(**arguments)
        self._columns = list(columns)

    def load(self) -> pd.DataFrame:
        """Load the table, or an empty one with its columns."""
        if not self.exists():
            return pd.DataFrame(columns=self._columns, dtype=str)
        table: pd.DataFrame = super().load()
        return table

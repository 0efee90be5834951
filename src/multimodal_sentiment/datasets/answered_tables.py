"""Copies of a user's tables with the answers, as a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kedro.io import DatasetError

from .bases import LocalVersionedDataset
from .previews import TablePreview

if TYPE_CHECKING:
    import pandas as pd

    from multimodal_sentiment.layouts import Source


class AnsweredTables(NamedTuple):
    """What is written.

    Attributes:
        source: The source of the posts, which knows its tables.
        answers: The columns that are added; the index is `guid`.
    """

    source: Source
    answers: pd.DataFrame


class AnsweredTablesDataset(LocalVersionedDataset[AnsweredTables, list[Path]]):
    """``AnsweredTablesDataset`` keeps copies of a user's tables, each in its own format.

    Example usage for the YAML API:

    ```yaml
    answered_tables:
      type: multimodal_sentiment.datasets.AnsweredTablesDataset
      filepath: data/07_model_output/answered
    ```

    Example usage for the Python API:

    >>> dataset = AnsweredTablesDataset(filepath="answered")
    >>> dataset.save(AnsweredTables(source, answers))
    >>> dataset.load()
    [PosixPath('answered/posts.csv')]
    """

    def load(self) -> list[Path]:
        """Return the paths of the tables.

        Raises:
            DatasetError: If there are none.
        """
        folder = Path(self._get_load_path())
        if not folder.is_dir():
            raise DatasetError(f"{folder} is not there")
        return sorted(folder.iterdir())

    def save(self, data: AnsweredTables) -> None:
        """Write the copies."""
        folder = Path(self._get_save_path())
        folder.mkdir(parents=True, exist_ok=True)
        data.source.write_answers(data.answers, folder)

    def preview(self) -> TablePreview:
        """Return the names and sizes of the tables, for Kedro-Viz."""
        rows = [
            [path.name, path.stat().st_size if path.is_file() else None] for path in self.load()
        ]
        index = list(range(len(rows)))
        return TablePreview({"index": index, "columns": ["table", "bytes"], "data": rows})

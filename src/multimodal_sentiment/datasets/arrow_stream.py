"""A table larger than memory as a dataset."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
from kedro.io import DatasetError

from multimodal_sentiment.arrow_parts import list_parts, read_parts, write_parts
from multimodal_sentiment.cluster import with_path
from multimodal_sentiment.files import replace_whole

from .bases import LocalVersionedDataset
from .previews import TablePreview


class ArrowStreamDataset(LocalVersionedDataset[pa.RecordBatchReader, pa.Table]):
    """``ArrowStreamDataset`` saves a stream of record batches, and loads it memory-mapped.

    It is a folder of Arrow files; see ``multimodal_sentiment.arrow_parts``. Neither way is more
    than a batch in memory at a time. What is being written bears another name and gets its own when
    it is complete; a table of which a file is missing or cut short does not count as existing. A
    single file, as earlier versions wrote it, is loaded too.

    Example usage for the YAML API:

    ```yaml
    examples:
      type: multimodal_sentiment.datasets.ArrowStreamDataset
      filepath: data/03_primary/examples.arrow
      versioned: true
    ```

    Example usage for the Python API:

    >>> dataset = ArrowStreamDataset(filepath="examples.arrow")
    >>> batches = (pa.record_batch({"number": [n]}) for n in range(3))
    >>> dataset.save(pa.RecordBatchReader.from_batches(pa.schema({"number": pa.int64()}), batches))
    >>> dataset.load()["number"].to_pylist()
    [0, 1, 2]
    """

    def load(self) -> pa.Table:
        """Map the table into memory; its metadata name the path.

        Raises:
            DatasetError: If it is missing, not complete or cannot be read.
        """
        path = Path(self._get_load_path())
        try:
            return with_path(read_parts(path), path)
        except (pa.ArrowInvalid, OSError) as error:
            code = None if isinstance(error, FileNotFoundError) else getattr(error, "errno", None)
            if code:  # Arrow's own words name the file again
                raise DatasetError(f"{path} cannot be read: {os.strerror(code)}") from error
            if not path.exists():
                raise DatasetError(f"{path} does not exist") from error
            raise DatasetError(
                f"{path} is not a complete Arrow table: remove it and run its pipeline again"
            ) from error

    def save(self, data: pa.RecordBatchReader) -> None:
        """Write the stream to its end."""
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        with replace_whole(path) as partial:
            write_parts(data, partial)

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows, without columns of bytes or vectors, for Kedro-Viz."""
        table = self.load().slice(0, nrows)
        shown = [column.name for column in table.schema if not _is_bulky(column.type)]
        rows = table.select(shown).to_pylist()
        return TablePreview(
            {
                "index": list(range(len(rows))),
                "columns": shown,
                "data": [list(row.values()) for row in rows],
            }
        )

    def _exists(self) -> bool:
        try:
            list_parts(Path(self._get_load_path()))
        except (DatasetError, pa.ArrowInvalid, OSError):
            return False
        return True


def _is_bulky(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_list(kind)
    )

"""A table larger than memory as a dataset."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from kedro.io import DatasetError

from multimodal_sentiment.files import replace_whole

from .previews import TablePreview
from .versioned import LocalVersionedDataset


class ArrowStreamDataset(LocalVersionedDataset[pa.RecordBatchReader, pa.Table]):
    """``ArrowStreamDataset`` saves a stream of record batches, and loads it memory-mapped.

    The file is in Arrow's IPC file format. Neither way is more than a batch in memory at a time.
    What is being written bears another name and gets its own when it is complete; a file that
    was cut short does not count as existing.

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
        """Map the table into memory.

        Raises:
            DatasetError: If the file is missing or not complete.
        """
        with self._reader() as reader:
            return reader.read_all()

    def save(self, data: pa.RecordBatchReader) -> None:
        """Write the stream to its end."""
        path = Path(self._get_save_path())
        path.parent.mkdir(parents=True, exist_ok=True)
        with (
            replace_whole(path) as partial,
            pa.OSFile(str(partial), "wb") as file,
            pa.ipc.new_file(file, data.schema) as sink,
        ):
            for batch in data:
                sink.write_batch(batch)

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
            with self._reader():
                return True
        except DatasetError:
            return False

    @contextmanager
    def _reader(self) -> Iterator[pa.RecordBatchFileReader]:
        path = Path(self._get_load_path())
        try:
            with pa.memory_map(str(path)) as file:
                yield pa.ipc.open_file(file)
        except FileNotFoundError as error:
            raise DatasetError(f"{path} does not exist") from error
        except (pa.ArrowInvalid, OSError) as error:
            raise DatasetError(
                f"{path} is not a complete Arrow file: remove it and run its pipeline again"
            ) from error


def _is_bulky(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_list(kind)
    )

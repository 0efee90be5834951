"""Posts in files that other processes map into memory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from .dataset import Features
from .labelled_posts import LabelledPosts

_COLUMNS = ("guid", "text", "image", "height", "width")
_ROWS = 256  # at a time, as their images may be more than fits into memory


def write_part(part: tuple[LabelledPosts, Features], labels: list[str], path: Path) -> None:
    """Write posts with their tags, groups and features; images that have features are left out."""
    posts, features = part
    examples = posts.examples.select(_COLUMNS)
    schema = examples.schema.append(pa.field("label", pa.int64()))
    schema = schema.append(pa.field("group", pa.int64()))
    for modality, values in features.items():
        kind = pa.list_(pa.float32(), values.shape[1])
        schema = schema.append(pa.field(f"{modality}_features", kind))
    truth = posts.label_indices(labels)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, schema) as sink:
        for start in range(0, len(posts), _ROWS):
            some = slice(start, start + _ROWS)
            columns: dict[str, Any] = {
                name: [examples[name][row].as_py() for row in posts.rows[some].tolist()]
                for name in _COLUMNS
            }
            if "image" in features:
                columns["image"] = [None] * len(columns["guid"])
            columns |= {"label": truth[some], "group": posts.groups[some]}
            columns |= {f"{name}_features": list(all_[some]) for name, all_ in features.items()}
            sink.write_batch(pa.record_batch(columns, schema=schema))


def read_part(path: Path, labels: list[str]) -> tuple[LabelledPosts, Features]:
    """Return what `write_part` has written, mapped into memory."""
    table = read_table(path)
    features = {}
    for modality in ("text", "image"):
        if f"{modality}_features" in table.column_names:
            column = table[f"{modality}_features"].combine_chunks()
            features[modality] = column.flatten().to_numpy().reshape(len(column), -1)
    tags = np.array(labels, dtype=object)[table["label"].to_numpy()]
    return LabelledPosts(table, np.arange(len(table)), tags, table["group"].to_numpy()), features


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table, which may be larger than memory."""
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as sink:
        for batch in table.to_reader():
            sink.write_batch(batch)


def read_table(path: Path) -> pa.Table:
    """Map a table into memory."""
    with pa.memory_map(str(path)) as file:
        return pa.ipc.open_file(file).read_all()

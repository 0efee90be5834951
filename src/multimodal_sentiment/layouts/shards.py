"""Shards: many files that are one set of posts, Parquet or tar files as WebDataset lays them out.

They are the files of a folder, or those that fit a pattern such as `posts/*.tar`; a single tar file
is a set too. Texts, ids and tags are held; of images, only those that are being read.
"""

from __future__ import annotations

from pathlib import Path

from multimodal_sentiment.files import is_pattern

from .errors import LayoutError
from .rows.table_source import TableSource
from .source import Options, Split
from .table import (
    OF_SYSTEMS,
    PARQUET,
    make_part,
    order_of,
    refuse_unclear,
    split_among,
    split_of,
    tables_in,
)
from .tables import has_rows

TAR = (".tar",)


def is_shards(path: Path) -> bool:
    """Return whether a path stands for tar files, or for several Parquet files of one set."""
    if is_pattern(path) and not path.exists():
        return True
    shards = _find(path)
    if any(shard.suffix.lower() in TAR for shard in shards):
        return not _is_of_images(shards, path)
    # Files that are named after splits are tables of their own; so is what other tables lie beside.
    splits = [split_among(shard) for shard in shards]
    are_tables = all(splits) or _are_mixed(splits)
    return len(shards) > 1 and shards == tables_in(path) and not are_tables


def open_shards(path: Path, options: Options) -> TableSource:
    """Open all shards.

    Raises:
        LayoutError: If there is none, or one cannot be read.
    """
    shards = _find(path)
    if not shards:
        raise LayoutError(f"{path} stands for no shard: these end in {', '.join(PARQUET + TAR)}")
    splits = _splits(shards)
    named = sorted(zip(shards, splits, strict=True), key=lambda each: order_of(each[1]))
    parts = [make_part(shard, options, split) for shard, split in named]
    said = "1 shard" if len(parts) == 1 else f"{len(parts):,} shards"
    return TableSource(path, parts, options, "shards", said)


def _find(path: Path) -> list[Path]:
    """Return the shards, in the order of their names."""
    if is_pattern(path) and not path.exists():
        found = sorted(path.parent.glob(path.name))
        return [
            file
            for file in found
            if file.suffix.lower() in PARQUET + TAR and not file.name.startswith(OF_SYSTEMS)
        ]
    if path.suffix.lower() in TAR and path.is_file():
        return [path]
    return tables_in(path, TAR) or tables_in(path, PARQUET)


def _splits(shards: list[Path]) -> list[Split]:
    """Return the splits that names declare, if all do; one alone counts only if it is the test.

    Raises:
        LayoutError: If some names declare posts for validation or testing, and others declare none;
            or if one may mean either of these.
    """
    splits = list(map(split_among if len(shards) > 1 else split_of, shards))
    if any(splits):
        unnamed = [shard for shard, split in zip(shards, splits, strict=True) if not split]
        refuse_unclear(unnamed, splits)
    if _are_mixed(splits):
        first = shards[splits.index("")]
        raise LayoutError(
            f"of the shards in {first.parent} some are named after splits, and {first.name} is "
            "not: name all after train, validation and test, or move away what is not to be read"
        )
    if not all(splits) or set(splits) in ({"train"}, {"validation"}):
        return [""] * len(shards)
    return splits


def _are_mixed(splits: list[Split]) -> bool:
    """Return whether some names keep posts from the training, and others say nothing."""
    return not all(splits) and bool(set(splits) - {"", "train"})


def _is_of_images(shards: list[Path], path: Path) -> bool:
    """Return whether the only tar file of a folder holds the images of a table beside it.

    A table that has the name of the tar file describes the shard, and so does any table beside
    several tar files.
    """
    if len(shards) > 1 or shards == [path]:
        return False
    tables = [table for table in tables_in(path) if table.stem != shards[0].stem]
    return any(map(has_rows, tables))

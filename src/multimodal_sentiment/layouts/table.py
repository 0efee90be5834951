"""Posts in tables: metadata beside images, shards, or one table or one for each split.

Of shards, as of every table, texts, ids and tags are held; of images, only those that are being
read.
"""

from __future__ import annotations

from pathlib import Path

from multimodal_sentiment.wording import counted

from .errors import LayoutError
from .rows.rows import Part
from .rows.table_source import TableSource
from .source import Options
from .splits import Split
from .tables import read_table
from .tables.columns import find_columns
from .which_tables import Found


def open_tables(path: Path, options: Options, found: Found) -> TableSource:
    """Open the tables that a path stands for.

    Raises:
        LayoutError: If one cannot be read.
    """
    # A link that the user names stands for the file where it lies.
    folder = path.resolve().parent if path.is_symlink() and path.is_file() else None
    parts = [make_part(table, options, split, folder) for table, split in found.tables.items()]
    said = {
        "image_folder": "images with metadata",
        "shards": counted(len(parts), "shard"),
        "table": "a table" if len(parts) == 1 else f"{len(parts)} tables",
    }
    source = TableSource(path, parts, options, found.layout, said[found.layout])
    source.remarks += found.remarks
    return source


def make_part(path: Path, options: Options, split: Split = "", folder: Path | None = None) -> Part:
    """Read a table and find its columns.

    Args:
        path: The table.
        options: How to read it.
        split: What its name declares.
        folder: Where its images lie, if not in its own folder and the user names no other.

    Raises:
        LayoutError: If it cannot be read, a column is missing, or the folder is.
    """
    table = read_table(path, options.encodings)
    given = {role: name for role, name in options.columns.items() if name is not None}
    # Lines of JSON that are none name no column.
    columns = find_columns(table.names, {**table.roles, **given}, str(path)) if table.names else {}
    own = path if path.is_dir() else path.parent
    return Part(table, columns, named_image_folder(own, options) or folder or own, split)


def named_image_folder(own: Path, options: Options) -> Path | None:
    """Return the folder that the user names: relative to the table, or else to where one is."""
    name = options.columns.get("image_folder")
    if name is None:
        return None
    for folder in (own / Path(name).expanduser(), options.here / Path(name).expanduser()):
        if folder.is_dir():
            return folder
    raise LayoutError(f"columns.image_folder: there is no folder {name}, here or beside the table")

"""Tables: one, or one for each split; saved by `datasets`; metadata beside images."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from multimodal_sentiment.posts.names import first_names

from .errors import LayoutError, reason
from .files.addresses import is_remote
from .rows.rows import Part
from .rows.table_source import SPLITS, TableSource
from .source import Options, Split
from .tables import SUFFIXES, has_rows, read_table
from .tables.arrow import INFO, STATE
from .tables.columns import find_columns

SPLIT_NAMES = "|".join(name for name, split in SPLITS.items() if split)

PARQUET = (".parquet", ".pq")
_DICTIONARY = "dataset_dict.json"  # of a folder of splits that `datasets` has saved
_METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_NO_TABLES = (STATE, INFO, _DICTIONARY, "dataset_infos.json", "decisive.jsonl")
# As in train.csv, dev_seen.jsonl and train-00000-of-00002.parquet.
_NAMED_SPLIT = re.compile(rf"({SPLIT_NAMES})(?:[-_. ].*)?", re.IGNORECASE)
_NAMED_AT_END = re.compile(rf".*[-_. ]({SPLIT_NAMES})", re.IGNORECASE)  # as in posts_train.csv
_UNCLEAR = re.compile(r"(?:.*[-_. ])?eval(?:uation)?(?:[-_. ].*)?", re.IGNORECASE)
OF_SYSTEMS = (".", "~$")  # begin files that an operating system or Excel leaves beside others
_SHOWN = 5


def is_table(path: Path) -> bool:
    """Return whether a path is a table, or a folder that holds some."""
    if not path.is_dir():
        return path.is_file()
    saved = (path / _DICTIONARY).is_file() or (path / STATE).is_file()
    return saved or bool(tables_in(path) or _in_splits(path))


def open_table(path: Path, options: Options) -> TableSource:
    """Open a table, or the tables of a folder.

    Raises:
        LayoutError: If it is not clear which tables are meant, or one cannot be read.
    """
    # A link that the user names stands for the table where it lies.
    folder = path.resolve().parent if path.is_symlink() and path.is_file() else None
    found, others = find_tables(path)
    parts = [make_part(table, options, split, folder) for table, split in found]
    said = "a table" if len(parts) == 1 else f"{len(parts)} tables"
    source = TableSource(path, parts, options, "table", said)
    source.remarks += _not_read(path, dict(found), others)
    return source


def is_image_folder(path: Path) -> bool:
    """Return whether there are metadata in a folder of images, or in the folders of its splits."""
    return bool(_metadata_in(path))


def open_image_folder(path: Path, options: Options) -> TableSource:
    """Open a folder of images, with their metadata beside them.

    The convention is that of `datasets`: a column `file_name` names each image, relative to the
    metadata; folders named like splits have metadata of their own.

    Raises:
        LayoutError: If there are none, or they cannot be read.
    """
    found = _metadata_in(path)
    if not found:
        raise LayoutError(f"{path} holds no {', '.join(_METADATA[:-1])} or {_METADATA[-1]}")
    if found[0][0].parent != path:
        _refuse_unclear_folders(path, found, _metadata_in)
    parts = [make_part(metadata, options, split) for metadata, split in found]
    return TableSource(path, parts, options, "image_folder", "images with metadata")


def find_tables(path: Path) -> tuple[list[tuple[Path, Split]], list[Path]]:
    """Find the tables that a path stands for.

    Returns:
        Each with the split that its name declares, and the tables beside these that are left aside.

    Raises:
        LayoutError: If there is none, or several that are no splits.
    """
    if path.is_file():
        split = split_of(path)
        return [(path, split if split == "test" else "")], []
    if (path / _DICTIONARY).is_file():
        return _saved_splits(path), []
    if (path / STATE).is_file():
        return [(path, "")], []
    beside = tables_in(path)
    named = [(table, split) for table in beside if (split := split_among(table))]
    below = [] if len({split for _, split in named}) > 1 else _in_splits(path)
    if below and (not beside or _are_posts(below)):
        _refuse_unclear_folders(path, below, tables_in)
        found = _choose(path, [*dict(below)], below)
    else:
        found = _choose(path, beside, named)
    read = dict(found)
    return found, [table for table in (*beside, *dict(below)) if table not in read]


def _are_posts(below: Sequence[tuple[Path, Split]]) -> bool:
    """Return whether what lies in folders of splits is the posts, and not about their images.

    There are folders of several splits, of one table each, or of one format but CSV and JSON.
    """
    tables = dict(below)
    formats = {table.suffix.lower() for table in tables}
    are_rows = len(formats) == 1 and not formats & {".csv", ".tsv", ".json"}
    are_single = len({table.parent for table in tables}) == len(tables)
    are_posts = are_rows or (are_single and all(map(has_rows, tables)))
    return are_posts and len({*tables.values()}) > 1


def _choose(
    path: Path, tables: Sequence[Path], named: Sequence[tuple[Path, Split]]
) -> list[tuple[Path, Split]]:
    """Return those tables of a folder, or of folders of splits, that are read."""
    if not tables:
        raise LayoutError(f"{path} holds no table: these end in {', '.join(SUFFIXES)}")
    named = sorted(named, key=lambda each: order_of(each[1]))
    splits = {split for _, split in named}
    formats = {(table.suffix.lower(), split) for table, split in named}
    if len(formats) == len(splits):  # no split is there in two formats
        if len(splits) > 1:
            refuse_unclear(sorted({*tables} - {*dict(named)}), splits)
            return named
        if len(tables) == len(named):  # one split, in one file or several
            return [(table, split if split == "test" else "") for table, split in named]
    if len(tables) == 1:
        return [(tables[0], "")]
    raise LayoutError(
        f"{path} holds several tables, {first_names((it.name for it in tables), str, _SHOWN)}: "
        f"name one with raw={tables[0]}, or name them train, validation and test"
    )


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


def split_of(path: Path) -> Split:
    """Return the split that a name declares, or nothing."""
    is_file = path.suffix.lower() in (*SUFFIXES, ".tar")
    named = _NAMED_SPLIT.fullmatch(path.stem if is_file else path.name)
    return SPLITS[named[1].casefold()] if named else ""


def _in_splits(folder: Path) -> list[tuple[Path, Split]]:
    """Return the tables in those folders of a folder that are named like splits."""
    splits = _split_folders(folder)
    return [(table, split_of(child)) for child in splits for table in tables_in(child)]


def _split_folders(folder: Path) -> list[Path]:
    if is_remote(folder) or not folder.is_dir():
        return []
    return [child for child in sorted(folder.iterdir()) if split_of(child) and child.is_dir()]


def split_among(path: Path) -> Split:
    """Return the split that a name among others declares, at its beginning or its end."""
    named = _NAMED_AT_END.fullmatch(path.stem)
    return split_of(path) or (SPLITS[named[1].casefold()] if named else "")


def refuse_unclear(paths: Iterable[Path], splits: Collection[Split]) -> None:
    """Refuse a name that means validation posts to some, and test posts to others.

    Args:
        paths: Tables, or folders of tables, whose names tell no split.
        splits: Those that others beside them are of: where both are there, it means neither.

    Raises:
        LayoutError: If one has such a name.
    """
    if {"validation", "test"} <= {*splits}:
        return
    for path in paths:
        if _UNCLEAR.fullmatch(path.stem):
            raise LayoutError(
                f"are the posts of {path} for validation or for testing? name it after one"
            )


def _refuse_unclear_folders(
    path: Path, found: Sequence[tuple[Path, Split]], find: Callable[[Path], Sequence[Any]]
) -> None:
    """Refuse a folder `eval` beside those of splits, if something is found in it."""
    unclear = [it for it in path.iterdir() if it.name.casefold() in ("eval", "evaluation")]
    refuse_unclear(filter(find, unclear), [split for _, split in found])


def _not_read(path: Path, read: Collection[Path], others: Sequence[Path]) -> list[str]:
    """Say which tables and archives beside the tables that are read are left aside."""
    if path in read or is_remote(path) or (path / _DICTIONARY).is_file():
        return []
    remarks = [
        f"{archive.name} beside the table is not read: unpack it, or name it with raw={archive}"
        for archive in tables_in(path, (".tar",))
    ]
    if others:
        names = first_names((str(table.relative_to(path)) for table in others), str, _SHOWN)
        remarks.append(
            f"{len(others):,} tables beside these are not read: {names}; if one is meant, name it "
            "or its folder with raw=PATH"
        )
    return remarks


def order_of(split: Split) -> int:
    """Return a number that sorts splits, training posts first."""
    return list(SPLITS.values()).index(split)


def tables_in(folder: Path, suffixes: Sequence[str] = SUFFIXES) -> list[Path]:
    """Return the tables of a folder; if it has none, those of its folder `data`.

    Raises:
        LayoutError: If one of the two cannot be listed.
    """
    for place in (folder, folder / "data"):
        try:
            files = sorted(place.iterdir()) if place.is_dir() else []
        except OSError as error:
            raise LayoutError(f"{place} cannot be listed: {reason(error)}") from error
        tables = [
            file
            for file in files
            if file.suffix.lower() in suffixes
            and file.name not in _NO_TABLES
            and not file.name.startswith(OF_SYSTEMS)
            and file.is_file()
        ]
        if tables:
            return tables
    return []


def _saved_splits(path: Path) -> list[tuple[Path, Split]]:
    try:
        names: Sequence[str] = json.loads((path / _DICTIONARY).read_text("utf-8"))["splits"]
        splits = [(path / name, split_of(path / name)) for name in names]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LayoutError(f"{path / _DICTIONARY} cannot be read: {reason(error)}") from error
    unknown = [folder.name for folder, split in splits if not split]
    if unknown:
        raise LayoutError(
            f"{path} has the splits {', '.join(names)}: {first_names(unknown)} is none that is "
            f"known, so name one with raw={path / names[0]}, or save train, validation and test"
        )
    return splits


def _metadata_in(folder: Path) -> list[tuple[Path, Split]]:
    if not folder.is_dir():
        return []
    here = [folder / name for name in _METADATA if (folder / name).is_file()]
    if here:
        return [(here[0], "")]
    return [
        (metadata, split_of(child))
        for child in _split_folders(folder)
        for metadata in [child / name for name in _METADATA if (child / name).is_file()][:1]
    ]

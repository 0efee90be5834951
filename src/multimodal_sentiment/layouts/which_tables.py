"""Which files of a user's path are read as tables, of which splits, and what is left aside.

`find_layout` has the rules by which a path is taken for one of the three layouts of tables, and
`find_tables` those by which its tables are chosen or refused. `table_folder.py` says what lies
there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from multimodal_sentiment.files import is_pattern
from multimodal_sentiment.posts.names import first_names

from .errors import LayoutError
from .files.addresses import is_remote
from .splits import Split, is_unclear, split_among, split_of
from .table_folder import METADATA, Splits, TableFolder, of_kind
from .tables import SUFFIXES, has_rows

LayoutOfTables = Literal["image_folder", "shards", "table"]

_TAR = (".tar",)
_PARQUET = (".parquet", ".pq")
_SHARDS = _PARQUET + _TAR
_SHOWN = 5  # names of tables


def find_layout(path: Path) -> LayoutOfTables | None:
    """Return what a path is taken for: the first of these rules that fits; None if none does.

    Raises:
        LayoutError: If something that lies there cannot be listed or read.
    """
    if is_pattern(path) and not path.exists():
        return "shards"
    if path.is_file():
        return "shards" if path.suffix.lower() in _TAR else "table"
    folder = TableFolder(path)
    if not is_remote(path) and folder.metadata():
        return "image_folder"
    if not is_remote(path) and folder.saved():
        return "table"  # whatever archive lies beside, such as the one that it has come in
    tables = folder.files(SUFFIXES) or folder.below
    if _archives_of_posts(folder) or _are_one_set(tables):
        return "shards"
    return "table" if tables else None


def find_tables(path: Path, layout: LayoutOfTables) -> tuple[Splits, list[str]]:
    """Return the tables of a path that are read, and remarks on what is left aside.

    Raises:
        LayoutError: If there is none, or it is not clear which are meant, or of which splits.
    """
    folder = TableFolder(path)
    if layout == "image_folder":
        return _in_order(_find_metadata(folder)), []
    if path.is_file() and (layout == "table" or path.suffix.lower() in _SHARDS):
        return _in_order({path: split_of(path)}), []
    if layout == "shards":
        shards = _in_order(_find_shards(folder))
        return shards, _say_left_aside(folder, shards, [])
    if saved := folder.saved():
        return _in_order(saved), []
    tables = folder.files(SUFFIXES)
    # Beside tables of several splits, folders are not looked into.
    below = {} if len(_splits(tables)) > 1 else folder.below
    if below and (not tables or _are_posts(below)):
        _refuse_unclear([it.path for it in folder.unclear() if it.files(SUFFIXES)], below)
        read = _choose(path, below)
    else:
        read = _choose(path, tables)
    return read, _say_left_aside(folder, read, [it for it in (*tables, *below) if it not in read])


def _archives_of_posts(folder: TableFolder) -> Splits:
    """Return the archives of a folder, but for one that the images of its tables came in.

    A table that has the name of an archive describes what is in it, and so does any table beside
    several archives.
    """
    archives = folder.files(_TAR)
    if len(archives) != 1:
        return archives
    below = folder.below
    tables = folder.files(SUFFIXES) or (below if _are_posts(below) else {})
    (archive,) = archives
    are_images = any(has_rows(table) for table in tables if table.stem != archive.stem)
    return {} if are_images else archives


def _are_one_set(tables: Splits) -> bool:
    """Return whether tables are many Parquet files of one set.

    If all are named after splits, or some after validation or test, they are tables of their own.
    """
    are_parquet = all(table.suffix.lower() in _PARQUET for table in tables)
    return len(tables) > 1 and are_parquet and {*tables.values()} in ({""}, {"", "train"})


def _are_posts(below: Splits) -> bool:
    """Return whether what lies in folders of splits is the posts, and not about their images.

    There are folders of several splits, of one table each, or of one format but CSV and JSON.
    """
    formats = {table.suffix.lower() for table in below}
    are_rows = len(formats) == 1 and not formats & {".csv", ".tsv", ".json"}
    are_single = len({table.parent for table in below}) == len(below)
    return len(_splits(below)) > 1 and (are_rows or (are_single and all(map(has_rows, below))))


def _find_metadata(folder: TableFolder) -> Splits:
    metadata = folder.metadata()
    if not metadata:
        raise LayoutError(f"{folder.path} holds no {', '.join(METADATA[:-1])} or {METADATA[-1]}")
    _refuse_unclear([it.path for it in folder.unclear() if it.metadata()], metadata)
    return metadata


def _find_shards(folder: TableFolder) -> Splits:
    """Return all files of a pattern or a folder.

    Names that tell validation or test are refused beside names that tell nothing: these posts would
    be learned from.
    """
    path = folder.path
    shards = _archives_of_posts(folder) or folder.files(_PARQUET) or folder.files(_TAR)
    if not path.exists():  # a pattern
        fitting = of_kind(sorted(path.parent.glob(path.name)), _SHARDS)
        shards = {file: split_among(file) for file in fitting}
    if not shards:
        raise LayoutError(f"{path} stands for no shard: these end in {', '.join(_SHARDS)}")
    unnamed = [shard for shard, split in shards.items() if not split]
    _refuse_unclear(unnamed, shards)
    if unnamed and _splits(shards) - {"train"}:
        raise LayoutError(
            f"of the shards in {unnamed[0].parent} some are named after splits, and "
            f"{unnamed[0].name} is not: name all after train, validation and test, or move away "
            "what is not to be read"
        )
    return shards


def _choose(path: Path, tables: Splits) -> Splits:
    """Return the tables of several splits, or all tables of one split, or the only table."""
    if not tables:
        raise LayoutError(f"{path} holds no table: these end in {', '.join(SUFFIXES)}")
    named: Splits = {table: split for table, split in tables.items() if split}
    splits = _splits(named)
    _refuse_unclear([it for it in tables if it not in named and has_rows(it)], named)
    formats = {(table.suffix.lower(), split) for table, split in named.items()}
    is_in_one_format = len(formats) == len(splits)  # each split: in two, it would be there twice
    if is_in_one_format and (len(splits) > 1 or named == tables):
        return _in_order(named)
    if len(tables) == 1:
        return _in_order(tables)
    raise LayoutError(
        f"{path} holds several tables, {first_names((it.name for it in tables), str, _SHOWN)}: "
        f"name one with raw={next(iter(tables))}, or name them train, validation and test"
    )


def _refuse_unclear(paths: Iterable[Path], named: Splits) -> None:
    """Refuse what may be validation posts or test posts, unless named posts are both, or none."""
    unclear = [path for path in paths if is_unclear(path)]
    if unclear and _splits(named) and not {"validation", "test"} <= _splits(named):
        raise LayoutError(
            f"are the posts of {unclear[0]} for validation or for testing? name it after one"
        )


def _in_order(tables: Splits) -> Splits:
    """Return all tables, training posts first.

    Splits are told if all tables are of one; if that is the only one, then only if it is the test.
    """
    splits = {*tables.values()}
    if "" in splits or splits in ({"train"}, {"validation"}):
        return dict.fromkeys(tables, "")
    return dict(sorted(tables.items(), key=lambda each: get_args(Split).index(each[1])))


def _say_left_aside(folder: TableFolder, read: Splits, others: Sequence[Path]) -> list[str]:
    remarks = [
        f"{archive.name} beside the table is not read: unpack it, or name it with raw={archive}"
        for archive in folder.files(_TAR)
        if archive not in read
    ]
    if others:
        names = first_names((str(it.relative_to(folder.path)) for it in others), str, _SHOWN)
        remarks.append(
            f"{len(others):,} tables beside these are not read: {names}; if one is meant, name it "
            "or its folder with raw=PATH"
        )
    return remarks


def _splits(tables: Splits) -> set[Split]:
    return {split for split in tables.values() if split}

"""Which files of a user's path are read as tables, of which splits, and what is left aside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, get_args

from multimodal_sentiment.files import is_pattern
from multimodal_sentiment.posts.names import first_names
from multimodal_sentiment.wording import counted, reason

from .errors import LayoutError
from .files.addresses import is_remote
from .splits import Split, is_unclear, split_among, split_of
from .tables import SUFFIXES, has_rows
from .tables.arrow import STATE

Splits = dict[Path, Split]  # of tables, or of folders of some: what the name of each tells

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_TAR = (".tar",)
_PARQUET = (".parquet", ".pq")
_SHARDS = _PARQUET + _TAR
# The layouts of tables, and what their files are called, or how they end.
FILES = {"image_folder": METADATA, "shards": _SHARDS, "table": SUFFIXES}
_DICTIONARY = "dataset_dict.json"  # of a folder of splits that `datasets` has saved
_OF_SYSTEMS = (".", "~$")  # begin files that an operating system or Excel leaves beside others
_OF_SAMPLES = "decisive.jsonl"  # tells of drawn posts, which are listed elsewhere
_SHOWN = 5  # names of tables


class Found(NamedTuple):
    """The tables of a path.

    Attributes:
        layout: What the path is taken for.
        tables: Those that are read, in order.
        remarks: What is left aside, a line each.
    """

    layout: str
    tables: Splits
    remarks: Sequence[str] = ()


def find_tables(path: Path, layout: str | None = None) -> Found | None:
    """Find the tables of a path: metadata of images, a saved data set, shards, or other tables.

    Args:
        path: A file, a folder or a pattern.
        layout: One of `FILES`, which the path is taken for; None takes it for the first that fits.

    Returns:
        None if nothing fits.

    Raises:
        LayoutError: If something cannot be listed or read, or it is not clear which tables are
            meant, or of which splits.
    """
    may_be = (layout,) if layout else tuple(FILES)
    if path.is_file():
        is_shard = path.suffix.lower() in (_SHARDS if layout else _TAR)
        taken_for = "shards" if is_shard and "shards" in may_be else "table"
        alone = Found(taken_for, _in_order({path: split_of(path)}))
        return alone if taken_for in may_be else None
    if "shards" in may_be and is_pattern(path) and not path.exists():
        shards = _files([sorted(path.parent.glob(path.name))], _SHARDS)
        if not shards:
            raise LayoutError(f"{path} stands for no shard: these end in {', '.join(_SHARDS)}")
        return Found("shards", _as_one_set(path.parent, shards))

    listed = [_list(path), _list(path / "data")]
    folders: Splits = {}
    if not is_remote(path):
        folders = _folders_of_splits(listed[0])
        metadata = _metadata({path: ""}) or _metadata(folders)
        if "image_folder" in may_be and metadata:
            return Found("image_folder", _choose(path, metadata))
        if "table" in may_be and (saved := _saved(path)):
            return Found("table", _in_order(saved))
    own, archives = _files(listed, SUFFIXES), _files(listed, _TAR)
    # Beside tables of several splits, folders are not looked into.
    below = {} if len(_splits(own)) > 1 else _tables_in(folders)
    tables = below if below and (_are_posts(below) or not own) else own
    # A lone archive is what the images of a table came in, unless the table has its name.
    has_posts = bool(own) or _are_posts(below)
    names = {table.stem for table in tables} if has_posts and len(archives) == 1 else set()
    shards = {} if names - {archive.stem for archive in archives} else archives
    if layout == "shards":
        shards = shards or _files(listed, _PARQUET) or archives
    elif _are_one_set(tables):
        shards = shards or tables
    if shards and "shards" in may_be:
        read, taken_for = _as_one_set(path, shards), "shards"
    elif tables and "table" in may_be:
        read, taken_for = _choose(path, tables), "table"
    else:
        return None
    remarks = _say_left_aside(path, [it for it in (*archives, *own, *below) if it not in read])
    return Found(taken_for, read, [*remarks])


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
    named = [table for table, split in below.items() if split]
    formats = {table.suffix.lower() for table in named}
    are_rows = len(formats) == 1 and not formats & {".csv", ".tsv", ".json"}
    are_single = len({table.parent for table in named}) == len(named)
    return len(_splits(below)) > 1 and (are_rows or are_single)


def _as_one_set(folder: Path, shards: Splits) -> Splits:
    """Return all shards.

    Names that tell validation or test are refused beside names that tell nothing: these posts would
    be learned from.
    """
    _refuse_unclear(folder, shards)
    unnamed = next((shard for shard, split in shards.items() if not split), None)
    if unnamed and _splits(shards) - {"train"}:
        raise LayoutError(
            f"of the shards in {unnamed.parent} some are named after splits, and {unnamed.name} is "
            "not: name all after train, validation and test, or move away what is not to be read"
        )
    return _in_order(shards)


def _choose(folder: Path, tables: Splits) -> Splits:
    """Return the tables of several splits, or all tables of one split, or the only table."""
    _refuse_unclear(folder, tables)
    named: Splits = {table: split for table, split in tables.items() if split}
    splits = _splits(named)
    formats = {(table.suffix.lower(), split) for table, split in named.items()}
    is_in_one_format = len(formats) == len(splits)  # each split: in two, it would be there twice
    if is_in_one_format and (len(splits) > 1 or named == tables):
        return _in_order(named)
    if len(tables) == 1:
        return _in_order(tables)
    raise LayoutError(
        f"{folder} holds several tables, {first_names((it.name for it in tables), str, _SHOWN)}: "
        f"name one with raw={next(iter(tables))}, or name them train, validation and test"
    )


def _refuse_unclear(folder: Path, tables: Splits) -> None:
    """Refuse what may be validation posts or test posts, unless named posts are both, or none."""
    unclear = [
        table
        for table, split in tables.items()
        if not split
        and (is_unclear(table) or (table.parent != folder and is_unclear(table.parent)))
    ]
    if unclear and _splits(tables) and not {"validation", "test"} <= _splits(tables):
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


def _say_left_aside(folder: Path, others: Sequence[Path]) -> Iterator[str]:
    tables = [str(it.relative_to(folder)) for it in others if it.suffix.lower() not in _TAR]
    for archive in others:
        if archive.suffix.lower() in _TAR:
            yield (
                f"{archive.name} beside the table is not read: unpack it, or name it with "
                f"raw={archive}"
            )
    if tables:
        yield (
            f"not read, beside these: {counted(len(tables), 'table')}, "
            f"{first_names(tables, str, _SHOWN)}; if one is meant, name it or its folder with "
            "raw=PATH"
        )


def _splits(tables: Splits) -> set[Split]:
    return {split for split in tables.values() if split}


def _files(listed: Iterable[Sequence[Path]], suffixes: Sequence[str]) -> Splits:
    """Return the files with some suffixes in the first of the folders that holds any."""
    for files in listed:
        found = {
            file: split_among(file)
            for file in files
            if file.suffix.lower() in suffixes
            and not file.name.startswith(_OF_SYSTEMS)
            and file.name != _OF_SAMPLES
            and file.is_file()
            and has_rows(file)
        }
        if found:
            return found
    return {}


def _folders_of_splits(listed: Sequence[Path]) -> Splits:
    """Return the folders that are named like splits, and beside these those named `eval`."""
    folders = {
        it: split_of(it)
        for it in listed
        if (split_of(it) or it.name.casefold() in ("eval", "evaluation")) and it.is_dir()
    }
    return folders if any(folders.values()) else {}


def _tables_in(folders: Splits) -> Splits:
    return {
        table: split
        for folder, split in folders.items()
        for table in _files([_list(folder), _list(folder / "data")], SUFFIXES)
    }


def _metadata(folders: Splits) -> Splits:
    """Return the metadata of the images in each folder that has some."""
    return {
        file: split
        for folder, split in folders.items()
        for file in [folder / name for name in METADATA if (folder / name).is_file()][:1]
    }


def _saved(folder: Path) -> Splits:
    """Return the folder itself, or its splits, if `datasets` has saved it."""
    dictionary = folder / _DICTIONARY
    if not dictionary.is_file():
        return {folder: ""} if _is_saved(folder / STATE) else {}
    try:
        names: Sequence[str] = json.loads(dictionary.read_text("utf-8"))["splits"]
        splits = {folder / name: split_of(folder / name) for name in names}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LayoutError(f"{dictionary} cannot be read: {reason(error)}") from error
    unknown = [saved.name for saved, split in splits.items() if not split]
    if unknown:
        raise LayoutError(
            f"{folder} has the splits {', '.join(names)}: {first_names(unknown)} is none that is "
            f"known, so name one with raw={folder / names[0]}, or save train, validation and test"
        )
    return splits


def _is_saved(state: Path) -> bool:
    """Return whether a file may be the state of a saved data set; others have such files too."""
    try:
        return state.is_file() and "_data_files" in state.read_text("utf-8", "replace")
    except OSError:  # whoever reads it says why it cannot be read
        return True


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda it: it.name) if folder.is_dir() else []
    except OSError as error:
        raise LayoutError(f"{folder} cannot be listed: {reason(error)}") from error

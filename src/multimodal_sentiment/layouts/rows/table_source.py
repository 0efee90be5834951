"""Tables as a source of posts: a row a post, columns of texts, images, tags and splits."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from multimodal_sentiment.posts.names import first_names
from multimodal_sentiment.posts.schema import is_tag

from ..errors import LayoutError, refuse_rounded_ids
from ..source import Namespace, Options, PostFiles, Source
from ..splits import SPLITS, Split
from ..tables import Table
from ..tables.columns import list_columns
from ..tables.tar import Member
from .cells import TableFiles
from .rows import Part, Row, Rows, with_ids_of_files

logger = logging.getLogger(__name__)


class TableSource(Source):
    """Posts of one table, or of one for each split.

    Attributes:
        remarks: What the user should know of them, a line each.
    """

    def __init__(
        self, path: Path, parts: Sequence[Part], options: Options, layout: str, said: str
    ) -> None:
        """Read what is needed to know the posts: ids, tags and splits.

        Args:
            path: The file or folder that the user has named.
            parts: The tables.
            options: How to read them.
            layout: The layout's name.
            said: What the layout is, for the log.

        Raises:
            LayoutError: If ids or splits cannot be used.
        """
        self.path = path
        self._options = options
        self._layout = layout
        self._said = said
        self.remarks = [remark for part in parts for remark in part.table.remarks]
        if left_aside := sum(part.table.left_aside for part in parts):
            self.remarks.append(  # one for all, as there may be thousands of shards
                f"{left_aside:,} files in the tar files are left aside: their suffixes tell nothing"
            )
        parts = [self._without_other_split(part) for part in with_ids_of_files(parts)]
        self._parts = parts
        self._no_tags: Counter[str] = Counter()  # words that were taken for none
        self._numbered: Counter[str] = Counter()  # rows without an id so far, by their prefix
        rows: list[pd.DataFrame] = [self._rows(part) for part in parts]
        self._posts = pd.concat(rows, ignore_index=True)
        self.remarks += [
            f"{count:,} posts are tagged {word!r}, which counts as no tag: if it is one, name all "
            "in ingestion.labels"
            for word, count in self._no_tags.most_common()
        ]
        refuse_rounded_ids(path, self._posts["guid"].tolist())
        if not any("split" in part.columns or part.split for part in parts):
            self._posts = self._posts.drop(columns="split")

    def has(self, namespace: Namespace) -> bool:
        """Return whether there are such posts, or a table for new ones, be it without rows."""
        empty = [part for part in self._parts if not len(part.table)]
        is_for_new = len(empty) == len(self._parts) or any(part.split == "test" for part in empty)
        is_listed = namespace == "unlabelled" and is_for_new
        return is_listed or bool(self._is_in(namespace).any())

    def place_of(self, namespace: Namespace) -> Path:
        """Return the file or folder."""
        return self.path

    def listing(self, namespace: Namespace) -> pd.DataFrame:
        """Return the posts of a namespace."""
        posts = self._posts[self._is_in(namespace)].reset_index(drop=True)
        if not self.has(namespace):
            self._refuse_none(namespace)
        return posts

    def write_answers(self, answers: pd.DataFrame, folder: Path) -> None:
        """Write a copy of each table that holds posts to be predicted; see `Source`."""
        start = 0
        for part in self._parts:
            table = part.table
            guids = self._posts["guid"].iloc[start : start + len(table)]
            start += len(table)
            if not guids.isin(answers.index).any():
                continue
            path = folder / _below(table.path, self.path)
            path.parent.mkdir(parents=True, exist_ok=True)
            rows = answers.reindex(guids).astype(object)
            rows = rows.where(rows.notna(), None)
            columns = {_free(str(name), table.names): rows[name].tolist() for name in rows}
            table.write_with(columns, path)

    def files(self) -> PostFiles:
        """Return what is in the cells, and in the files that they name."""
        rows = Rows(self._parts, self._posts["guid"].tolist())
        again = np.flatnonzero(self._posts["guid"].duplicated()).tolist()
        conflicts = dict.fromkeys(
            rows.guids[row]
            for row in again
            if not self._are_equal(rows.find(rows.guids[row]), rows.locate(row))
        )
        if conflicts:
            raise LayoutError(
                f"{self.path} has different posts under one id, {first_names(conflicts)}: give "
                "each its own, or name another column with columns.guid"
            )
        about = _about(self)
        remarks = [_remark(self, about), *self.remarks]
        files = TableFiles(str(self.path), rows, self._options, about, remarks)
        files.doubt = next(filter(None, (part.table.doubt for part in self._parts)), "")
        return files

    def _is_in(self, namespace: Namespace) -> pd.Series[bool]:
        unlabelled = self._posts["tag"] == ""
        if "split" in self._posts:
            unlabelled |= self._posts["split"] == "test"
        return unlabelled if namespace == "unlabelled" else ~unlabelled

    def _rows(self, part: Part) -> pd.DataFrame:
        table, columns = part.table, part.columns
        if "guid" in columns:
            guids = _ids(table, table.words(columns["guid"]))
        else:  # numbers of rows, told apart where there are several tables
            prefix = f"{part.split or table.path.stem}-" if len(self._parts) > 1 else ""
            former = self._numbered[prefix]
            guids = [f"{prefix}{former + row + 1}" for row in range(len(table))]
            self._numbered[prefix] += len(table)
        splits = [part.split] * len(table)
        if "split" in columns:
            splits = _splits(table, columns["split"], table.words(columns["split"]))
        return pd.DataFrame({"guid": guids, "tag": self._tags(part), "split": splits}, dtype=str)

    def _without_other_split(self, part: Part) -> Part:
        """Leave aside a column `subset` that holds something else: the word has other meanings."""
        column = part.columns.get("split", "")
        if column.casefold() != "subset" or self._options.columns.get("split") is not None:
            return part
        words = {word for word in part.table.words(column) if word}
        if not words or any(SPLITS.get(_as_split(word)) for word in words):
            return part
        self.remarks.append(
            f"{part.table.path}: column {column!r} is left aside: it holds "
            f"{first_names(sorted(words))}, and no split"
        )
        others = {role: name for role, name in part.columns.items() if role != "split"}
        return replace(part, columns=others)

    def _tags(self, part: Part) -> list[str]:
        if "tag" not in part.columns:
            return [""] * len(part.table)
        words = part.table.words(part.columns["tag"])
        kept = {"", *map(str, self._options.labels or ())}
        tags = [word or "" for word in words]
        taken = {tag for tag in set(tags) - kept if not is_tag(tag)}
        self._no_tags.update(tag for tag in tags if tag in taken)
        return ["" if tag in taken else tag for tag in tags]

    def _refuse_none(self, namespace: Namespace) -> None:
        if namespace == "unlabelled":
            raise LayoutError(
                f"{self.path} has no post to be predicted: these are rows without a tag, or with "
                "'test' in a column named split; or name a table of them with raw=FILE"
            )
        if len(self._posts) and not any("tag" in part.columns for part in self._parts):
            names = list(dict.fromkeys(name for part in self._parts for name in part.table.names))
            raise LayoutError(
                f"{self.path} has no column that is known to hold tags: name it, as in "
                f"columns.tag=NAME, among {list_columns(names)}"
            )
        raise LayoutError(
            f"{self.path} has no post to learn from: these are rows with a tag, but for those of a "
            "split test"
        )

    def _are_equal(self, first: Row, second: Row) -> bool:
        def content(row: Row) -> list[Any]:
            part = self._parts[row.part]
            named = [part.columns.get(role) for role in ("text", "text_file")]
            told = [part.table.cell(name, row.at) for name in named if name]
            image = part.columns.get("image")
            shown = part.table.image(image, row.at) if image else None
            return [*told, shown.read() if isinstance(shown, Member) else shown]

        return content(first) == content(second)


def _below(table: Path, given: Path) -> Path:
    """Return where a table lies below the folder that the user has named."""
    is_inside = table != given and table.is_relative_to(given)
    # An address gives no path of this machine, but its words do.
    return Path(str(table.relative_to(given))) if is_inside else Path(table.name)


def _free(name: str, taken: Sequence[str]) -> str:
    """Return a name that no column has."""
    while name in taken:
        name += "_"
    return name


def _about(source: TableSource) -> dict[str, Any]:
    tables = [part.table for part in source._parts]
    columns = source._parts[0].columns
    return {
        "layout": source._layout,
        "path": str(source.path),
        "files": [str(table.path) for table in tables],
        "format": tables[0].format,
        "encoding": tables[0].encoding,
        "separator": tables[0].separator,
        "columns": {role: columns.get(role) for role in ("guid", *columns)},
    }


def _remark(source: TableSource, about: Mapping[str, Any]) -> str:
    """Return what a source was taken for."""
    files = first_names((Path(file).name for file in about["files"]), str)
    how = about["format"].upper() if about["format"] != "datasets" else "saved by datasets"
    if about["separator"]:
        how += f" in {about['encoding'].upper()}, between {about['separator']!r}"
    roles = ", ".join(
        f"{list_columns([name])} is the {role.replace('_', ' ')}"
        for role, name in about["columns"].items()
        if name is not None
    )
    numbered = "" if about["columns"]["guid"] else "; posts have the numbers of their rows as ids"
    return f"{source._said}: {files} ({how}), {len(source._posts):,} rows; {roles}{numbered}"


def _ids(table: Table, words: Sequence[str | None]) -> list[str]:
    for row, word in enumerate(words):
        if not word:
            raise LayoutError(f"{table.path} has no id in {table.place(row)}: give each row one")
    return [str(word) for word in words]


def _splits(table: Table, column: str, words: Sequence[str | None]) -> list[Split]:
    unknown = Counter(word for word in words if word and _as_split(word) not in SPLITS)
    if unknown:
        raise LayoutError(
            f"{table.path}: column {column!r} holds {first_names(unknown)}, which is no split: use "
            "train, validation and test, name another column with columns.split, or call this one "
            "otherwise"
        )
    return [SPLITS[_as_split(word)] for word in words]


def _as_split(word: str | None) -> str:
    return (word or "").strip().casefold()

"""Texts and images of posts that are rows of tables."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, SupportsIndex, cast

from multimodal_sentiment.posts.problems import Problem, problem

from ..files.addresses import absolute
from ..files.finding import Finder, Found, find_files_in
from ..files.local import Kind, Links, UnreadableFileError, bounded
from ..source import Contents, Images, Options, PostFiles
from ..tables import Table, UnopenedTable
from ..tables.table import in_words, is_nothing
from ..tables.tar import Member
from .rows import Part, Rows

_KEPT = 1024  # cells that were just looked at: a post's image is asked for several times


class TableFiles(PostFiles):
    """Texts and images that cells hold or name."""

    def __init__(
        self, name: str, rows: Rows, options: Options, about: dict[str, Any], remarks: list[str]
    ) -> None:
        parts, links = rows.parts, options.links
        self.name = name
        finders = {part.folder: find_files_in(part.folder, links) for part in parts}
        self._finders = list(finders.values())
        by_part = [finders[part.folder] for part in parts]
        self.images = ImageCells(rows, by_part)
        if any("text_file" in part.columns for part in parts):
            self.texts: Any = TextFiles(rows, by_part, links)
        else:
            self.texts = TextCells(rows)
        self.about = about
        self.remarks = remarks
        self._rows = rows
        self._options = options

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Send the ids, and of shards where they lie: another process opens those that it uses."""
        if self.about["layout"] != "shards":
            return super().__reduce_ex__(protocol)
        parts = [self._unopened(part) for part in self._rows.parts]
        given = self.name, parts, self._rows.guids, self._options, self.about, self.remarks
        return _restore, given

    def _unopened(self, part: Part) -> Part:
        path, encodings = absolute(part.table.path), self._options.encodings
        table = cast(Table, UnopenedTable(path, encodings, len(part.table)))
        return replace(part, table=table, folder=absolute(part.folder))

    @property
    def outside(self) -> int:
        """Count the files outside of the tables' folders."""
        return sum(len(finder.outside) for finder in self._finders)

    def unclaimed(self, guids: Collection[str]) -> list[str]:
        """Return the files in the images' folders that no row names."""
        if any(finder.is_used for finder in self._finders):
            for guid in self.images:  # of posts that nobody has asked for yet
                self.images.path(guid)
        own = {part.table.path.name for part in self._rows.parts}
        names = {name for finder in self._finders for name in finder.unclaimed()}
        return sorted(names - own)


def _restore(
    name: str, parts: list[Part], guids: Sequence[str], options: Options, *told: Any
) -> TableFiles:
    return TableFiles(name, Rows(parts, guids), options, *told)


class TextCells(Contents):
    """Texts that stand in a table."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def __contains__(self, guid: str) -> bool:
        return guid in self._rows and not is_nothing(self._value(guid))

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def is_due(self, guid: str) -> bool:
        """Return whether no table has a column of texts."""
        return not self._rows.has_column("text")

    def path(self, guid: str) -> str:
        """Return the table's name and the number of the row."""
        return self._rows.place(guid) if guid in self else ""

    def looked_for(self, guid: str) -> str:
        """Return the place of the cell."""
        column = self._rows.column(guid, "text")
        place = self._rows.place(guid)
        return f"column {column} of {place}" if column else self._rows.lacked(guid, "text")

    def problem(self, guid: str) -> Problem | None:
        """Return whether there is none."""
        return None if guid in self else problem("no_text")

    def read(self, guid: str) -> bytes | str:
        """Return a text, or its bytes where the table does not tell what they are in."""
        value = self._value(guid) if guid in self._rows else None
        if is_nothing(value):
            raise UnreadableFileError(problem("no_text"))
        if isinstance(value, str):
            bounded(value.encode("utf-8", "surrogatepass"), "text")
            return value
        if isinstance(value, bytes):
            return bounded(value, "text")
        if isinstance(value, bool | int | float):
            return str(in_words(value))
        raise UnreadableFileError(problem("text_unreadable", f"{type(value).__name__} is no text"))

    def _value(self, guid: str) -> Any:
        row = self._rows.find(guid)
        part = self._rows.parts[row.part]
        column = part.columns.get("text")
        return part.table.cell(column, row.at) if column else None


class FilesOfCells(Contents):
    """Contents of files that a table names."""

    kind: Kind
    column: str  # that names them

    def __init__(self, rows: Rows, finders: Sequence[Finder]) -> None:
        self._finders = finders
        self._rows = rows
        self._find = lru_cache(_KEPT)(self._find_anew)

    def __contains__(self, guid: str) -> bool:
        return guid in self._rows and self._find(guid).problem is None

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def path(self, guid: str) -> str:
        """Return the path as the table has it; the number of the row, if bytes stand there."""
        return self._find(guid).shown if guid in self._rows else ""

    def is_due(self, guid: str) -> bool:
        """Return whether the table has a path in a post's row, or no column of them."""
        name = self._name(guid)
        is_named = isinstance(name, str) and bool(name)
        return is_named or not self._rows.has_column(self.column)

    def looked_for(self, guid: str) -> str:
        """Return the path that the table names."""
        name = self._name(guid)
        if self._rows.column(guid, self.column) is None:
            return self._rows.lacked(guid, self.kind)
        if not isinstance(name, str) or not name:
            return f"the {self.kind} of {self._rows.place(guid)}"
        return self._reader(guid).looked_for(name)

    def problem(self, guid: str) -> Problem | None:
        """Return why there is none, or what is odd about it."""
        if guid not in self._rows:
            return problem(f"no_{self.kind}")
        found = self._find(guid)
        return found.problem or found.oddity

    def read(self, guid: str) -> bytes:
        """Return the content."""
        fault = self._find(guid).problem if guid in self._rows else problem(f"no_{self.kind}")
        if fault is not None:
            raise UnreadableFileError(fault)
        return self._reader(guid).read(self._find(guid).path, self.kind)

    def _reader(self, guid: str) -> Finder:
        return self._finders[self._rows.find(guid).part]

    @abstractmethod
    def _find_anew(self, guid: str) -> Found:
        """Find the file of a post."""

    @abstractmethod
    def _name(self, guid: str) -> Any:
        """Return what the table has in its place."""


class TextFiles(FilesOfCells):
    """Texts in files that a table names; these lie in its folder, or in the one that is named."""

    kind = "text"
    column = "text_file"

    def __init__(self, rows: Rows, finders: Sequence[Finder], links: Links) -> None:
        super().__init__(rows, finders)
        self._beside = [find_files_in(part.table.path.parent, links) for part in rows.parts]
        self._words = [
            part.table.words(part.columns["text_file"]) if "text_file" in part.columns else None
            for part in rows.parts
        ]

    def _find_anew(self, guid: str) -> Found:
        part = self._rows.find(guid).part
        found = self._finders[part].find(self._name(guid), "text", absolute=False)
        if found.problem is None:
            return found
        beside = self._beside[part].find(self._name(guid), "text", absolute=False)
        return found if beside.problem else beside

    def _name(self, guid: str) -> str:
        row = self._rows.find(guid)
        words = self._words[row.part]
        return (words[row.at] if words else None) or ""


class ImageCells(FilesOfCells, Images):
    """Images that stand in a table, or in files that it names."""

    kind = "image"
    column = "image"

    def read(self, guid: str) -> bytes:
        """Return an image's bytes, wherever they are."""
        value = self._name(guid) if guid in self._rows else None
        if isinstance(value, Member):
            return value.read()
        return bounded(value, "image") if value and isinstance(value, bytes) else super().read(guid)

    def _find_anew(self, guid: str) -> Found:
        value, cell = self._name(guid), self._rows.image(guid)
        if is_nothing(value) or value in ("", b""):
            found = Found("", "", problem("no_image"))
        elif isinstance(value, Member | bytes):
            found = Found("", self._rows.place(guid), None)
        elif isinstance(value, str):
            found = self._reader(guid).find(value, "image", absolute=True)
        else:
            why = f"{type(value).__name__} is no image"
            found = Found("", "", problem("image_unreadable", why))
        if isinstance(cell, list) and len(cell) > 1:
            return found._replace(oddity=problem("several_images", f"the first of {len(cell)}"))
        return found

    def _name(self, guid: str) -> Any:
        """Return bytes, a `Member` or a path, of the first image if there are several."""
        value = self._rows.image(guid)
        if isinstance(value, list):
            value = next(iter(value), None)
        if isinstance(value, dict):
            held = value.get("bytes")
            value = held if held and isinstance(held, bytes) else value.get("path")
        return value

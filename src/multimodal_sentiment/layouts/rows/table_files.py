"""The texts and images of posts that are rows of tables, found for a whole source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, SupportsIndex, cast

from ..files.addresses import absolute
from ..files.finding import find_files_in
from ..source import Options, PostFiles
from ..tables import Table, UnopenedTable
from .cells import ImageCells, TextCells, TextFiles
from .rows import Part, Rows


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

    def unclaimed(self, guids: Any) -> list[str]:
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

"""Tar files of posts, as WebDataset lays them out: `KEY.txt`, `KEY.jpg`, `KEY.cls`, `KEY.json`.

Files whose names are equal up to the first dot are one post. `.txt` is its text, `.cls` its tag, an
image is known by its suffix, and each entry of the object in `.json` is a column of its own. Files
of other suffixes are no posts.
"""

from __future__ import annotations

import json
import tarfile
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import LayoutError
from ..files.addresses import read_range, state_of
from ..files.local import IMAGE_SUFFIXES, LARGEST, UnreadableFileError, too_large
from .table import Table, in_words

_BLOCK_BYTES = 2**20  # that are fetched of an address at a time
_INDICES_KEPT = 4096


class Member(NamedTuple):
    """An image in a tar file.

    Attributes:
        path: The tar file.
        start: Its first byte in it.
        size: Bytes.
    """

    path: Path
    start: int
    size: int

    def read(self) -> bytes:
        """Return its bytes.

        Raises:
            UnreadableFileError: If it is too large.
        """
        if self.size > LARGEST["image"]:
            raise UnreadableFileError(too_large("image", self.size))
        return read_range(self.path, self.start, self.size)


class TarTable(Table):
    """A tar file: texts and tags are held, images read when they are asked for."""

    format = "tar"

    def __init__(self, path: Path) -> None:
        """Find the posts.

        Raises:
            LayoutError: If it is no tar file, is damaged or holds no post.
        """
        self.path = path
        try:
            self._columns, self._images, self.left_aside = _index(path, state_of(path))
        except tarfile.TarError as error:
            raise LayoutError(
                f"{path} is no whole tar file without compression: {error}"
            ) from error
        self.count = len(self._columns["guid"])
        if not self.count:
            raise LayoutError(f"{path} holds no post: they are files such as KEY.txt and KEY.jpg")
        self.names = [*self._columns, *(["image"] if any(self._images) else [])]

    @property
    def roles(self) -> Mapping[str, str]:
        """The columns that suffixes name; see `Table`."""
        return {name: name for name in ("guid", "text", "tag", "image") if name in self.names}

    def words(self, name: str) -> list[str | None]:
        """Return a column as text; of images, their places."""
        if name == "image":
            return [self.place(row) if at else None for row, at in enumerate(self._images)]
        try:
            return [in_words(_decoded(value)) for value in self._columns[name]]
        except TypeError as error:
            raise LayoutError(f"{self.path}, entry {name}: {error}") from error

    def written(self, name: str) -> Sequence[str | None]:
        """Return a column as text; a list or an object within it as JSON."""
        if name == "image":
            return self.words(name)
        return [
            json.dumps(value, ensure_ascii=False)
            if isinstance(value, list | dict)
            else in_words(_decoded(value))
            for value in self._columns[name]
        ]

    def cell(self, name: str, row: int) -> Any:
        """Return a text's bytes, or an entry of the object."""
        return self._columns[name][row]

    def image(self, name: str, row: int) -> Any:
        """Return the `Member`."""
        if name != "image":
            return self.cell(name, row)
        at = self._images[row]
        return Member(self.path, *at) if at else None

    def write_with(self, columns: Mapping[str, Sequence[Any]], path: Path) -> None:
        """Write the texts and entries as CSV; see `Table`."""
        super().write_with(columns, path.with_suffix(".csv"))


def _decoded(value: Any) -> Any:
    return value.decode(errors="replace") if isinstance(value, bytes) else value


@lru_cache(_INDICES_KEPT)  # one command opens a source several times
def _index(
    path: Path, state: str
) -> tuple[dict[str, list[Any]], list[tuple[int, int] | None], int]:
    """Go through a tar file once.

    Args:
        path: The file.
        state: What it is like, so that it is gone through again when it has changed.

    Returns:
        Columns of values; where the image of each post begins, and how long it is; and how many
        files are of other suffixes.
    """
    del state
    rows: dict[str, dict[str, Any]] = {}
    images: dict[str, tuple[int, int]] = {}
    others = 0
    with path.open("rb", _BLOCK_BYTES) as file, tarfile.open(fileobj=file, mode="r:") as archive:
        for member in archive:
            folder, slash, name = member.name.removeprefix("./").rpartition("/")
            stem, _, suffix = name.partition(".")
            suffix = suffix.lower()
            if not stem or not suffix or not member.isfile():
                continue
            is_image = f".{suffix.rpartition('.')[2]}" in IMAGE_SUFFIXES
            if suffix not in ("txt", "cls", "json") and not is_image:
                others += 1
                continue
            key = folder + slash + stem
            row = rows.setdefault(key, {})
            if is_image:
                images.setdefault(key, (member.offset_data, member.size))
            elif suffix == "txt":
                row["text"] = _head(archive, member)
            elif suffix == "cls":
                row["tag"] = _head(archive, member).decode(errors="replace").strip()
            else:
                rows[key] = _entries(path, member.name, _head(archive, member)) | row
    names = dict.fromkeys(name for row in rows.values() for name in row)
    columns = {name: [row.get(name) for row in rows.values()] for name in names}
    return {**columns, "guid": list(rows)}, [images.get(key) for key in rows], others


def _head(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    """Return a small file, or enough of a large one to see that it is too large."""
    file = archive.extractfile(member)
    return file.read(LARGEST["text"] + 1) if file else b""


def _entries(path: Path, name: str, content: bytes) -> dict[str, Any]:
    try:
        entries: dict[str, Any] = json.loads(content)
        return {key: value for key, value in entries.items() if key not in ("guid", "image")}
    except (ValueError, AttributeError) as error:
        raise LayoutError(f"{path}: {name} holds no object in JSON: {error}") from error

"""The texts and images of posts in one folder, found by their guids."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Collection, Container, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any, cast

from multimodal_sentiment.posts.problems import Problem, problem
from multimodal_sentiment.wording import reason

from ..files.addresses import read_address
from ..files.local import (
    ALLOW,
    IMAGE_SUFFIXES,
    Kind,
    Links,
    Place,
    UnreadableFileError,
    displayed,
    file_fault,
    is_below,
    is_image,
    read_file,
)
from ..source import Images, PostFiles

TEXT_SUFFIXES = (".txt",)


class PostFolder(PostFiles):
    """A folder's texts and images, listed once, read when asked for.

    Files are found by their exact stem in the listing of the folder and of those below it, never by
    joining a guid to a path. A stem that is spelled in another Unicode form than its guid counts
    where no file has the very guid. Links are followed as far as they lead to what lies in the
    folder, or anywhere if that is allowed.

    Attributes:
        known: Yields lists of guids whose files belong to somebody.
    """

    texts: FileIndex
    images: FileIndex

    def __init__(self, folder: Path, links: Links = "inside") -> None:
        place = Place.of(folder, links)
        self._set_up(folder, place, FileIndex)
        self._folder = str(folder)
        self._place = place
        self._seen = {place.folder}
        self._index("")

    def _set_up(self, folder: Path, place: Place, index: type[FileIndex]) -> None:
        self.name = str(folder)
        self.about = {"layout": "course", "path": str(folder)}
        self.known: Callable[[], Iterable[Collection[str]]] = tuple
        self.texts = index(folder, "text", TEXT_SUFFIXES, place)
        self.images = index(folder, "image", IMAGE_SUFFIXES, place)
        self.remarks: list[str] = []
        self._kinds = {
            suffix: kind for kind in (self.texts, self.images) for suffix in kind.suffixes
        }

    def unclaimed(self, guids: Collection[str]) -> list[str]:
        """Return the files that no guid asks for, or can use, in alphabetical order."""
        files = {*self.texts.stems(), *self.images.stems()}
        for asked in chain([guids], self.known()):
            files.difference_update(asked)
            if any(not stem.isascii() for stem in files):
                normal = {_normal(guid) for guid in asked}
                files = {stem for stem in files if _normal(stem) not in normal}
            if not files:
                break
        names = {*self.texts.names(files, self.images), *self.images.names(files, self.texts)}
        return sorted(map(displayed, names))

    def _index(self, below: str, *, is_outside: bool = False) -> None:
        """Take in the files of a folder and of those in it.

        Args:
            below: The folder, from the one that posts lie in; empty, or ending in a slash.
            is_outside: Whether its files count as lying elsewhere.
        """
        folders = []
        with os.scandir(os.path.join(self._folder, below)) as entries:
            for entry in entries:
                stem, dot, suffix = entry.name.rpartition(".")
                kind = self._kinds.get((dot + suffix).lower())
                if kind is not None and not below and entry.is_file(follow_symlinks=False):
                    kind.add(stem, entry.name)
                    continue
                if os.path.isdir(entry.path):
                    folders.append(entry)
                    if kind is None:
                        continue
                stem = stem if dot else entry.name
                (kind or self.images).add_checked(stem, below + entry.name, is_outside)
        for entry in sorted(folders, key=lambda entry: entry.name):
            self._enter(below + entry.name, is_outside=is_outside)

    def _enter(self, name: str, *, is_outside: bool) -> None:
        """Look into a folder in the folder, unless it has been looked into by another way."""
        real = os.path.realpath(os.path.join(self._folder, name))
        leads_out = not self._place.holds(real)
        shown = displayed(f"{self.name}/{name}")
        if leads_out and not is_outside:
            self.remarks.append(f"{shown} is a link out of the folder: {ALLOW}")
        if real in self._seen or is_outside:
            if is_below(self._place.folder, real):
                self.remarks.append(f"{shown} is a link to a folder that holds it")
            return
        self._seen.add(real)
        try:
            # Of a folder elsewhere one level, so that its files can be told from missing ones.
            self._index(f"{name}/", is_outside=leads_out)
        except OSError as error:
            self.remarks.append(f"{shown} cannot be looked into: {reason(error)}")


class FileIndex(Images):
    """The files of one kind in a folder, by guid.

    Attributes:
        suffixes: In lower case, the preferred ones first.
    """

    def __init__(self, folder: Path, kind: Kind, suffixes: tuple[str, ...], place: Place) -> None:
        self.suffixes = suffixes
        self._folder = folder
        self._name_of_folder = folder.name
        self._kind = kind
        self._place = place
        self._found: dict[str, str] = {}  # guid -> path in the folder
        self._faults: dict[str, Problem] = {}
        self._several: set[str] = set()
        self._others: dict[str, list[str]] = {}  # of suffixes that tell nothing
        self._respelled: dict[str, str] = {}  # normal form -> guid as the disk spells it

    def __contains__(self, guid: str) -> bool:
        return bool(self._name(guid))

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def add(self, guid: str, path: str) -> None:
        """Take in a file, if it is preferred to those that are known."""
        self._note_spelling(guid)
        other = self._found.setdefault(guid, path)
        if other != path:
            if not self._are_one(other, path):
                self._several.add(guid)
            self._found[guid] = min(other, path, key=self._preference)

    def add_checked(self, guid: str, path: str, is_outside: bool) -> None:
        """Take in what may be a link, lies in another folder, or tells nothing by its suffix."""
        if os.path.splitext(path)[1].lower() not in self.suffixes:
            self._note_spelling(guid)
            self._others.setdefault(guid, []).append(path)
            return
        fault = (
            problem(f"{self._kind}_outside", displayed(path))
            if is_outside and self._place.links != "anywhere"
            else file_fault(self._path_on_disk(path), self._kind, self._place, displayed(path))
        )
        if fault is None:
            self.add(guid, path)
        else:
            self._note_spelling(guid)
            self._faults[guid] = fault

    def path(self, guid: str) -> str:
        """Return the file's path from the parent of the folder, such as `data/4597.jpg`.

        Empty if there is no file.
        """
        name = self._name(guid)
        return displayed(f"{self._name_of_folder}/{name}") if name else ""

    def looked_for(self, guid: str) -> str:
        """Return where a post's file would lie."""
        return f"{self._name_of_folder}/{guid}{self.suffixes[0]}"

    def problem(self, guid: str) -> Problem | None:
        """Return why there is no file, or what is odd about the choice of it."""
        name = self._name(guid)
        guid = self._spelling(guid)
        if not name:
            return self._faults.get(guid) or problem(f"no_{self._kind}")
        is_one = guid not in self._several
        return None if is_one else problem(f"several_{self._kind}s", displayed(name))

    def read(self, guid: str) -> bytes:
        """Return all bytes of the file.

        Raises:
            UnreadableFileError: If there is no such file, it cannot be read, or it is too large.
        """
        name = self._name(guid)
        if not name:
            raise UnreadableFileError(self.problem(guid) or problem(f"no_{self._kind}"))
        return self._content(name)

    def stems(self) -> Iterator[str]:
        """Yield the stems of all files, as the disk spells them."""
        return chain(self._found, self._others)

    def names(self, stems: Container[str], others: Images) -> Iterator[str]:
        """Yield the paths in the folder of the files that have one of some stems.

        Of other stems, those of unknown suffixes that are not used, where the post lacks a file of
        this kind or of the other.

        Args:
            stems: Of files that belong to nobody.
            others: The files of the other kind.
        """
        yield from (path for stem, path in self._found.items() if stem in stems)
        for stem, paths in self._others.items():
            if stem in stems:
                yield from paths
                continue
            used = self._name(stem)
            if not used or stem not in others:
                yield from (path for path in paths if path != used)

    def _name(self, guid: str) -> str:
        """Return a file's path in the folder, or nothing."""
        guid = self._spelling(guid)
        if guid in self._found:
            return self._found[guid]
        others = sorted(self._others.get(guid, ())) if self._kind == "image" else []
        return next(filter(self._is_image, others), "")

    def _is_image(self, path: str) -> bool:
        """Return whether a file of an unknown suffix is an image that may be read."""
        on_disk = self._path_on_disk(path)
        return is_image(on_disk) and self._place.holds(on_disk)

    def _note_spelling(self, guid: str) -> None:
        if not guid.isascii():
            self._respelled.setdefault(_normal(guid), guid)

    def _spelling(self, guid: str) -> str:
        """Return a guid as the disk spells it."""
        if guid.isascii() or guid in self._found:
            return guid
        return self._respelled.get(_normal(guid), guid)

    def _content(self, name: str) -> bytes:
        return read_file(self._path_on_disk(name), self._kind)

    def _are_one(self, path: str, other: str) -> bool:
        """Return whether two paths lead to one file, as a link and what it links to do."""
        return os.path.samefile(self._path_on_disk(path), self._path_on_disk(other))

    def _path_on_disk(self, path: str) -> str:
        return f"{self._folder}/{path}"

    def _preference(self, path: str) -> tuple[bool, int, int, str]:
        """Prefer files of the folder itself, then certain suffixes, then what lies less deep."""
        suffix = path[path.rindex(".") :].lower()
        return "/" in path, self.suffixes.index(suffix), path.count("/"), path


class AddressFolder(PostFolder):
    """Texts and images below an address, listed once, read when asked for; there are no links."""

    def __init__(self, folder: Path) -> None:
        self._set_up(folder, Place("", "anywhere"), AddressIndex)
        address = cast(Any, folder)
        start = len(address.path.rstrip("/")) + 1
        for path in address.fs.find(address.path):
            below = path[start:]
            stem, dot, suffix = below.rpartition("/")[2].rpartition(".")
            kind = self._kinds.get((dot + suffix).lower())
            if kind is not None:
                kind.add(stem, below)


class AddressIndex(FileIndex):
    """The files of one kind below an address, by guid."""

    def _content(self, name: str) -> bytes:
        return read_address(self._folder / name, self._kind)

    def _are_one(self, path: str, other: str) -> bool:
        """Return False: there are no links."""
        del path, other
        return False


def _normal(name: str) -> str:
    return name if name.isascii() else unicodedata.normalize("NFC", name)

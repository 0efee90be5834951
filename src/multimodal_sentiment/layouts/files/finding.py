"""Files that a table names: relative to it or to a folder, or by their whole path."""

from __future__ import annotations

import glob
import os
import posixpath
import re
import unicodedata
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, NamedTuple

from multimodal_sentiment.posts.problems import Problem, problem

from .addresses import is_remote, read_address, unreadable
from .local import IMAGE_SUFFIXES, Kind, Links, Place, displayed, file_fault, is_below, read_file

_URL = re.compile(r"[a-z][a-z0-9+.-]+://|data:", re.IGNORECASE)
_SUFFIXES: dict[Kind, tuple[str, ...]] = {"text": (".txt",), "image": IMAGE_SUFFIXES}
_LONGEST = 200  # characters of a path or URL in a problem


class Found(NamedTuple):
    """Where a file lies that a table names.

    Attributes:
        path: On the disk; empty if it cannot be had.
        shown: As the table has it.
        problem: Why it cannot be had.
        oddity: What is odd about it, though it can.
    """

    path: str
    shown: str
    problem: Problem | None
    oddity: Problem | None = None


class Finder(ABC):
    """Finds the files that cells name.

    Attributes:
        folder: Where relative paths start.
        outside: Files elsewhere, which the table names by whole paths.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outside: set[str] = set()
        # Names that were found, by folder: normalised, as its path may be written in many ways.
        self._asked: dict[str, set[str]] = {}

    def find(self, name: str, kind: Kind, *, absolute: bool) -> Found:
        """Find a file.

        Args:
            name: As the table has it.
            kind: What it should be.
            absolute: Whether a whole path may lead anywhere.
        """
        if not name:
            return Found("", "", problem(f"no_{kind}"))
        if _URL.match(name):
            return Found("", "", problem(f"{kind}_url", name[:_LONGEST]))
        return self._find(name, kind, absolute)

    @abstractmethod
    def _find(self, name: str, kind: Kind, absolute: bool) -> Found:
        """Find a file that has a name; see `find`."""

    @abstractmethod
    def read(self, path: str, kind: Kind) -> bytes:
        """Return the content of a file that was found.

        Raises:
            UnreadableFileError: If it cannot be read, or is too large.
        """

    @abstractmethod
    def looked_for(self, name: str) -> str:
        """Return where a file should lie."""

    @property
    def is_used(self) -> bool:
        """Whether a file has been looked for."""
        return bool(self._asked)

    def unclaimed(self) -> list[str]:
        """Return the files in the folders of those that were found, which were not asked for."""
        return []


def find_files_in(folder: Path, links: Links) -> Finder:
    """Return what finds the files of a folder, or of an address."""
    return AddressFinder(folder) if is_remote(folder) else FileFinder(folder, links)


class AddressFinder(Finder):
    """Finds files below an address, by the very names that the table has."""

    folder: Any

    def _find(self, name: str, kind: Kind, absolute: bool) -> Found:
        below = posixpath.normpath(name.replace("\\", "/"))
        if below.startswith(("/", "..")):
            return Found("", "", problem(f"{kind}_outside", name[:_LONGEST]))
        try:
            self.folder.fs.info((self.folder / below).path)
        except FileNotFoundError:
            return Found("", "", problem(f"no_{kind}"))
        except PermissionError as error:
            return Found("", "", unreadable(kind, error))
        return Found(below, name, None)

    def read(self, path: str, kind: Kind) -> bytes:
        """Return the content of a file; see `Finder`."""
        return read_address(self.folder / path, kind)

    def looked_for(self, name: str) -> str:
        """Return where a file should lie."""
        return f"{self.folder}/{name[:_LONGEST]}"


class FileFinder(Finder):
    """Finds files on this machine.

    Args of `find` are names as a table has them: a path, with slashes of either kind, in any
    Unicode form, with or without its suffix.
    """

    def __init__(self, folder: Path, links: Links) -> None:
        """Take a folder.

        Args:
            folder: Where relative paths start.
            links: See `local.Place`.
        """
        super().__init__(folder)
        self._place = Place.of(folder, links)
        self._anywhere = Place(self._place.folder, "anywhere")
        # The names in each folder, by what they may be called.
        self._listed: dict[str, dict[str, str]] = {}
        self._stems: dict[tuple[str, Kind], dict[str, str]] = {}

    def _find(self, name: str, kind: Kind, absolute: bool) -> Found:
        shown = name[:_LONGEST]
        place = self._anywhere if absolute and os.path.isabs(name) else self._place
        path = os.path.join(self.folder, name)
        self._asked.setdefault(os.path.normpath(os.path.dirname(path)), set())
        fault = file_fault(path, kind, place, shown)
        if fault is not None and fault.code == f"no_{kind}":
            other = self._spelled_otherwise(path, kind) or self._spelled_otherwise(
                os.path.join(self.folder, name.replace("\\", "/")), kind
            )
            if other:
                path, fault = other, file_fault(other, kind, place, shown)
        if fault is not None:
            return Found("", "", fault)
        folder, base = os.path.split(path)
        self._asked.setdefault(os.path.normpath(folder), set()).add(base)
        if place is self._anywhere and not self._place.holds(path):
            self.outside.add(path)
        return Found(path, name, None)

    def read(self, path: str, kind: Kind) -> bytes:
        """Return the content of a file; see `Finder`."""
        return read_file(path, kind)

    def looked_for(self, name: str) -> str:
        """Return where a file should lie, and where one of its name does."""
        place = os.path.join(self.folder, name[:_LONGEST])
        if _URL.match(name):
            return name[:_LONGEST]
        below = os.path.normpath(name.replace("\\", "/"))
        if "\0" in name or len(name) > _LONGEST or below.startswith(("..", "/")):
            return place
        ways = (f"{way}/{glob.escape(below)}" for way in ("*", "*/*"))
        try:
            found = next((str(file) for way in ways for file in self.folder.glob(way)), None)
        except (OSError, ValueError):  # no file may have such a name
            return place
        if found is None:
            return place
        other = os.path.relpath(found[: -len(below) - 1], self.folder)
        return f"{place} (which lies in {other}: see columns.image_folder)"

    def unclaimed(self) -> list[str]:
        """Return the files in the folders of those that were found, which were not asked for.

        A folder elsewhere may well hold other things: its files count only if none was found in it,
        as they then show what was looked for and missed.
        """
        names = []
        for folder, asked in self._asked.items():
            inside = is_below(os.path.realpath(folder), self._place.folder)
            if asked and not inside:
                continue
            names += [
                displayed(
                    os.path.relpath(os.path.join(folder, name), self.folder) if inside else name
                )
                for name in set(self._names(folder).values()) - asked
                if os.path.isfile(os.path.join(folder, name))
            ]
        return names

    def _spelled_otherwise(self, path: str, kind: Kind | None) -> str | None:
        """Return a file whose name differs in its Unicode form, or in the suffix that it has.

        Folders on the way to it may be spelled otherwise too. A suffix may differ by case, as in
        `1.JPG`, or be missing: it is then a suffix of that kind, or else one of neither.
        """
        folder, base = os.path.split(path)
        if folder != path and not os.path.isdir(folder):
            folder = self._spelled_otherwise(folder, None) or folder
        names = self._names(folder)
        found = names.get(_normal(base)) or names.get(_plain(base))
        if kind is not None and not found:
            found = self._without_suffix(folder, kind).get(_normal(base))
        return os.path.join(folder, found) if found else None

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._listed:
            names: dict[str, str] = {}
            try:
                listed = sorted(os.listdir(folder))
            except (OSError, ValueError):
                listed = []
            for called in (_normal, _plain):
                for name in listed:
                    names.setdefault(called(name), name)
            self._listed[folder] = names
        return self._listed[folder]

    def _without_suffix(self, folder: str, kind: Kind) -> dict[str, str]:
        """Return the files that may be of a kind by what they are called without their suffix."""
        key = folder, kind
        if key not in self._stems:
            own, other = _SUFFIXES[kind], _SUFFIXES["text" if kind == "image" else "image"]
            stems: dict[str, str] = {}
            for wanted in (*own, None):  # those of an unknown suffix come last
                for name in sorted(set(self._names(folder).values())):
                    stem, suffix = os.path.splitext(name)
                    suffix = suffix.lower()
                    if suffix == wanted or (wanted is None and suffix not in own + other):
                        stems.setdefault(_normal(stem), name)
            self._stems[key] = stems
        return self._stems[key]


def _normal(name: str) -> str:
    return unicodedata.normalize("NFC", name)


def _plain(name: str) -> str:
    """Return a name in one Unicode form, with its suffix in lower case."""
    stem, suffix = os.path.splitext(name)
    return _normal(stem + suffix.lower())

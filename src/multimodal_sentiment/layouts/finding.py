"""Files that a table names: relative to it or to a folder, or by their whole path."""

from __future__ import annotations

import os
import re
import unicodedata
from pathlib import Path
from typing import NamedTuple

from multimodal_sentiment.posts.problems import Problem, problem

from .files import Kind, Links, Place, displayed, file_fault, is_below

_URL = re.compile(r"[a-z][a-z0-9+.-]+://|data:", re.IGNORECASE)
_LONGEST = 200  # characters of a path or URL in a problem


class Found(NamedTuple):
    """Where a file lies that a table names.

    Attributes:
        path: On the disk; empty if it cannot be had.
        shown: As the table has it.
        problem: Why it cannot be had.
    """

    path: str
    shown: str
    problem: Problem | None


class FileFinder:
    """Finds the files that cells name.

    Args of `find` are names as a table has them: a path, with slashes of either kind, in any
    Unicode form, with or without its suffix.
    """

    def __init__(self, folder: Path, links: Links) -> None:
        """Take a folder.

        Args:
            folder: Where relative paths start.
            links: See `files.Place`.
        """
        self.folder = folder
        self.outside: set[str] = set()  # files elsewhere, which the table names by whole paths
        self._place = Place.of(folder, links)
        self._anywhere = Place(self._place.folder, "anywhere")
        self._listed: dict[
            str, dict[str, str]
        ] = {}  # names in a folder, by what they may be called
        self._asked: dict[str, set[str]] = {}  # names that were found, by folder

    def find(self, name: str, kind: Kind, *, absolute: bool) -> Found:
        """Find a file.

        Args:
            name: As the table has it.
            kind: What it should be.
            absolute: Whether a whole path may lead anywhere.
        """
        shown = name[:_LONGEST]
        if not name:
            return Found("", "", problem(f"no_{kind}"))
        if _URL.match(name):
            return Found("", "", problem(f"{kind}_url", shown))
        place = self._anywhere if absolute and os.path.isabs(name) else self._place
        path = os.path.join(self.folder, name)
        self._asked.setdefault(os.path.dirname(path), set())
        fault = file_fault(path, kind, place, shown)
        if fault is not None and fault.code == f"no_{kind}":
            other = self._spelled_otherwise(path) or self._spelled_otherwise(
                os.path.join(self.folder, name.replace("\\", "/"))
            )
            if other:
                path, fault = other, file_fault(other, kind, place, shown)
        if fault is not None:
            return Found("", "", fault)
        folder, base = os.path.split(path)
        self._asked.setdefault(folder, set()).add(base)
        if place is self._anywhere and not self._place.holds(path):
            self.outside.add(path)
        return Found(path, name, None)

    @property
    def is_used(self) -> bool:
        """Whether a file has been looked for."""
        return bool(self._asked)

    def looked_for(self, name: str) -> str:
        """Return where a file should lie."""
        return os.path.join(self.folder, name)

    def unclaimed(self) -> list[str]:
        """Return the files in the folders of those that were found, which were not asked for."""
        names = []
        for folder, asked in self._asked.items():
            inside = is_below(os.path.realpath(folder), self._place.folder)
            names += [
                displayed(
                    os.path.relpath(os.path.join(folder, name), self.folder) if inside else name
                )
                for name in set(self._names(folder).values()) - asked
                if os.path.isfile(os.path.join(folder, name))
            ]
        return names

    def _spelled_otherwise(self, path: str) -> str | None:
        """Return a file whose name differs in its Unicode form, or in the suffix that it has."""
        folder, base = os.path.split(path)
        if not os.path.isdir(folder):
            folder = unicodedata.normalize("NFC", folder)
        names = self._names(folder)
        found = names.get(unicodedata.normalize("NFC", base))
        return os.path.join(folder, found) if found else None

    def _names(self, folder: str) -> dict[str, str]:
        if folder not in self._listed:
            names: dict[str, str] = {}
            try:
                listed = sorted(os.listdir(folder))
            except (OSError, ValueError):
                listed = []
            for name in listed:
                names.setdefault(unicodedata.normalize("NFC", name), name)
            for name in listed:
                names.setdefault(unicodedata.normalize("NFC", os.path.splitext(name)[0]), name)
            self._listed[folder] = names
        return self._listed[folder]

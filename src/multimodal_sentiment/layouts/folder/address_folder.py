"""The texts and images of posts below an address, found by their guids; see `post_folder`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from multimodal_sentiment.posts.problems import problem

from ..files.addresses import read_address
from ..files.local import Place, UnreadableFileError
from .post_folder import FileIndex, PostFolder


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
            if kind is None:
                continue
            if "/" in below:
                kind.add_path(stem, below, is_outside=False)
            else:
                kind.add(stem, dot + suffix)


class AddressIndex(FileIndex):
    """The files of one kind below an address, by guid."""

    def add_path(self, guid: str, path: str, is_outside: bool) -> None:
        """Take in a file of a folder in the folder."""
        del is_outside
        self._note_spelling(guid)
        self._prefer(guid, path)

    def read(self, guid: str) -> bytes:
        """Return all bytes of the file; see `FileIndex`."""
        name = self._name(guid)
        if not name:
            raise UnreadableFileError(self.problem(guid) or problem(f"no_{self._kind}"))
        return read_address(self._folder / name, self._kind)

    def _are_one(self, path: str, other: str) -> bool:
        """Return False: there are no links."""
        del path, other
        return False

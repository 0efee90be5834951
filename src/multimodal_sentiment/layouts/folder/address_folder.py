"""The texts and images of posts below an address, found by their guids; see `post_folder`."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from ..files.addresses import read_address
from ..files.local import Place
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

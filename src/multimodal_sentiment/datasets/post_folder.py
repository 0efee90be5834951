"""The folder of posts as a dataset."""

from __future__ import annotations

import heapq
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from kedro.io import AbstractDataset, DatasetError

from multimodal_sentiment.posts.problems import Problem, problem

from .previews import TablePreview

TEXT_SUFFIXES = (".txt",)
# If a post has several images, the first of these is used. What an image is, its content tells.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"
)  # fmt: skip

# Far above any post. What is larger is not read, so that no file can fill the memory.
LARGEST_TEXT = 2**20  # bytes
LARGEST_IMAGE = 100 * 2**20

_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)


class PostFiles:
    """A folder's texts and images, listed once, read when asked for.

    Files are found in the folder's listing by their exact stem, never by joining a guid to a path.
    Only regular files count; a link or a folder in the place of one is not followed.

    Attributes:
        folder: Where they lie.
        texts: The text files.
        images: The images.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.texts = FileIndex(folder, "text", TEXT_SUFFIXES, LARGEST_TEXT)
        self.images = FileIndex(folder, "image", IMAGE_SUFFIXES, LARGEST_IMAGE)
        kinds = {suffix: kind for kind in (self.texts, self.images) for suffix in kind.suffixes}
        with os.scandir(folder) as entries:
            for entry in entries:
                guid, dot, suffix = entry.name.rpartition(".")
                kind = kinds.get((dot + suffix).lower())
                if kind is not None:
                    kind.add(guid, dot + suffix, entry.is_file(follow_symlinks=False))


class FileIndex:
    """The files of one kind in a folder, by guid.

    Attributes:
        suffixes: In lower case, the preferred ones first.
    """

    def __init__(self, folder: Path, kind: str, suffixes: tuple[str, ...], largest: int) -> None:
        self.suffixes = suffixes
        self._folder = folder
        self._kind = kind
        self._largest = largest
        self._found: dict[str, str] = {}  # guid -> suffix: less to hold than a million names
        self._irregular: set[str] = set()
        self._several: set[str] = set()

    def __contains__(self, guid: str) -> bool:
        return guid in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def add(self, guid: str, suffix: str, is_regular: bool) -> None:
        """Take a file into the index."""
        if not is_regular:
            self._irregular.add(guid)
            return
        other = self._found.setdefault(guid, sys.intern(suffix))
        if other != suffix:
            self._several.add(guid)
            self._found[guid] = min(other, sys.intern(suffix), key=self._preference)

    def path(self, guid: str) -> str:
        """Return the file's path from the parent of the folder, such as `data/4597.jpg`.

        Empty if there is no file.
        """
        return f"{self._folder.name}/{self._name(guid)}" if guid in self else ""

    def problem(self, guid: str) -> Problem | None:
        """Return why there is no file, or what is odd about the choice of it."""
        if guid in self._several:
            return problem(f"several_{self._kind}s", self._name(guid))
        if guid in self:
            return None
        return problem(f"{self._kind}_irregular" if guid in self._irregular else f"no_{self._kind}")

    def read(self, guid: str) -> bytes:
        """Return all bytes of the file.

        Raises:
            UnreadableFileError: If there is no such file, it cannot be read, or it is too large.
        """
        if guid not in self:
            raise UnreadableFileError(self.problem(guid) or problem(f"no_{self._kind}"))
        try:
            # Not open(): to make a file object takes longer than to read a post.
            descriptor = os.open(f"{self._folder}/{self._name(guid)}", _TO_READ)
            try:
                size = os.fstat(descriptor).st_size
                if size > self._largest:
                    megabytes = f"{size / 1e6:.1f}"
                    raise UnreadableFileError(problem(f"{self._kind}_too_large", megabytes))
                return _all_of(descriptor, size)
            finally:
                os.close(descriptor)
        except OSError as error:
            raise UnreadableFileError(
                problem(f"{self._kind}_unreadable", error.strerror)
            ) from error

    def _name(self, guid: str) -> str:
        return guid + self._found[guid]

    def _preference(self, suffix: str) -> tuple[int, str]:
        return self.suffixes.index(suffix.lower()), suffix


def _all_of(descriptor: int, size: int) -> bytes:
    content = os.read(descriptor, size)
    while len(content) < size and (more := os.read(descriptor, size - len(content))):
        content += more  # some file systems give less at a time than they are asked for
    return content


class UnreadableFileError(Exception):
    """A post's text or image cannot be had.

    Attributes:
        problem: Why; to be noted for the post.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.words)
        self.problem = problem


class PostFolderDataset(AbstractDataset[None, PostFiles]):
    """``PostFolderDataset`` finds the texts and images of posts in one folder.

    A post's text is ``<guid>.txt``, its image ``<guid>`` with the suffix of an image, in upper or
    lower case. Loading lists the folder; the files are read when the ``PostFiles`` are asked for
    them. It is read only.

    Example usage for the YAML API:

    ```yaml
    post_files:
      type: multimodal_sentiment.datasets.PostFolderDataset
      path: data/01_raw/data
    ```

    Example usage for the Python API:

    >>> files = PostFolderDataset(path="data/01_raw/data").load()
    >>> files.images.path("4597")
    'data/4597.jpg'
    >>> files.texts.read("4597")
    b'Nice day'
    """

    def __init__(self, *, path: str, metadata: dict[str, Any] | None = None) -> None:
        """Creates a new instance of ``PostFolderDataset``.

        Args:
            path: The folder.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._path = Path(path)
        self.metadata = metadata

    def load(self) -> PostFiles:
        """List the folder.

        Raises:
            DatasetError: If there is no such folder, or it cannot be listed.
        """
        try:
            return PostFiles(self._path)
        except OSError as error:
            raise DatasetError(
                f"the folder of posts {self._path} cannot be listed: {error.strerror}"
            ) from error

    def save(self, data: None) -> NoReturn:
        """Refuse: posts are the user's own.

        Raises:
            DatasetError: Always.
        """
        raise DatasetError(f"the folder of posts {self._path} is only read, never written")

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first posts by name and their files, for Kedro-Viz."""
        files = self.load()
        guids = heapq.nsmallest(nrows, {*files.texts, *files.images})
        rows = [[guid, files.texts.path(guid), files.images.path(guid)] for guid in guids]
        return TablePreview(
            {
                "index": list(range(len(rows))),
                "columns": ["guid", "text file", "image"],
                # A name that is not UTF-8 comes with surrogates, which JSON cannot hold.
                "data": [[cell.encode(errors="replace").decode() for cell in row] for row in rows],
            }
        )

    def _exists(self) -> bool:
        return self._path.is_dir()

    def _describe(self) -> dict[str, Any]:
        return {"path": self._path}

"""A user's posts as datasets, in whatever layout they lie."""

from __future__ import annotations

import heapq
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kedro.io import DatasetError

from multimodal_sentiment.files import is_pattern
from multimodal_sentiment.layouts import (
    LayoutError,
    Namespace,
    Options,
    PostFiles,
    find_path,
    open_source,
)
from multimodal_sentiment.layouts.files.local import displayed

from .bases import ReadOnlyDataset
from .previews import TablePreview

if TYPE_CHECKING:
    import pandas as pd

    from multimodal_sentiment.layouts import Source


class _PostSourceDataset(ReadOnlyDataset[Any]):
    """What both datasets share: where the posts lie, and how they are read."""

    def __init__(
        self,
        *,
        path: str,
        layout: str | None = None,
        links: str = "inside",
        labels: Sequence[str] | None = None,
        encodings: Sequence[str] | None = None,
        columns: dict[str, str | None] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        """Create a new instance.

        Args:
            path: The folder or file, a pattern of files, or an address such as `s3://bucket/posts`.
            layout: One of `layouts.LAYOUTS`; None recognises it.
            links: `inside` refuses links out of the folder, `anywhere` follows them.
            labels: The tags there are, if they are known.
            encodings: The encodings that texts may be in; None means all that are known.
            columns: The names of a table's columns, by what they hold.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._raw = path
        self._options = Options(
            layout,
            "anywhere" if links == "anywhere" else "inside",
            labels,
            encodings,
            columns or {},
        )
        self.metadata = metadata

    def _open(self) -> Source:
        return open_source(find_path(self._raw), self._options)

    def _describe(self) -> dict[str, Any]:
        return {"path": self._raw}


class _NamespaceDataset(_PostSourceDataset):
    """What is of the posts of one namespace."""

    def __init__(self, *, namespace: Namespace, **options: Any) -> None:
        """Create a new instance.

        Args:
            namespace: `labelled` (posts with tags) or `unlabelled` (those to be predicted).
            **options: As for ``PostFilesDataset``.
        """
        super().__init__(**options)
        self._namespace = namespace

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows of the listing, for Kedro-Viz."""
        rows = self._listing(self._open()).head(nrows)
        return TablePreview(rows.to_dict(orient="split"))

    def has_no_new_posts(self) -> bool:
        """Return whether one listing holds all posts, and none of them is to be predicted."""
        try:
            return self._open().has_no_new_posts()
        except LayoutError:  # the listing says what is wrong
            return False

    def _listing(self, source: Source) -> pd.DataFrame:
        if self._namespace == "unlabelled" and source.has_no_new_posts():
            return source.listing("labelled").head(0)
        return source.listing(self._namespace)

    @property
    def _path(self) -> Path | str:
        """Where the listing lies, for messages."""
        try:
            return self._open().place_of(self._namespace)
        except LayoutError:
            return self._raw

    def _exists(self) -> bool:
        try:
            source = self._open()
            if not source.has(self._namespace) and _is_there(source.place_of(self._namespace)):
                source.listing(self._namespace)  # says why there is none
            return source.has(self._namespace)
        except LayoutError as error:
            raise DatasetError(str(error)) from error


class PostListingDataset(_NamespaceDataset):
    """``PostListingDataset`` loads the list of posts and their tags.

    It is read only. See ``multimodal_sentiment.layouts`` for how posts may lie.

    Example usage for the YAML API:

    ```yaml
    labelled.listing:
      type: multimodal_sentiment.datasets.PostListingDataset
      path: data/01_raw
      namespace: labelled
    ```

    Example usage for the Python API:

    >>> PostListingDataset(path="data/01_raw", namespace="labelled").load()
       guid       tag
    0  4597  negative
    1    26   neutral
    """

    def load(self) -> pd.DataFrame:
        """Read the whole list, in its order: columns `guid`, `tag` and, if declared, `split`.

        Where one listing holds all posts and each has a tag, the list of those to be predicted is
        empty. `exists` refuses that: a run that also trains does not ask it.

        Raises:
            DatasetError: If it cannot be read, or lists none.
        """
        try:
            return self._listing(self._open())
        except LayoutError as error:
            raise DatasetError(str(error)) from error


class PostTablesDataset(_NamespaceDataset):
    """``PostTablesDataset`` loads the source of posts itself, which can copy its tables.

    It is read only.

    Example usage for the YAML API:

    ```yaml
    unlabelled.tables:
      type: multimodal_sentiment.datasets.PostTablesDataset
      path: data/01_raw
      namespace: unlabelled
    ```

    Example usage for the Python API:

    >>> source = PostTablesDataset(path="posts.csv", namespace="unlabelled").load()
    >>> source.write_answers(answers, Path("answered"))
    """

    def load(self) -> Source:
        """Open the source.

        Raises:
            DatasetError: If it cannot be read.
        """
        try:
            return self._open()
        except LayoutError as error:
            raise DatasetError(str(error)) from error

    def _exists(self) -> bool:
        return True  # the listing says what is missing


class PostFilesDataset(_PostSourceDataset):
    """``PostFilesDataset`` finds the texts and images of posts, wherever these lie.

    In the course's layout a post's text is ``data/<guid>.txt``, its image ``data/<guid>`` with the
    suffix of an image; in a table they are cells, or files that cells name. They are read when the
    ``PostFiles`` are asked for them. It is read only.

    Example usage for the YAML API:

    ```yaml
    post_files:
      type: multimodal_sentiment.datasets.PostFilesDataset
      path: data/01_raw
    ```

    Example usage for the Python API:

    >>> files = PostFilesDataset(path="data/01_raw").load()
    >>> files.images.path("4597")
    'data/4597.jpg'
    >>> files.texts.read("4597")
    b'Nice day'
    """

    def load(self) -> PostFiles:
        """Find texts and images.

        Raises:
            DatasetError: If they cannot be found.
        """
        try:
            files = self._open().files()
        except LayoutError as error:
            raise DatasetError(str(error)) from error
        raw = self._raw if "://" in self._raw else os.path.abspath(self._raw)
        files.reopen = partial(_open_files, raw, replace(self._options, here=Path.cwd()))
        return files

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first posts by name and their files, for Kedro-Viz."""
        files = self.load()
        guids = heapq.nsmallest(nrows, {*files.texts, *files.images})
        rows = [
            [displayed(guid), files.texts.path(guid), files.images.path(guid)] for guid in guids
        ]
        return TablePreview(
            {
                "index": list(range(len(rows))),
                "columns": ["guid", "text file", "image"],
                "data": rows,
            }
        )

    def _exists(self) -> bool:
        try:
            return _is_there(self._open().folder)
        except LayoutError:
            return True  # the listing says what is wrong

    @property
    def _path(self) -> Path | str:
        """Where the files lie, for messages."""
        try:
            return self._open().folder
        except LayoutError:
            return self._raw


def _is_there(path: Path) -> bool:
    """Return whether a source's path exists; a pattern that was opened fits some file."""
    return is_pattern(path) or path.exists()


def _open_files(raw: str, options: Options) -> PostFiles:
    return open_source(find_path(raw), options).files()

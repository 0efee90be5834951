"""What every layout becomes: two listings of posts, and their texts and images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

from multimodal_sentiment.posts.problems import Problem

from .files.local import Links

if TYPE_CHECKING:
    import pandas as pd

Namespace = Literal["labelled", "unlabelled"]


@dataclass(frozen=True)
class Options:
    """How a source is read: the parameters `columns` and some of `ingestion`.

    Attributes:
        layout: The layout's name; None recognises it.
        links: See `files.local.Place`.
        labels: The tags there are, if they are known before the posts are read.
        encodings: What texts may be written in; None means all that are known.
        columns: The user's names of a table's columns, by what they hold; and `image_folder`.
        here: Where an `image_folder` lies that does not lie beside the table.
    """

    layout: str | None = None
    links: Links = "inside"
    labels: Sequence[str] | None = None
    encodings: Sequence[str] | None = None
    columns: Mapping[str, str | None] = field(default_factory=dict)
    here: Path = Path()


class Contents(ABC):
    """The texts, or the images, of posts, by guid."""

    def is_due(self, guid: str) -> bool:
        """Return whether a post should have some: a file is named, or there is no place for any."""
        return False

    @abstractmethod
    def __contains__(self, guid: str) -> bool:
        """Return whether the content can be had, as far as that is known before it is read."""

    @abstractmethod
    def __iter__(self) -> Iterator[str]:
        """Yield the guids for which there may be some."""

    @abstractmethod
    def path(self, guid: str) -> str:
        """Return where the content lies, in the user's words, such as `data/4597.jpg`.

        Empty if there is none.
        """

    @abstractmethod
    def looked_for(self, guid: str) -> str:
        """Return where the content should lie."""

    @abstractmethod
    def problem(self, guid: str) -> Problem | None:
        """Return why there is none, or what is odd about it."""

    @abstractmethod
    def read(self, guid: str) -> bytes | str:
        """Return the content: bytes, or a text that its source has decoded.

        Raises:
            UnreadableFileError: If it cannot be had.
        """


class Images(Contents):
    """The images of posts: whatever holds them, they are bytes."""

    @abstractmethod
    def read(self, guid: str) -> bytes:
        """Return the bytes of an image's file.

        Raises:
            UnreadableFileError: If they cannot be had.
        """


class PostFiles(ABC):
    """The texts and images of a source, found at once, read when asked for.

    Attributes:
        name: Where they lie, for messages.
        texts: The texts.
        images: The images.
        about: What the source was taken for: its layout, path, format, encoding, separator and
            columns, whatever of these it has.
        remarks: What the user should know of the source, a line each.
        doubt: What is doubtful about the encoding of all of them, as far as that is known before
            the posts' texts are read; or nothing.
        reopen: Opens them in another process, if that is known how.
    """

    name: str
    texts: Contents
    images: Images
    about: dict[str, Any]
    remarks: list[str]
    doubt: str = ""
    reopen: Callable[[], PostFiles] | None = None

    def __reduce_ex__(self, protocol: SupportsIndex) -> Any:
        """Have another process open them itself: open files cannot be sent, nor large tables."""
        return (self.reopen, ()) if self.reopen else super().__reduce_ex__(protocol)

    @property
    def outside(self) -> int:
        """How many files were found so far that lie elsewhere, named by their whole paths."""
        return 0

    @abstractmethod
    def unclaimed(self, guids: Collection[str]) -> list[str]:
        """Return the files beside the posts' that belong to none, or that none can use.

        They are in alphabetical order.
        """


class Source(ABC):
    """A user's posts, recognised.

    Attributes:
        path: The folder or file.
    """

    path: Path

    @abstractmethod
    def has(self, namespace: Namespace) -> bool:
        """Return whether there is such a listing; that it can be read is not checked."""

    @abstractmethod
    def place_of(self, namespace: Namespace) -> Path:
        """Return where the listing lies, or would."""

    @abstractmethod
    def listing(self, namespace: Namespace) -> pd.DataFrame:
        """Return the posts in order: `guid, tag` and, where the source declares one, `split`.

        `labelled` are posts with a tag which the source does not keep for testing; `unlabelled` are
        those that it keeps, and those without a tag.

        Raises:
            LayoutError: If it cannot be read, or lists none.
        """

    def has_no_new_posts(self) -> bool:
        """Return whether one listing holds all posts, and none of them is to be predicted."""
        is_one = self.place_of("labelled") == self.place_of("unlabelled")
        return is_one and self.has("labelled") and not self.has("unlabelled")

    def write_answers(self, answers: pd.DataFrame, folder: Path) -> None:
        """Write a copy of the user's table of posts to be predicted, with the answers beside.

        Args:
            answers: Columns of texts and numbers; the index is `guid`.
            folder: Where it is written, under its own name.
        """
        if self.has_no_new_posts():
            return
        listing = self.listing("unlabelled").drop_duplicates("guid")
        table = listing.join(answers, on="guid", rsuffix="_")
        name = self.place_of("unlabelled").name
        table.to_csv(folder / name, index=False, float_format="%.6f", lineterminator="\n")

    @property
    def folder(self) -> Path:
        """Where texts and images lie, or would."""
        return self.path

    @abstractmethod
    def files(self) -> PostFiles:
        """Return the texts and images of all posts.

        Raises:
            LayoutError: If they cannot be found.
        """

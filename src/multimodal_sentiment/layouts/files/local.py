"""How one file of a user's is read: bounded, only where it may lie, and in which encoding."""

from __future__ import annotations

import codecs
import math
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from multimodal_sentiment.posts.metadata import HEIC_BRANDS
from multimodal_sentiment.posts.problems import Problem, problem
from multimodal_sentiment.wording import reason

Kind = Literal["text", "image"]
Links = Literal["inside", "anywhere"]

# Far above any post. What is larger is not read, so that no file can fill the memory.
LARGEST: dict[Kind, int] = {"text": 2**20, "image": 100 * 2**20}  # bytes

# If a post has several images, the first of these is used. What an image is, its content tells.
IMAGE_SUFFIXES = (
    ".jpg", ".jpeg", ".jfif", ".jpe", ".png", ".webp", ".avif", ".heic", ".heif", ".bmp", ".gif",
    ".tif", ".tiff",
)  # fmt: skip

ALLOW = "ingestion.links=anywhere allows it"

_TO_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)
_SIGN_BYTES = 16  # of a file, that tell an image
_SIGNS = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_BRANDS = (b"avif", b"avis", *HEIC_BRANDS)  # of ISO's media files

_MARKS = (  # the longer ones first: UTF-32's mark begins with UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)


class UnreadableFileError(Exception):
    """A post's text or image cannot be had.

    Attributes:
        problem: Why; to be noted for the post.
    """

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.words)
        self.problem = problem


@dataclass(frozen=True)
class Place:
    """A folder that files must lie in.

    Attributes:
        folder: Its real path, without links.
        links: `inside`: a file whose real path leads out of the folder is refused; `anywhere`: it
            is read.
    """

    folder: str
    links: Links

    @classmethod
    def of(cls, folder: Path, links: Links) -> Place:
        """Return the place of a folder, which may itself be a link."""
        return cls(os.path.realpath(folder), links)

    def holds(self, path: str) -> bool:
        """Return whether the real path of a file lies in the folder, or need not."""
        return self.links == "anywhere" or is_below(os.path.realpath(path), self.folder)


def is_below(path: str, folder: str) -> bool:
    """Return whether a real path is a real folder, or lies in it."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def file_fault(path: str, kind: Kind, place: Place, shown: str) -> Problem | None:
    """Return why a path that may be a link, a folder or nothing cannot be read.

    Args:
        path: The file's path.
        kind: What it should be.
        place: Where it must lie.
        shown: The path as the user wrote it.
    """
    try:
        about = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            return problem(f"{kind}_link_broken", "nothing is there")
        return problem(f"no_{kind}")
    except (OSError, ValueError) as error:  # the second: a NUL in the path
        if os.path.islink(path):
            return problem(f"{kind}_link_broken", reason(error))
        return problem(f"{kind}_unreadable", reason(error))
    if not place.holds(path):
        return problem(f"{kind}_outside", shown)
    return None if stat.S_ISREG(about.st_mode) else problem(f"{kind}_irregular")


def read_file(path: str, kind: Kind) -> bytes:
    """Return all bytes of a file.

    Raises:
        UnreadableFileError: If it cannot be read, or is too large.
    """
    try:
        # Not open(): to make a file object takes longer than to read a post.
        descriptor = os.open(path, _TO_READ)
        try:
            size = os.fstat(descriptor).st_size
            if size > LARGEST[kind]:
                raise UnreadableFileError(too_large(kind, size))
            return _all_of(descriptor, size)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise UnreadableFileError(problem(f"{kind}_unreadable", reason(error))) from error


def bounded(payload: bytes, kind: Kind) -> bytes:
    """Return what a table's cell holds.

    Raises:
        UnreadableFileError: If it is too large.
    """
    if len(payload) > LARGEST[kind]:
        raise UnreadableFileError(too_large(kind, len(payload)))
    return payload


def too_large(kind: Kind, size: int) -> Problem:
    """Return that so many bytes are more than is read: rounded up, as the least of these are."""
    return problem(f"{kind}_too_large", f"{math.ceil(size / 1e5) / 10}")


def is_image(path: str) -> bool:
    """Return whether a file begins as an image of a known format does."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return False
        with open(path, "rb") as file:
            head = file.read(_SIGN_BYTES)
    except OSError:
        return False
    in_media_file = head[4:8] == b"ftyp" and head[8:12] in _BRANDS
    return head.startswith(_SIGNS) or in_media_file or (head[:4], head[8:12]) == (b"RIFF", b"WEBP")


def marked_encoding(payload: bytes) -> str | None:
    """Return the encoding that a byte order mark tells, or the NULs of UTF-16 without one."""
    marked = next((name for mark, name in _MARKS if payload.startswith(mark)), None)
    if marked is None and b"\0" in payload[:4]:
        return "utf-16-be" if payload[:1] == b"\0" else "utf-16-le"
    return marked


def displayed(path: str) -> str:
    r"""Return a path that any file or message can hold: names that are no UTF-8 are spelled out.

    Such as `caf\xe9.jpg`, of a disk that was written where Latin-1 was in use.
    """
    return path if path.isascii() else os.fsencode(path).decode("utf-8", "backslashreplace")


def _all_of(descriptor: int, size: int) -> bytes:
    content = os.read(descriptor, size)
    while len(content) < size and (more := os.read(descriptor, size - len(content))):
        content += more  # some file systems give less at a time than they are asked for
    return content

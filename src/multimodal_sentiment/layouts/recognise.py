"""Which layout a user's posts lie in: recognised by what is there, or named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from multimodal_sentiment.posts.names import first_names

from .course import FOLDER, LISTINGS, CourseSource
from .errors import LayoutError
from .files.addresses import is_remote
from .hateful_memes import is_hateful_memes, open_hateful_memes
from .mvsa import MvsaSource, is_mvsa
from .shards import is_shards, open_shards
from .source import Options, Source
from .table import is_image_folder, is_table, open_image_folder, open_table
from .tables import SUFFIXES
from .twitter import is_twitter, open_twitter


class Layout(NamedTuple):
    """A layout.

    Attributes:
        fits: Whether a path is laid out so.
        open: Makes the source.
    """

    fits: Callable[[Path], bool]
    open: Callable[[Path, Options], Source]


def _is_course(path: Path) -> bool:
    return any((path / name).is_file() for name in LISTINGS.values())


# In the order in which they are tried: the more particular ones first.
LAYOUTS: dict[str, Layout] = {
    "mvsa": Layout(is_mvsa, MvsaSource),
    "twitter": Layout(is_twitter, open_twitter),
    "hateful_memes": Layout(is_hateful_memes, open_hateful_memes),
    "course": Layout(_is_course, CourseSource),
    "image_folder": Layout(is_image_folder, open_image_folder),
    "shards": Layout(is_shards, open_shards),
    "table": Layout(is_table, open_table),
}
AT_ADDRESSES = ("mvsa", "course", "shards", "table")

_SHOWN = 5  # kinds of files


def open_source(path: Path, options: Options) -> Source:
    """Open a user's posts.

    What does not exist, or holds nothing that is known, is taken for the course's layout, which
    then says what it lacks.

    Raises:
        LayoutError: If the layout that is named is unknown, or the posts cannot be read.
    """
    if options.layout is not None:
        known = AT_ADDRESSES if is_remote(path) else tuple(LAYOUTS)
        if options.layout not in known:
            where = "layout of an address" if is_remote(path) else "layout"
            raise LayoutError(
                f"unknown {where} {options.layout!r}: choose one of {', '.join(known)}"
            )
        return LAYOUTS[options.layout].open(path, options)
    for name, layout in LAYOUTS.items():
        if (name in AT_ADDRESSES or not is_remote(path)) and layout.fits(path):
            return layout.open(path, options)
    if is_remote(path):
        raise LayoutError(
            f"{path} holds nothing that is read of an address: Parquet files, tar files, or "
            f"{' and '.join(LISTINGS.values())} beside a folder of posts"
        )
    if path.suffix.lower() in SUFFIXES and not path.exists():
        raise LayoutError(f"there is no table {path}")
    _refuse_others(path)
    return CourseSource(path, options)


def _refuse_others(path: Path) -> None:
    """Refuse a folder of something else; an empty one is only asked for the course's files.

    Raises:
        LayoutError: If it holds nothing that is known; it says which folder in it does.
    """
    if not path.is_dir() or (path / FOLDER).is_dir():
        return
    try:
        there = [child for child in sorted(path.iterdir()) if not child.name.startswith(".")]
    except OSError:  # the course's files are looked for, and say why they cannot be read
        return
    if not there:
        return
    inside = next(
        (
            f"{name} lies in {child}: is raw={child} meant?"
            for child in there
            for name, layout in LAYOUTS.items()
            if child.is_dir() and layout.fits(child)
        ),
        "name a table or another folder with raw=PATH",
    )
    kinds = {child.suffix.lower(): child.name for child in reversed(there)}
    raise LayoutError(
        f"{path} holds no posts in a layout that is known: there is "
        f"{first_names(sorted(kinds.values()), str, _SHOWN)}, but neither "
        f"{LISTINGS['labelled']}, nor a table ({', '.join(SUFFIXES)}); {inside}"
    )

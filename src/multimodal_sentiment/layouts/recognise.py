"""Which layout a user's posts lie in: recognised by what is there, or named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from .addresses import is_remote
from .course import LISTINGS, CourseSource
from .errors import LayoutError
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
    return CourseSource(path, options)

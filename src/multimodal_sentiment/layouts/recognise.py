"""Which layout a user's posts lie in: recognised by what is there, or named."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from multimodal_sentiment.posts.names import first_names

from .course import FOLDER, LISTINGS, CourseSource, is_course
from .errors import LayoutError
from .files.addresses import is_remote
from .hateful_memes import is_hateful_memes, open_hateful_memes
from .mvsa import MvsaSource, is_mvsa
from .source import Options, Source
from .table import open_tables
from .tables import SUFFIXES
from .twitter import is_twitter, open_twitter
from .which_tables import find_layout

LAYOUTS: dict[str, Callable[[Path, Options], Source]] = {
    "mvsa": MvsaSource,
    "twitter": open_twitter,
    "hateful_memes": open_hateful_memes,
    "course": CourseSource,
    "image_folder": partial(open_tables, layout="image_folder"),
    "shards": partial(open_tables, layout="shards"),
    "table": partial(open_tables, layout="table"),
}
AT_ADDRESSES = ("mvsa", "course", "shards", "table")

# Layouts of certain names of files: they come before those of any table.
_OF_NAMES: dict[str, Callable[[Path], bool]] = {
    "mvsa": is_mvsa,
    "twitter": is_twitter,
    "hateful_memes": is_hateful_memes,
    "course": is_course,
}
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
    layout = options.layout or _recognise(path)
    if layout is not None:
        return LAYOUTS[layout](path, options)
    if is_remote(path):
        raise LayoutError(
            f"{path} holds nothing that is read of an address: Parquet files, tar files, or "
            f"{' and '.join(LISTINGS.values())} beside a folder of posts"
        )
    if path.suffix.lower() in SUFFIXES and not path.exists():
        raise LayoutError(f"there is no table {path}")
    _refuse_others(path)
    return CourseSource(path, options)


def _recognise(path: Path) -> str | None:
    for name, is_so in _OF_NAMES.items():
        if (name in AT_ADDRESSES or not is_remote(path)) and is_so(path):
            return name
    return find_layout(path)


def _recognise_whole(path: Path) -> str | None:
    """Return the layout of a folder that is only proposed; None also if it cannot be read."""
    try:
        return _recognise(path)
    except LayoutError:
        return None


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
            f"{layout} lies in {child}: is raw={child} meant?"
            for child in there
            if child.is_dir() and (layout := _recognise_whole(child))
        ),
        "name a table or another folder with raw=PATH",
    )
    kinds = {child.suffix.lower(): child.name for child in reversed(there)}
    raise LayoutError(
        f"{path} holds no posts in a layout that is known: there is "
        f"{first_names(sorted(kinds.values()), str, _SHOWN)}, but neither "
        f"{LISTINGS['labelled']}, nor a table ({', '.join(SUFFIXES)}); {inside}"
    )

"""Which layout a user's posts lie in: recognised by what is there, or named."""

from __future__ import annotations

from collections.abc import Callable
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
from .which_tables import FILES, find_tables

# Layouts of certain names of files, which come before those of any table: how each is recognised,
# and opened.
_OF_NAMES: dict[str, tuple[Callable[[Path], bool], Callable[[Path, Options], Source]]] = {
    "mvsa": (is_mvsa, MvsaSource),
    "twitter": (is_twitter, open_twitter),
    "hateful_memes": (is_hateful_memes, open_hateful_memes),
    "course": (is_course, CourseSource),
}
LAYOUTS = (*_OF_NAMES, *FILES)
AT_ADDRESSES = ("mvsa", "course", "shards", "table")
_SHOWN = 5  # kinds of files


def open_source(path: Path, options: Options) -> Source:
    """Open a user's posts.

    What does not exist, or holds nothing that is known, is taken for the course's layout, which
    then says what it lacks.

    Raises:
        LayoutError: If the layout that is named is unknown, or the posts cannot be read.
    """
    layout, is_address = options.layout, is_remote(path)
    known = AT_ADDRESSES if is_address else LAYOUTS
    if layout not in (None, *known):
        where = "layout of an address" if is_address else "layout"
        raise LayoutError(f"unknown {where} {layout!r}: choose one of {', '.join(known)}")
    for name, (is_so, open_posts) in _OF_NAMES.items():
        if layout == name or (layout is None and name in known and is_so(path)):
            return open_posts(path, options)
    if found := find_tables(path, layout):
        return open_tables(path, options, found)
    if layout:
        files = ", ".join(FILES[layout])
        raise LayoutError(f"{path} holds no file of the layout {layout!r}: {files}")
    if is_address:
        raise LayoutError(
            f"{path} holds nothing that is read of an address: Parquet files, tar files, or "
            f"{' and '.join(LISTINGS.values())} beside a folder of posts"
        )
    if path.suffix.lower() in SUFFIXES and not path.exists():
        raise LayoutError(f"there is no table {path}")
    _refuse_others(path)
    return CourseSource(path, options)


def _layout_of(path: Path) -> str | None:
    """Return the layout of a folder that is only proposed; None also if it cannot be read."""
    try:
        named = next((name for name, (is_so, _) in _OF_NAMES.items() if is_so(path)), None)
        found = None if named else find_tables(path)
    except LayoutError:
        return None
    return found.layout if found else named


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
            if child.is_dir() and (layout := _layout_of(child))
        ),
        "name a table or another folder with raw=PATH",
    )
    kinds = {child.suffix.lower(): child.name for child in reversed(there)}
    raise LayoutError(
        f"{path} holds no posts in a layout that is known: there is "
        f"{first_names(sorted(kinds.values()), str, _SHOWN)}, but neither {LISTINGS['labelled']}, "
        f"nor a table ({', '.join(SUFFIXES)}; .json with a list of objects); {inside}"
    )

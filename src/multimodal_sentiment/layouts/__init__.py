"""Layouts that posts come in: each is recognised, and ends as the same rows.

A layout is a listing of posts, and a way to their texts and images; see `source.py`.
`recognise.py` tells which it is. Each has a file of its own here: `course.py`, `table.py`,
`shards.py` (sets of many files), `mvsa.py`, `hateful_memes.py`, `twitter.py`. They stand on four
rooms: `files/` reads one file, on a disk or at an address; `folder/` has posts as files of a
folder, `rows/` posts as rows of tables, `tables/` a reader for each format of a table.
"""

from .errors import LayoutError
from .files.addresses import find_path
from .files.local import LARGEST, UnreadableFileError
from .folder.post_folder import PostFolder
from .recognise import LAYOUTS, open_source
from .source import Namespace, Options, PostFiles, Source

__all__ = [
    "LARGEST",
    "LAYOUTS",
    "LayoutError",
    "Namespace",
    "Options",
    "PostFiles",
    "PostFolder",
    "Source",
    "UnreadableFileError",
    "find_path",
    "open_source",
]

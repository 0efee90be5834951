"""Layouts that posts come in: each is recognised, and ends as the same rows.

A layout is a listing of posts, and a way to their texts and images; see `source.py`.
`recognise.py` tells which it is. The published ones have a file each: `course.py`, `mvsa.py`,
`hateful_memes.py`, `twitter.py`. All others are tables, which `table.py` opens; `which_tables.py`
has the rules which of a path are read, `splits.py` what names tell. Four rooms are below:
`files/` reads one file, on a disk or at an address; `folder/` has posts as files of a folder,
`rows/` posts as rows of tables, `tables/` a reader for each format of a table.
"""

from .errors import LayoutError
from .files.addresses import find_path
from .files.local import LARGEST, UnreadableFileError
from .folder.post_folder import PostFolder
from .recognise import LAYOUTS, open_source
from .source import Contents, Namespace, Options, PostFiles, Source

__all__ = [
    "LARGEST",
    "LAYOUTS",
    "Contents",
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

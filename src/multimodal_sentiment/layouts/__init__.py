"""Layouts that posts come in: each is recognised, and ends as the same rows.

A layout is a listing of posts, and a way to their texts and images; see `source.py`. The course's
is in `course.py` and `post_folder.py`, tables are in `table.py`, `table_*.py` and `tables/`,
sets of many files in `shards.py`, public data sets in a file each. `recognise.py` tells which it
is, `addresses.py` where it lies.
"""

from .addresses import find_path
from .errors import LayoutError
from .files import LARGEST, UnreadableFileError
from .post_folder import PostFolder
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

"""Layouts that posts come in: each is recognised, and ends as the same rows.

A layout is a listing of posts, and a way to their texts and images; see `source.py`. The course's
is in `course.py` and `post_folder.py`, tables are in `table.py`, `table_source.py` and `tables/`,
public data sets in a file each. `recognise.py` tells which it is.
"""

from .errors import LayoutError
from .files import LARGEST, UnreadableFileError
from .post_folder import PostFolder
from .recognise import LAYOUTS, open_source
from .source import NO_TAG, Namespace, Options, PostFiles, Source

__all__ = [
    "LARGEST",
    "LAYOUTS",
    "NO_TAG",
    "LayoutError",
    "Namespace",
    "Options",
    "PostFiles",
    "PostFolder",
    "Source",
    "UnreadableFileError",
    "open_source",
]

"""From bytes to text: the encodings of a source's posts, inferred over all of them.

A post alone often has two bytes that are not ASCII, and every encoding makes something of two
bytes. But the posts of one source share a few encodings. So each post is read in every encoding
that decodes it, each text is weighed by how plausible it is, and the source's mixture of encodings
is estimated from all posts together: the profile. A post's encoding is then the most probable one
by its own texts and the profile.

To see how a text is decoded, read three files: `reading.py` (a post under a profile), `source.py`
(how the profile is learnt) and `scoring.py` (how plausible a text is). They call `evidence.py`
(what bytes prove, and how they are decoded), `mixture.py` (the profile, and the arithmetic of the
mixture) and `characters.py` (the table of characters). `by_workers.py` does the same by
the workers of a cluster.
"""

from .by_workers import read_source_by, read_texts_by
from .evidence import DEFAULT_CANDIDATES, extends_ascii
from .mixture import EncodingProfile
from .reading import (
    Reading,
    chardet_encoding,
    decoded_reading,
    read_source,
    read_texts,
)

__all__ = [
    "DEFAULT_CANDIDATES",
    "EncodingProfile",
    "Reading",
    "chardet_encoding",
    "decoded_reading",
    "extends_ascii",
    "read_source",
    "read_source_by",
    "read_texts",
    "read_texts_by",
]

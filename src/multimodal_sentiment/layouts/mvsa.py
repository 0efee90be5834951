"""MVSA-Single and MVSA-Multiple, as they are published.

T. Niu, S. Zhu, L. Pang, A. El Saddik: Sentiment Analysis on Multi-view Social Data, MMM 2016: posts
of Twitter, whose text and image were judged each by itself, by one annotator (Single) or by three
(Multiple). `labelResultAll.txt` has a line a post, `ID<TAB>text,image`, with a pair for each
annotator; the files lie in `data`.

The tag of a post follows N. Xu, W. Mao: MultiSentiNet: A Deep Semantic Network for Multimodal
Sentiment Analysis, CIKM 2017: of Multiple, each modality's judgement is that of the majority, and a
post on which three annotators give three is left out; equal judgements of text and image are the
tag, a neutral one yields to the other, and a post that is positive in one and negative in the other
is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from multimodal_sentiment.wording import reason

from .course import FOLDER, open_folder
from .errors import LayoutError
from .source import Namespace, Options, PostFiles, Source

JUDGEMENTS = "labelResultAll.txt"
LABELS = ("negative", "neutral", "positive")

_PAIR = 2  # of judgements: of the text, and of the image


class _Read(NamedTuple):
    rows: list[tuple[str, str]]
    left_out: list[str]
    contradictory: int
    without_majority: int
    annotators: int


class MvsaSource(Source):
    """A folder of either set."""

    def __init__(self, path: Path, options: Options) -> None:
        """Read the judgements.

        Raises:
            LayoutError: If they are not there, or a line is none.
        """
        self.path = path
        self._options = options
        self._read = _read(path / JUDGEMENTS)

    def has(self, namespace: Namespace) -> bool:
        """Return whether it is the labelled posts that are meant; there are no others."""
        return namespace == "labelled"

    def place_of(self, namespace: Namespace) -> Path:
        """Return the path of the judgements."""
        return self.path / JUDGEMENTS

    def listing(self, namespace: Namespace) -> pd.DataFrame:
        """Return the posts whose judgements agree."""
        if namespace != "labelled":
            raise LayoutError(
                f"{self.path} has no post to be predicted, since all of MVSA's are judged: name "
                "others with raw=FOLDER, or run --pipeline=training"
            )
        if not self._read.rows:
            raise LayoutError(f"{self.path / JUDGEMENTS} holds no post whose judgements agree")
        guids, tags = zip(*self._read.rows, strict=True)
        return pd.DataFrame({"guid": guids, "tag": tags}, dtype=str)

    @property
    def folder(self) -> Path:
        """The folder of posts."""
        return self.path / FOLDER

    def files(self) -> PostFiles:
        """Return the folder of posts; those that are left out are nobody's, and are not shown."""
        files = open_folder(self.folder, self._options.links)
        rows, left_out, contradictory, without_majority, annotators = self._read
        name = "MVSA-Single" if annotators == 1 else "MVSA-Multiple"
        files.about = {"layout": "mvsa", "path": str(self.path)}
        files.known = lambda: [left_out]
        said = f"{contradictory:,} left out where text and image contradict each other"
        if annotators > 1:
            said += f", {without_majority:,} without a majority"
        files.remarks.insert(0, f"an MVSA folder ({name}): {len(rows):,} posts; {said}")
        return files


def is_mvsa(path: Path) -> bool:
    """Return whether a folder holds MVSA's judgements."""
    return (path / JUDGEMENTS).is_file()


def combine(text: str, image: str) -> str | None:
    """Return the tag that the judgements of a post's text and image make; None if they clash."""
    if image in (text, "neutral"):
        return text
    return image if text == "neutral" else None


def majority(judgements: Sequence[str]) -> str | None:
    """Return what most annotators say; None if no judgement has more voices than another."""
    (first, most), *others = Counter(judgements).most_common()
    return None if others and others[0][1] == most else first


def _read(path: Path) -> _Read:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(f"{path} cannot be read: {reason(error)}") from error
    rows, left_out = [], []
    contradictory, without_majority, annotators = 0, 0, 1
    for number, line in enumerate(lines, start=1):
        guid, *cells = (cell.strip() for cell in line.split("\t"))
        if not guid or (number == 1 and guid.casefold() == "id"):
            continue
        pairs = [_pair(path, number, cell) for cell in cells if cell]
        if not pairs:
            raise LayoutError(f"{path} has no judgement in line {number}: it needs text,image")
        annotators = max(annotators, len(pairs))
        text, image = (majority([pair[at] for pair in pairs]) for at in range(_PAIR))
        tag = None if text is None or image is None else combine(text, image)
        if tag is not None:
            rows.append((guid, tag))
            continue
        left_out.append(guid)
        if text is None or image is None:
            without_majority += 1
        else:
            contradictory += 1
    return _Read(rows, left_out, contradictory, without_majority, annotators)


def _pair(path: Path, number: int, cell: str) -> list[str]:
    pair = [judgement.strip().casefold() for judgement in cell.split(",")]
    if len(pair) != _PAIR or not set(pair) <= set(LABELS):
        raise LayoutError(
            f"{path} has {cell[:40]!r} in line {number}: a judgement is two of "
            f"{', '.join(LABELS)}, as in positive,neutral"
        )
    return pair

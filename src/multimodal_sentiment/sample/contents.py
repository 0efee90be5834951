"""What each post says in text and photo; twins, faults, languages and encodings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .phrases import find_phrases, pass_on, say

FAULTS = ("no image", "broken image", "empty text")
Indices = NDArray[np.int64]

# Percent of posts by what the text says and the photo shows. Who knows one of the two is right for
# 75% at best: where it is neutral (55%), "neutral" is the best guess, and right for 30%.
JUDGEMENTS = {
    ("positive", "positive"): 11, ("positive", "neutral"): 15, ("neutral", "positive"): 15,
    ("negative", "negative"): 9, ("negative", "neutral"): 10, ("neutral", "negative"): 10,
    ("neutral", "neutral"): 30,
}  # fmt: skip
# Tenths of a percent of posts, by language and encoding (a Python codec).
VOICES = {
    ("en", "ascii"): 650, ("en", "gb18030"): 140, ("zh", "gb18030"): 45, ("ru", "gb18030"): 30,
    ("ja", "gb18030"): 20, ("es", "gb18030"): 15, ("en", "utf-8"): 10, ("ja", "utf-8"): 10,
    ("ru", "utf-8"): 10, ("es", "utf-8"): 10, ("de", "utf-8"): 10, ("zh", "utf-8-sig"): 5,
    ("de", "cp1252"): 15, ("es", "cp1252"): 15, ("ja", "cp932"): 15,
}  # fmt: skip


class Post(NamedTuple):
    """One post of the sample, all but drawn."""

    guid: str
    labelled: bool  # whether the listing tells its tag
    says: str  # what the text expresses: positive, neutral or negative
    shows: str  # what the photo shows; it never contradicts the text
    text: str  # all of it, line end included
    phrases: list[tuple[int, int]]  # where (start, end) its words judge, in characters
    language: str
    encoding: str
    photo: int  # twins may share one
    shrink: float  # factor of the photo's size; twins need not be of one size
    fault: str  # one of `FAULTS`, or nothing

    @property
    def tag(self) -> str:
        """The tag: if text or photo is neutral, the other counts."""
        return self.shows if self.says == "neutral" else self.says


def plan(labelled: int, unlabelled: int, seed: int) -> Iterator[Post]:
    """Plan the posts of a sample, the labelled ones first: the same seed, the same posts.

    The shares of judgements and encodings are met as exactly as whole posts allow, among the
    labelled and the unlabelled each. Some 3% of the posts are twins of a labelled one, in text,
    photo or both; 1.5% have a fault.
    """
    rng = np.random.default_rng([seed, 0])
    parts, total = (labelled, unlabelled), labelled + unlabelled
    guids = rng.permutation(total + total // 7)[:total] + 1
    cells = np.concatenate([_spread(JUDGEMENTS.values(), size, rng) for size in parts])
    voices = np.concatenate([_spread(VOICES.values(), size, rng) for size in parts])
    first, faults = _twins_and_faults(cells, labelled, rng)
    for i in range(total):
        shared = rng.choice(["text", "photo", "both"])
        source, photo = (i if shared == other else first[i] for other in ("photo", "text"))
        (says, shows), (language, encoding) = [*JUDGEMENTS][cells[i]], [*VOICES][voices[source]]
        marked = say(language, says, encoding == "ascii", np.random.default_rng([seed, 1, source]))
        text, phrases = find_phrases(pass_on(marked, np.random.default_rng([seed, 2, i])))
        text += "\r\n" if encoding in {"cp1252", "cp932"} else "\n"  # as old Windows programs do
        text, phrases = ("", []) if faults[i] == "empty text" else (text, phrases)
        shrink = 1.0 if photo == i else float(rng.choice([1.0, 0.8]))
        post = (says, shows, text, phrases, language, encoding, photo, shrink, faults[i])
        yield Post(str(guids[i]), i < labelled, *post)


def _spread(shares: Iterable[int], size: int, rng: Generator) -> Indices:
    """Return as many of each kind as its share says (largest remainders), in random order."""
    weights = np.array(list(shares))
    counts, remainders = np.divmod(weights * size, weights.sum())
    counts[np.argsort(-remainders, kind="stable")[: size - counts.sum()]] += 1
    return rng.permutation(np.repeat(np.arange(len(weights)), counts))


def _twins_and_faults(cells: Indices, labelled: int, rng: Generator) -> tuple[list[int], list[str]]:
    """Return for each post the labelled one that it is a twin of, or itself; and its fault."""
    first, faults, originals = list(range(len(cells))), [""] * len(cells), None
    for part in (np.arange(labelled), np.arange(labelled, len(cells))):
        twins, each = len(part) // 33, max(len(part) // 200, min(len(part) // 20, 1))
        ends = [twins, twins + each * len(FAULTS)]
        copies, faulty, sound = np.split(rng.permutation(part), ends)  # no twin has a fault
        originals = sound if originals is None else originals
        for copy in copies:
            alike = originals[cells[originals] == cells[copy]]
            first[copy] = int(rng.choice(alike)) if len(alike) else int(copy)
        for number, post in enumerate(faulty):
            faults[post] = FAULTS[number % len(FAULTS)]
    return first, faults

"""Which posts the sample has: judgements, tags, twins, faults, languages and encodings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from .phrases import LANGUAGES
from .texts import compose, pass_on

FAULTS = ("no image", "broken image", "empty text", "")  # the last: none

Whole = NDArray[np.int64]

_LEAST_WITH_FAULTS = 20
_LINE_ENDS = {"cp1252": "\r\n", "cp932": "\r\n"}  # what old Windows programs write


class Judgements(NamedTuple):
    """What a post's text expresses and what its photo shows."""

    text: str
    image: str

    @property
    def tag(self) -> str:
        """The tag: if one of the two is neutral, the other counts; they never contradict."""
        return self.image if self.text == "neutral" else self.text


class Voice(NamedTuple):
    """How a post is written."""

    language: str
    encoding: str


# Shares in percent. Whoever knows the text alone, or the photo alone, is right in 67% at best:
# those who see "neutral" (52%) can do no better than guess "positive" (19%).
JUDGEMENTS = {
    Judgements("positive", "positive"): 8,
    Judgements("positive", "neutral"): 19,
    Judgements("neutral", "positive"): 19,
    Judgements("negative", "negative"): 6,
    Judgements("negative", "neutral"): 15,
    Judgements("neutral", "negative"): 15,
    Judgements("neutral", "neutral"): 18,
}

# Shares in tenths of a percent.
VOICES = {
    Voice("en", "ascii"): 650,
    Voice("en", "gb18030"): 140,
    Voice("zh", "gb18030"): 45,
    Voice("ru", "gb18030"): 30,
    Voice("ja", "gb18030"): 20,
    Voice("es", "gb18030"): 10,
    Voice("pt", "gb18030"): 5,
    Voice("ja", "cp932"): 15,
    Voice("ru", "utf-8"): 10,
    Voice("ja", "utf-8"): 10,
    Voice("fr", "utf-8"): 10,
    Voice("de", "utf-8"): 10,
    Voice("en", "utf-8"): 10,
    Voice("zh", "utf-8-sig"): 5,
    Voice("de", "cp1252"): 10,
    Voice("fr", "cp1252"): 10,
    Voice("es", "cp1252"): 5,
    Voice("pt", "cp1252"): 5,
}


@dataclass(frozen=True, slots=True)
class Post:
    """One post of the sample, all but drawn.

    Args:
        guid: Its name in the listing and among the files.
        labelled: Whether the listing tells its tag.
        judgements: What the text expresses and the photo shows; no file says so.
        text: All of its text, line end included.
        voice: Its language, and the Python codec that turns its text into bytes.
        photo: Number of its photo; twins may share one.
        shrink: By how much the photo is made smaller; twins need not be of one size.
        fault: What is wrong with it: one of `FAULTS`, or nothing.
    """

    guid: str
    labelled: bool
    judgements: Judgements
    text: str
    voice: Voice
    photo: int
    shrink: float
    fault: str


def plan(labelled: int, unlabelled: int, seed: int) -> Iterator[Post]:
    """Plans the posts of a sample: the same seed, the same posts.

    The shares of judgements, languages and encodings are met as exactly as whole posts allow, among
    the labelled and the unlabelled each. Some 3% of the posts are twins of a labelled one, in text,
    photo or both; 1.5% have a fault. The posts come one by one; what is kept of all of them at once
    is under 200 bytes a post.

    Args:
        labelled: Number of posts with a tag.
        unlabelled: Number of posts without.
        seed: Everything about the posts is drawn from it.

    Yields:
        The labelled posts, then the others; their guids are in no order.
    """
    rng = np.random.default_rng([seed, 0])
    total, parts = labelled + unlabelled, (labelled, unlabelled)
    guids = rng.permutation(total + total // 7)[:total] + 1
    cells = np.concatenate([_spread(JUDGEMENTS.values(), size, rng) for size in parts])
    voices = np.concatenate([_spread(VOICES.values(), size, rng) for size in parts])
    first = _first_of_twins(cells, labelled, rng)
    alone = np.bincount(first, minlength=total)[first] == 1
    faults = np.concatenate([_spoil(alone[:labelled], rng), _spoil(alone[labelled:], rng)])
    own, shared = np.arange(total), rng.integers(3, size=total)  # shared: text, photo or both
    text_of, photo_of = np.where(shared == 1, own, first), np.where(shared == 0, own, first)
    shrinks = np.where(photo_of == own, 1.0, rng.choice([1.0, 0.8], total))
    voices = voices[text_of]
    numbers = _count_by_language(voices)

    judgements, voice_list = list(JUDGEMENTS), list(VOICES)
    for index in range(total):
        source, voice = text_of[index], voice_list[voices[index]]
        said = compose(
            voice.language,
            judgements[cells[index]].text,
            int(numbers[source]),
            voice.encoding == "ascii",
            np.random.default_rng([seed, 1, source]),
        )
        text = pass_on(said, np.random.default_rng([seed, 2, index]))
        fault = FAULTS[faults[index]]
        yield Post(
            guid=str(guids[index]),
            labelled=index < labelled,
            judgements=judgements[cells[index]],
            text="" if fault == "empty text" else text + _LINE_ENDS.get(voice.encoding, "\n"),
            voice=voice,
            photo=int(photo_of[index]),
            shrink=float(shrinks[index]),
            fault=fault,
        )


def _spread(shares: Iterable[int], size: int, rng: Generator) -> Whole:
    """As many of each kind as its share of `size` says (largest remainders), in random order."""
    weights = np.array(list(shares))
    counts, remainders = np.divmod(weights * size, weights.sum())
    counts[np.argsort(-remainders, kind="stable")[: size - counts.sum()]] += 1
    return rng.permutation(np.repeat(np.arange(len(weights)), counts))


def _first_of_twins(cells: Whole, labelled: int, rng: Generator) -> Whole:
    """For each post the labelled one that it is a twin of, which is judged alike; or itself."""
    first = np.arange(len(cells))
    unlabelled = len(cells) - labelled
    copies = np.concatenate(
        [
            rng.permutation(labelled)[: labelled // 33],
            rng.permutation(unlabelled)[: unlabelled // 40] + labelled,
        ]
    )
    originals = np.setdiff1d(np.arange(labelled), copies)
    for cell in range(len(JUDGEMENTS)):
        here = originals[cells[originals] == cell]
        twins = copies[cells[copies] == cell]
        if len(here):
            first[twins] = rng.choice(here, len(twins))
    return first


def _spoil(alone: NDArray[np.bool_], rng: Generator) -> Whole:
    """The index of each post's fault in `FAULTS`, or of none; twins are spared."""
    faults = np.full(len(alone), FAULTS.index(""))
    each = max(1, len(alone) // 200) if len(alone) >= _LEAST_WITH_FAULTS else 0
    for fault in range(len(FAULTS) - 1):
        free = np.flatnonzero(alone & (faults == FAULTS.index("")))
        faults[rng.permutation(free)[:each]] = fault
    return faults


def _count_by_language(voices: Whole) -> Whole:
    """How many posts before each one are in the same language."""
    languages = np.array([list(LANGUAGES).index(voice.language) for voice in VOICES])[voices]
    numbers = np.zeros(len(voices), dtype=np.int64)
    for language in range(len(LANGUAGES)):
        same = languages == language
        numbers[same] = np.arange(same.sum())
    return numbers

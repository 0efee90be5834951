"""How probable each encoding is for each post, under a source's profile."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from .evidence import DEFAULT_CANDIDATES, Evidence, judged_encodings
from .mixture import EncodingProfile, normalised


class Shares(NamedTuple):
    """How probable each encoding is for each post.

    Attributes:
        names: the encodings.
        values: probabilities, each row's sum 1, or 0 where no encoding reads the post; of shape
            (posts, encodings).
        commonest: the column of the source's commonest encoding.
    """

    names: tuple[str, ...]
    values: npt.NDArray[np.float64]
    commonest: int

    def best(self) -> list[str]:
        """Name the most probable encoding of each post, or nothing."""
        readable = np.asarray(self.values.any(axis=1)).tolist()
        columns = self.values.argmax(axis=1).tolist()
        return [self.names[k] if read else "" for k, read in zip(columns, readable, strict=True)]


def count_encodings(names: Sequence[str], best: Iterable[str]) -> dict[str, int]:
    """Count the posts read in each of some encodings, in the order of these."""
    counts = Counter(best)
    return {name: counts[name] for name in names if counts[name]}


def weighed_encodings(
    profile: EncodingProfile, candidates: Sequence[str] | None
) -> tuple[str, ...]:
    """Return the encodings that are weighed for a post under a profile."""
    named = profile.named if candidates is None else candidates
    return judged_encodings((*DEFAULT_CANDIDATES, *profile.candidates) if named is None else named)


def weigh_encodings(
    evidence: Evidence, profile: EncodingProfile, candidates: Sequence[str] | None
) -> Shares:
    """Weigh the encodings of each post by how plausible its texts are, and how common they are."""
    names = weighed_encodings(profile, candidates)
    prior = profile.prior(names)
    bits = evidence.bits(names)
    values = np.zeros_like(bits)
    readable = np.isfinite(bits).any(axis=1)
    fewest = bits[readable].min(axis=1, keepdims=True)
    values[readable] = normalised(np.exp2(fewest - bits[readable]) * prior)
    return Shares(names, values, int(prior.argmax()))

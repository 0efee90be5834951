"""A source's mixture of encodings: the posts of one source share few of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from .evidence import CESU, DEFAULT_CANDIDATES, Evidence, extends_ascii, judged_encodings

# How many posts an encoding counts as having before any is seen (a Dirichlet prior's parameter).
# Far below one, since a source uses few of the encodings there are: among a thousand posts, a lone
# one in another encoding must be 2**17 times the better text in it.
UNSEEN_POSTS = 0.01
# How many posts a profile weighs as much as, at most; it never weighs more than the posts it was
# inferred from.
PROFILE_POSTS = 1000
NOTABLE = 0.01  # of a source's posts: if fewer are in doubt, the source is not
_SETTLED = 1e-4  # when no probability moves by more, the mixture is found


class _Saved(BaseModel):
    """A profile as it is saved; older ones lack the last two."""

    model_config = ConfigDict(strict=True)
    posts: dict[str, Annotated[int, Field(ge=0, lt=2**53)]]
    expected: dict[str, Annotated[float, Field(ge=0, lt=2**53)]]
    doubted: list[str] = []
    named: list[str] | None = None


@dataclass(frozen=True, slots=True)
class EncodingProfile:
    """How common each encoding is among a source's distinct posts that are not plain ASCII.

    Attributes:
        posts: how many are read in each encoding.
        expected: how many there are to be expected, every post shared out by its posterior.
        doubted: encodings in which the source's posts read like no language.
        named: the only encodings that its posts may be in, if they were named.
    """

    posts: dict[str, int]
    expected: dict[str, float]
    doubted: tuple[str, ...] = ()
    named: tuple[str, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return the profile as plain JSON values."""
        named = None if self.named is None else list(self.named)
        return asdict(self) | {"doubted": list(self.doubted), "named": named}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> EncodingProfile:
        """Make a profile of what `to_dict` returned; other keys beside it are for readers.

        Raises:
            ValueError: these are not a profile's values.
        """
        try:
            saved = _Saved.model_validate(values)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            why = first["msg"].removesuffix(f" or instance of {_Saved.__name__}")
            raise ValueError(
                f"encoding profile: {f'{place}: ' if place else ''}{why}, not "
                f"{first['input']!r:.80}; read the labelled posts again to have one"
            ) from error
        # As with `expected`, what this Python does not know is passed over.
        named = tuple(filter(extends_ascii, saved.named or ()))
        return cls(saved.posts, saved.expected, tuple(saved.doubted), named or None)

    @property
    def candidates(self) -> list[str]:
        """The encodings that posts of the source may be in, beyond those that structure proves."""
        return [name for name in self.expected if extends_ascii(name)]

    @property
    def doubt(self) -> str:
        """What is doubtful about the source as a whole, in a sentence, or nothing."""
        count = sum(self.posts.get(name, 0) for name in self.doubted)
        total = sum(self.posts.values())
        if count <= NOTABLE * total:
            return ""
        return (
            f"{count:,} of {total:,} distinct posts that are not ASCII read like "
            f"no language in any encoding tried (least badly in {', '.join(self.doubted)}); if you "
            "know theirs, name it in ingestion.encodings, such as [utf-8, cp1250]"
        )

    def prior(self, encodings: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return how many posts each encoding counts for before a post is looked at.

        Subtract 1, so that a post of the profile's own source is not evidence for its own encoding.
        """
        total = sum(self.expected.values())
        weight = min(1.0, PROFILE_POSTS / total) if total else 0.0
        # CESU-8 is UTF-8 but for some characters: what is known of the one counts for the other.
        known = self.expected | {CESU: self.expected.get("utf-8", 0.0)}
        expected = np.array([known.get(name, 0.0) for name in encodings])
        return UNSEEN_POSTS + weight * np.maximum(expected - 1.0, 0.0)


def posteriors(
    bits: npt.NDArray[np.float64], hints: npt.NDArray[np.float64] | float = 1.0
) -> npt.NDArray[np.float64]:
    """Estimate a source's mixture of encodings, and by it how probable each is for each post.

    A Dirichlet mixture by collapsed variational Bayes (Asuncion et al., "On smoothing and inference
    for topic models", 2009): as in expectation-maximisation each post is shared out among the
    encodings and their sums are the mixture, but no post counts in the prior of its own reading.

    Args:
        bits: what each post takes as text in each encoding, infinite where it has no reading; some
            encoding reads each. (posts, encodings)
        hints: by how many times each encoding is likelier than by its text alone, for what else is
            known of a post. (posts, encodings)

    Returns:
        Probabilities, each row's sum 1. (posts, encodings)
    """
    likelihood = np.exp2(bits.min(axis=1, keepdims=True) - bits) * hints
    shares = normalised(likelihood)
    for _ in range(100):  # a dozen do, as a rule
        update = normalised(likelihood * (UNSEEN_POSTS + shares.sum(axis=0) - shares))
        settled = np.abs(update - shares).max(initial=0.0) < _SETTLED
        shares = update
        if settled:
            break
    return shares


def normalised(rows: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Divide each row by its sum."""
    return np.asarray(rows / rows.sum(axis=1, keepdims=True))


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

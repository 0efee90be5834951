"""From the bytes of a source's posts to their texts."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import chardet
import numpy as np
import numpy.typing as npt

from .evidence import (
    DEFAULT_CANDIDATES,
    JUDGED_BYTES,
    decoded,
    judged_encodings,
    judged_part,
    reading_bits,
    structural_encoding,
)
from .mixture import EncodingProfile, posteriors
from .plausibility import text_bits

SURE = 0.95  # a text less probable than this is flagged
RARE_POSTS = 3  # an encoding of fewer distinct posts of a source is flagged
NEGLIGIBLE = 1e-3  # an encoding less probable is no rival
NOISE_BITS = 12.0  # a byte: random ones take some 15, texts in the right encoding 10 at most
NOISE_BYTES = 8  # fewer say little
PROFILED_POSTS = 20_000  # distinct posts that a profile rests on at most, evenly drawn
CHARDET_BYTES = 65_536  # of a post, shown to chardet

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


class Reading(NamedTuple):
    """One post's text, and how it was come by.

    Attributes:
        text: the text, without a byte order mark.
        encoding: Python's name for it; `payload.decode(encoding)` is the text, but where `problem`
            tells of undecodable bytes. Empty if nobody could decode the post.
        confidence: how probable the text is, 0 to 1; 1 where the bytes' structure proves it.
        problem: what should be looked at, as codes of `posts.problems`, or nothing.
    """

    text: str
    encoding: str
    confidence: float
    problem: str


def read_source(
    payloads: Sequence[bytes], candidates: Sequence[str] = DEFAULT_CANDIDATES
) -> tuple[list[Reading], EncodingProfile]:
    """Read every post of a source, and learn how common each encoding is in it.

    Args:
        payloads: the posts' bytes. Identical ones are read, and counted, once.
        candidates: the encodings to choose from where structure (ASCII, a byte order mark, NUL
            bytes, escape sequences) does not tell.

    Returns:
        A reading for each post, in order, whatever its bytes; and the profile of the distinct posts
        whose encoding is not proved by structure, or of an even draw of them if they are more than
        `PROFILED_POSTS`.

    Raises:
        ValueError: a candidate is unknown, or no encoding that extends ASCII.
    """
    return _read(payloads, candidates, None)


def read_texts(
    payloads: Sequence[bytes],
    profile: EncodingProfile,
    candidates: Sequence[str] = DEFAULT_CANDIDATES,
) -> list[Reading]:
    """Read posts of which something is known beforehand, such as new ones of a known source.

    Args:
        payloads: the posts' bytes.
        profile: what is known. Where it is wrong, many posts of another kind overrule it.
        candidates: as for `read_source`.

    Returns:
        A reading for each post, in order, whatever its bytes.

    Raises:
        ValueError: a candidate is unknown, or no encoding that extends ASCII.
    """
    return _read(payloads, candidates, profile)[0]


def chardet_encoding(payload: bytes) -> str | None:
    """Tell what chardet makes of one post alone."""
    return chardet.detect(payload[:CHARDET_BYTES])["encoding"]


def _read(
    payloads: Sequence[bytes], candidates: Sequence[str], profile: EncodingProfile | None
) -> tuple[list[Reading], EncodingProfile]:
    names = judged_encodings(candidates)
    structure = {payload: structural_encoding(payload) for payload in dict.fromkeys(payloads)}
    undecided = [payload for payload, name in structure.items() if not name]
    bits = reading_bits(undecided, names)
    if profile is None:
        drawn = bits[:: 1 + len(bits) // PROFILED_POSTS]
        readable = drawn[np.isfinite(drawn).any(axis=1)]
        profile = EncodingProfile.from_posteriors(names, posteriors(readable))
    readings = dict(zip(undecided, _judge(undecided, names, bits, profile), strict=True))
    for payload, name in structure.items():
        if name:
            readings[payload] = _structural_reading(payload, name)
    return [readings[payload] for payload in payloads], profile


def _judge(
    payloads: Sequence[bytes],
    names: Sequence[str],
    bits: npt.NDArray[np.float64],
    profile: EncodingProfile,
) -> Iterator[Reading]:
    """Read posts by how plausible they are in each encoding, and how common that is."""
    readable = np.isfinite(bits).any(axis=1)
    prior = profile.pseudo_posts(names)
    shares = np.zeros_like(bits)
    shares[readable] = posteriors(bits[readable], prior)
    # A post that no encoding reads is taken for the source's commonest.
    best = np.where(readable, shares.argmax(axis=1), (prior + shares.sum(axis=0)).argmax())
    posts = np.bincount(best[readable], minlength=len(names))
    # Not the sum: the profile may be of these very posts.
    known = np.maximum(posts, [profile.posts.get(name, 0) for name in names])
    rare = {n for n, k in zip(names, known, strict=True) if k < RARE_POSTS and n != "ascii"}
    contested = (shares > NEGLIGIBLE).sum(axis=1) > 1
    contested |= readable & (bits.argmin(axis=1) != best)
    for row, payload in enumerate(payloads):
        name = names[best[row]]
        text = decoded(payload, name)
        if text is None:
            yield _damaged_reading(payload, name, float(shares[row, best[row]]))
            continue
        confidence, problems = (
            _doubts(payload, text, names, shares[row], bits[row]) if contested[row] else (1.0, [])
        )
        if bits[row, best[row]] > NOISE_BITS * max(NOISE_BYTES, len(judged_part(payload))):
            problems.append("encoding_unknown")
        if name in rare:
            problems.append(f"encoding_rare({name})")
        yield _reading(text, name, confidence, problems)


def _doubts(
    payload: bytes,
    text: str,
    names: Sequence[str],
    shares: npt.NDArray[np.float64],
    bits: npt.NDArray[np.float64],
) -> tuple[float, list[str]]:
    """Tell how probable a post's text is, and what speaks against it."""
    best, alone = int(shares.argmax()), int(bits.argmin())
    others = {*np.flatnonzero(shares > NEGLIGIBLE).tolist(), alone} - {best}
    # An encoding that gives the same text is no rival.
    rivals = [k for k in others if decoded(payload, names[k]) != text]
    rivals.sort(key=lambda k: shares[k], reverse=True)
    confidence = 1.0 - float(shares[rivals].sum())
    doubts = []
    if confidence < SURE:
        rival = f"{names[rivals[0]]},{shares[rivals[0]]:.2f}"
        doubts.append(f"encoding_uncertain({names[best]},{confidence:.2f},{rival})")
    elif alone in rivals:
        doubts.append(f"encoding_unlike_source({names[best]},{names[alone]})")
    return confidence, doubts


def _structural_reading(payload: bytes, encoding: str) -> Reading:
    text = decoded(payload, encoding)
    if text is None:
        return _damaged_reading(payload, encoding, 1.0)
    return _reading(text, encoding, 1.0)


def _damaged_reading(payload: bytes, encoding: str, confidence: float) -> Reading:
    """Read a post that its encoding does not decode: as chardet would, or as far as it can be."""
    spelled = payload.decode(encoding, "backslashreplace")
    guess = chardet.detect(payload[:CHARDET_BYTES])
    other = decoded(payload, guess["encoding"] or "")
    if other is not None and np.argmin(text_bits([spelled[:JUDGED_BYTES], other[:JUDGED_BYTES]])):
        name = codecs.lookup(str(guess["encoding"])).name
        problem = f"encoding_guessed({name})"
        return _reading(other, name, guess["confidence"], [problem])
    if confidence:
        problem = f"bytes_undecodable({encoding})"
        return _reading(spelled, encoding, confidence, [problem])
    return _reading(spelled, "", 0.0, [f"text_undecodable({encoding})"])


def _reading(text: str, encoding: str, confidence: float, problems: Sequence[str] = ()) -> Reading:
    if _CONTROLS.search(text):
        problems = [*problems, "control_characters"]
    return Reading(text, encoding, confidence, "; ".join(problems))

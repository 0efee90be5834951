"""From the bytes of a source's posts to their texts."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import chardet
import numpy as np
import numpy.typing as npt

from .evidence import (
    CESU,
    DEFAULT_CANDIDATES,
    JUDGED_BYTES,
    Evidence,
    decoded,
    python_name,
    spelled_out,
    structural_encoding,
)
from .mixture import EncodingProfile, Shares, count_encodings, weigh_encodings
from .scoring import text_bits
from .source import learn_profile

SURE = 0.95  # a text less probable than this is flagged
RARE_POSTS = 3  # an encoding of fewer distinct posts of a source is flagged
NEGLIGIBLE = 1e-3  # an encoding less probable is no rival
DOUBTED = 0.5  # the most that a reading's confidence can be where its source is in doubt
CHANCE_BITS = 4.0  # that a post may take less in another encoding than in its source's
NOISE_BITS = 12.0  # a byte: random ones take some 15, texts in the right encoding 10 at most
NOISE_BYTES = 8  # fewer say little
CHARDET_BYTES = 65_536  # of a post, shown to chardet

_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")


class Reading(NamedTuple):
    """One post's text, and how it was decoded.

    Attributes:
        text: the text, without a byte order mark.
        encoding: Python's name of the encoding. `payload.decode(encoding)` gives the text, except
            where `problem` says that bytes are undecodable, and except for `cesu-8`, which Python
            lacks. Empty if the post could not be decoded.
        confidence: how probable the text is, 0 to 1; 1 where the bytes' structure proves it.
        problem: what should be checked, as codes of `posts.problems`, or empty.
    """

    text: str
    encoding: str
    confidence: float
    problem: str


def read_source(
    payloads: Sequence[bytes], candidates: Sequence[str] | None = None
) -> tuple[list[Reading], EncodingProfile]:
    """Read every post of a source, and learn how common each encoding is in it.

    Args:
        payloads: the posts' bytes. Identical ones are read, and counted, once.
        candidates: the encodings to choose from where structure (ASCII, a byte order mark, NUL
            bytes, escape sequences, surrogate pairs) does not tell. None means all that are known.

    Returns:
        A reading for each post, in order, whatever its bytes, just as `read_texts` reads it under
        the profile; and the profile of the distinct posts whose encoding is not proved by
        structure. Where they read like no language, its `doubt` says so.

    Raises:
        ValueError: a candidate is unknown, or no encoding that extends ASCII.
    """
    structure = _structure(payloads)
    evidence = Evidence([payload for payload, name in structure.items() if not name])
    profile = learn_profile(evidence, candidates)
    shares = weigh_encodings(evidence, profile, candidates)
    profile = dataclasses.replace(profile, posts=count_encodings(shares.names, shares.best()))
    return _read(payloads, structure, evidence, profile, shares), profile


def read_texts(
    payloads: Sequence[bytes],
    profile: EncodingProfile,
    candidates: Sequence[str] | None = None,
) -> list[Reading]:
    """Read posts of a source whose profile is known.

    What a post is read as depends on the post and the profile alone, never on other posts: it makes
    no difference how many are read at once, or by how many processes.

    Args:
        payloads: the posts' bytes.
        profile: what is known of the source.
        candidates: as for `read_source`; None means those that the profile was learnt with.

    Returns:
        A reading for each post, in order, whatever its bytes.

    Raises:
        ValueError: a candidate is unknown, or no encoding that extends ASCII.
    """
    return read_and_count(payloads, profile, candidates)[0]


def read_and_count(
    payloads: Sequence[bytes],
    profile: EncodingProfile,
    candidates: Sequence[str] | None = None,
) -> tuple[list[Reading], list[str]]:
    """Do the same, and name the encoding that each post counts for in its source's profile.

    A post counts for none, "", if its structure proves its encoding, or none reads it.
    """
    structure = _structure(payloads)
    evidence = Evidence([payload for payload, name in structure.items() if not name])
    shares = weigh_encodings(evidence, profile, candidates)
    counted = dict(zip(evidence.payloads, shares.best(), strict=True))
    return (
        _read(payloads, structure, evidence, profile, shares),
        [counted.get(payload, "") for payload in payloads],
    )


def decoded_reading(text: str) -> Reading:
    """Return the reading of a text that its source has decoded.

    Halves of surrogate pairs that fit become the character that they are; others are replaced, and
    a problem says so.
    """
    problems = []
    try:
        text.encode()
    except UnicodeEncodeError:
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        if lost := whole.count("\ufffd") - text.count("\ufffd"):
            problems.append(f"lone_surrogates({lost})")
        text = whole
    return _reading(text, "ascii" if text.isascii() else "utf-8", 1.0, problems)


def chardet_encoding(payload: bytes) -> str | None:
    """Return what chardet takes one post for, alone."""
    return chardet.detect(payload[:CHARDET_BYTES])["encoding"]


def has_control_characters(text: str) -> bool:
    """Return whether a text holds characters that no text needs."""
    # Most texts that are not printable only end in a line feed.
    return not text.rstrip("\r\n").isprintable() and _CONTROLS.search(text) is not None


def _structure(payloads: Sequence[bytes]) -> dict[bytes, str]:
    """Name, for each distinct post, the encoding that its structure proves, or nothing."""
    return {payload: structural_encoding(payload) for payload in dict.fromkeys(payloads)}


def _read(
    payloads: Sequence[bytes],
    structure: dict[bytes, str],
    evidence: Evidence,
    profile: EncodingProfile,
    shares: Shares,
) -> list[Reading]:
    readings = dict(zip(evidence.payloads, _judge(evidence, profile, shares), strict=True))
    for payload, name in structure.items():
        if name:
            readings[payload] = _structural_reading(payload, name)
    return [readings[payload] for payload in payloads]


def _judge(evidence: Evidence, profile: EncodingProfile, weighed: Shares) -> Iterator[Reading]:
    """Read each post in its most probable encoding, and note what is doubtful about it."""
    names, shares, commonest = weighed
    bits = evidence.bits(names)
    readable = shares.any(axis=1)
    # A post that no encoding reads is taken for the source's commonest.
    best = np.where(readable, shares.argmax(axis=1), commonest)
    contested = (shares > NEGLIGIBLE).sum(axis=1) > 1
    contested |= readable & (bits.argmin(axis=1) != best)
    taken = np.take_along_axis(bits, best[:, None], axis=1)[:, 0]
    judged = np.fromiter(map(len, evidence.windows), float, len(best))
    noisy = (taken > NOISE_BITS * NOISE_BYTES) & (taken > NOISE_BITS * judged)
    rows = zip(evidence.payloads, best.tolist(), contested.tolist(), noisy.tolist(), strict=True)
    for row, (payload, column, is_contested, is_noise) in enumerate(rows):
        name = names[column]
        text = decoded(payload, name)
        if text is None:
            yield _damaged_reading(payload, name, round(float(shares[row, column]), 6))
            continue
        confidence, problems = (
            _doubts(payload, text, names, shares[row], bits[row]) if is_contested else (1.0, [])
        )
        if name in profile.doubted:
            confidence = min(confidence, DOUBTED)
        if name in profile.doubted or is_noise:
            problems.append("encoding_unknown")
        if name not in ("ascii", CESU) and profile.posts.get(name, 0) < RARE_POSTS:
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
    confidence = round(1.0 - float(shares[rivals].sum()), 6)
    doubts = []
    if confidence < SURE:
        rival = f"{names[rivals[0]]},{shares[rivals[0]]:.2f}"
        doubts.append(f"encoding_uncertain({names[best]},{confidence:.2f},{rival})")
    elif alone in rivals and bits[best] - bits[alone] > _margin(names[best]):
        doubts.append(f"encoding_unlike_source({names[best]},{names[alone]})")
    return confidence, doubts


def _margin(encoding: str) -> float:
    """Return the bits that a rival must save to count.

    An encoding beyond the usual ones was accepted on the evidence of many posts: others read single
    posts a little better by chance.
    """
    return 0.0 if encoding in DEFAULT_CANDIDATES else CHANCE_BITS


def _structural_reading(payload: bytes, encoding: str) -> Reading:
    text = decoded(payload, encoding)
    if text is None:
        return _damaged_reading(payload, encoding, 1.0)
    return _reading(text, encoding, 1.0)


def _damaged_reading(payload: bytes, encoding: str, confidence: float) -> Reading:
    """Read a post that its encoding does not decode: as chardet would, or as far as it can be."""
    spelled = spelled_out(payload, encoding)
    guess = chardet.detect(payload[:CHARDET_BYTES])
    other = None if encoding == CESU else decoded(payload, guess["encoding"] or "")
    if other is not None and np.argmin(text_bits([spelled[:JUDGED_BYTES], other[:JUDGED_BYTES]])):
        name = python_name(str(guess["encoding"]))
        problem = f"encoding_guessed({name})"
        return _reading(other, name, guess["confidence"], [problem])
    if confidence:
        problem = f"bytes_undecodable({encoding})"
        return _reading(spelled, encoding, confidence, [problem])
    return _reading(spelled, "", 0.0, [f"text_undecodable({encoding})"])


def _reading(text: str, encoding: str, confidence: float, problems: Sequence[str] = ()) -> Reading:
    if has_control_characters(text):
        problems = [*problems, "control_characters"]
    return Reading(text, encoding, confidence, "; ".join(problems))

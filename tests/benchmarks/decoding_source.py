"""How a source of one known encoding is read: whole, and three posts alone with its profile.

    python tests/benchmarks/decoding_source.py FOLDER ENCODING

FOLDER holds the posts' texts, `*.txt`. A reading is right if its text is that of ENCODING.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from multimodal_sentiment.decoding import EncodingProfile, chardet_encoding, read_source, read_texts

DRAWS = 1000  # of three posts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("encoding")
    options = parser.parse_args()
    payloads = [file.read_bytes() for file in sorted(options.folder.glob("*.txt"))]
    told = [payload for payload in payloads if not payload.isascii()]
    texts = {payload: payload.decode(options.encoding) for payload in told}

    readings, profile = read_source(payloads)
    judged = [pair for pair in zip(payloads, readings, strict=True) if pair[0] in texts]
    wrong = [reading for payload, reading in judged if reading.text != texts[payload]]
    flagged = [reading for _, reading in judged if reading.problem]
    print(f"{len(payloads)} posts, {len(told)} not ASCII: {len(wrong)} wrong, of which")
    print(
        f"{sum(bool(reading.problem) for reading in wrong)} flagged; {len(flagged)} flagged in all"
    )
    alone = sum(decoded(payload, chardet_encoding(payload)) == texts[payload] for payload in told)
    print(f"chardet, each post alone: {alone} right")

    # As a later run has it: from the file that the first one wrote.
    profile = EncodingProfile.from_dict(json.loads(json.dumps(profile.to_dict())))
    for name, pool in (("posts", payloads), ("posts that are not ASCII", told)):
        share = threes(pool, texts, profile)
        print(f"three {name} alone, with the profile: all right in {100 * share:.1f}% of draws")


def threes(pool: list[bytes], texts: dict[bytes, str], profile: EncodingProfile) -> float:
    generator = np.random.default_rng(0)
    right = []
    for _ in range(DRAWS):
        drawn = [pool[at] for at in generator.choice(len(pool), 3, replace=False)]
        wanted = [texts.get(payload) or payload.decode("ascii") for payload in drawn]
        right.append([reading.text for reading in read_texts(drawn, profile)] == wanted)
    return float(np.mean(right))


def decoded(payload: bytes, encoding: str | None) -> str | None:
    try:
        return payload.decode(encoding or "ascii")
    except (UnicodeDecodeError, LookupError):
        return None


if __name__ == "__main__":
    main()

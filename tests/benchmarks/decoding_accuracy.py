"""How many short texts come out right, for each encoding, alone and among others of their source.

    python tests/benchmarks/decoding_accuracy.py [FOLDER]

The texts are the translated messages of installed programs, `FOLDER/<language>/LC_MESSAGES/*.mo`,
by default /usr/share/locale: nobody here wrote them. Half of the programs were looked at while the
character model was made; the figures are of the other half. A reading is right if its *text* is.
"""

from __future__ import annotations

import argparse
import gettext
import importlib
import itertools
import zlib
from dataclasses import dataclass
from pathlib import Path

import chardet
import numpy as np

from multimodal_sentiment.decoding import DEFAULT_CANDIDATES, EncodingProfile
from multimodal_sentiment.decoding.evidence import judged_encodings, reading_bits
from multimodal_sentiment.decoding.mixture import posteriors

ENCODINGS = {
    "de": ("utf-8", "cp1252"),
    "fr": ("utf-8", "cp1252"),
    "es": ("utf-8", "cp1252"),
    "pt_BR": ("utf-8", "cp1252"),
    "it": ("utf-8", "cp1252"),
    "ru": ("utf-8", "cp1251", "koi8-u", "gb18030"),
    "uk": ("utf-8", "cp1251", "koi8-u"),
    "zh_CN": ("utf-8", "gb18030"),
    "zh_TW": ("utf-8", "big5hkscs", "gb18030"),
    "ja": ("utf-8", "cp932", "gb18030", "euc_jp"),
    "ko": ("utf-8", "cp949"),
}
# Look-alikes: the same bytes are characters of running text in each. UTF-8, with its rules for what
# follows what, and cp932, whose second bytes are elsewhere, have none.
FAMILIES = ({"gb18030", "big5hkscs", "euc_jp", "cp949"}, {"cp1252", "cp1251", "koi8-u"})
TEXTS = 2000  # of a language, at most
DETECTED = 300  # of a pool, shown to the other detectors
SOURCE = 1000  # posts of a mixed source
SHARES = (0.01, 0.1, 0.5)
MINORITY = 1000  # posts that each figure of a minority rests on, at least
DRAWS = 10  # sources that each figure rests on, at least
NAMES = judged_encodings(DEFAULT_CANDIDATES)


@dataclass
class Pool:
    """The texts of one language in one encoding.

    `bits` and `right` are of shape (texts, encodings): what a text takes when read in an encoding,
    and whether it comes out.
    """

    name: str
    texts: list[str]
    payloads: list[bytes]
    bits: np.ndarray
    right: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", default="/usr/share/locale", type=Path)
    folder = parser.parse_args().folder
    pools = [
        make_pool(language, encoding, texts)
        for language, encodings in ENCODINGS.items()
        if (texts := messages(folder, language))
        for encoding in encodings
    ]
    if not pools:
        raise SystemExit(f"no message catalogues of {', '.join(ENCODINGS)} in {folder}")
    report_single(pools)
    report_ambiguous(pools)
    report_mixtures(pools)


def messages(folder: Path, language: str) -> list[str]:
    """Messages of 8 to 140 characters, not all ASCII, of the programs held out."""
    found = set()
    for path in sorted((folder / language / "LC_MESSAGES").glob("*.mo")):
        if sum(path.name.encode()) % 2 == 0 or path.name.startswith("iso_"):
            continue
        try:
            with path.open("rb") as file:
                catalogue = gettext.GNUTranslations(file)._catalog
        except (OSError, UnicodeDecodeError):
            continue
        found |= {
            text
            for key, text in catalogue.items()
            if key and isinstance(text, str) and 8 <= len(text) <= 140 and not text.isascii()
        }
    return sorted(found, key=lambda text: zlib.crc32(text.encode()))[:TEXTS]


def make_pool(language: str, encoding: str, texts: list[str]) -> Pool:
    pairs = [
        (text, payload)
        for text in texts
        if not (payload := text.encode(encoding, "ignore")).isascii()
        and payload.decode(encoding, "ignore") == text
    ]
    payloads = [payload for _, payload in pairs]
    right = [[decode(payload, name) == text for name in NAMES] for text, payload in pairs]
    bits = reading_bits(payloads, NAMES)
    return Pool(f"{language} {encoding}", [t for t, _ in pairs], payloads, bits, np.array(right))


def read(bits: np.ndarray, profile: EncodingProfile | None = None) -> np.ndarray:
    """Posteriors just as read_source finds them, the evidence being known."""
    if profile is None:
        profile = EncodingProfile.from_posteriors(NAMES, posteriors(bits))
    return posteriors(bits, profile.pseudo_posts(NAMES))


def chosen(right: np.ndarray, shares: np.ndarray) -> np.ndarray:
    return right[np.arange(len(right)), shares.argmax(axis=1)]


def report_single(pools: list[Pool]) -> None:
    """One encoding a source: % right alone, in its source, and in threes with its profile."""
    heads = ("alone", "source", "threes", "chardet", "joined", "cs-norm", "joined")
    print(f"{'one encoding':18}{'texts':>6}" + "".join(f"{head:>9}" for head in heads))
    generator = np.random.default_rng(0)
    for pool in pools:
        profile = EncodingProfile.from_posteriors(NAMES, posteriors(pool.bits))
        draws = [generator.choice(len(pool.texts), 3, replace=False) for _ in range(1000)]
        threes = [chosen(pool.right[d], read(pool.bits[d], profile)).all() for d in draws]
        scores = [
            chosen(pool.right, -pool.bits).mean(),
            chosen(pool.right, read(pool.bits)).mean(),
            np.mean(threes),
            *detector_scores(pool),
        ]
        row = "".join(f"{100 * score:9.2f}" for score in scores)
        print(f"{pool.name:18}{len(pool.texts):6}{row}")


def detector_scores(pool: Pool) -> list[float]:
    """Share that other detectors get right: one post at a time, then all posts joined."""
    texts, payloads = pool.texts[:DETECTED], pool.payloads[:DETECTED]
    scores = []
    for detect in detectors():
        joined = detect(b"\n".join(payloads))
        for names in ([detect(payload) for payload in payloads], [joined] * len(payloads)):
            read = [decode(p, name or "ascii") for p, name in zip(payloads, names, strict=True)]
            scores.append(np.mean([a == b for a, b in zip(read, texts, strict=True)]))
    return scores


def detectors() -> list:
    found = [lambda payload: chardet.detect(payload)["encoding"]]
    try:
        normalizer = importlib.import_module("charset_normalizer")
        found.append(lambda payload: normalizer.detect(payload)["encoding"])
    except ImportError:
        pass
    return found


def report_ambiguous(pools: list[Pool]) -> None:
    """Chinese words of two characters whose GB18030 bytes are also valid UTF-8."""
    source = next((pool for pool in pools if pool.name == "zh_CN gb18030"), None)
    if source is None:
        return
    words = {a + b for text in source.texts for a, b in itertools.pairwise(text) if a > "\u3400"}
    encoded = {word: word.encode("gb18030") for word in sorted(words) if word[1] > "\u3400"}
    ambiguous = [payload for payload in encoded.values() if decode(payload, "utf-8") is not None]
    bits = reading_bits(ambiguous, NAMES)
    column = NAMES.index("gb18030")
    for size in (30, 1000):
        shares = [read(np.vstack([source.bits[:size], row]))[-1] for row in bits]
        follow = np.mean(np.array(shares).argmax(axis=1) == column)
        print(
            f"\n{len(ambiguous)} words of zh_CN gb18030 that are valid UTF-8, each among {size} "
            f"posts: {100 * follow:.2f}% follow the source"
        )


def report_mixtures(pools: list[Pool]) -> None:
    """Two encodings a source: % right of the majority and of the minority."""
    rows = []
    for major, minor in itertools.permutations(pools, 2):
        if major.name.split()[1] != minor.name.split()[1]:
            rows += [(major.name, minor.name, share, *mix(major, minor, share)) for share in SHARES]
    for title, wanted in (
        ("encodings unlike each other", False),
        ("encodings that look alike", True),
    ):
        some = [row for row in rows if look_alike(*row[:2]) is wanted]
        print(f"\n{title:28}{'pairs':>6}{'majority':>10}{'worst':>8}{'minority':>10}{'worst':>8}")
        for share in SHARES:
            part = np.array([r[3:] for r in some if r[2] == share])
            figures = 100 * np.array([part.mean(axis=0), part.min(axis=0)]).T[:2].ravel()
            row = "".join(f"{f:{w}.2f}" for f, w in zip(figures, (10, 8, 10, 8), strict=True))
            print(f"minority {100 * share:2.0f}%{'':16}{len(part):6}{row}")
    short = [r for r in rows if r[3] < 0.995 or r[4] < 0.97]
    print(f"\n{len(short)} of {len(rows)} short of 99.5% of the majority or 97% of the minority:")
    print(
        f"{'majority':18}{'minority':18}{'share':>6}{'right':>8}{'right':>8}{'flagged':>9}  alike"
    )
    for major, minor, share, *figures in sorted(
        short, key=lambda r: min(r[3] - 0.995, r[4] - 0.97)
    ):
        row = "".join(f"{100 * f:{w}.2f}" for f, w in zip(figures, (8, 8, 9), strict=True))
        alike = "yes" if look_alike(major, minor) else "no"
        print(f"{major:18}{minor:18}{100 * share:5.0f}%{row}  {alike}")


def look_alike(major: str, minor: str) -> bool:
    encodings = {major.split()[1], minor.split()[1]}
    return any(encodings <= family for family in FAMILIES)


def mix(major: Pool, minor: Pool, share: float) -> tuple[float, float, float]:
    """Share right of the majority, of the minority, and share flagged of those wrong."""
    n_minor = round(SOURCE * share)
    generator = np.random.default_rng(zlib.crc32(f"{major.name} {minor.name} {share}".encode()))
    right, uncertain = [], []
    for _ in range(max(DRAWS, -(-MINORITY // n_minor))):
        a = generator.choice(len(major.texts), SOURCE - n_minor, replace=False)
        b = generator.choice(len(minor.texts), n_minor, replace=False)
        bits = np.vstack([major.bits[a], minor.bits[b]])
        shares = read(bits)
        ok = chosen(np.vstack([major.right[a], minor.right[b]]), shares)
        right.append((ok[: len(a)].mean(), ok[len(a) :].mean()))
        doubted = (shares.max(axis=1) < 0.95) | (shares.argmax(axis=1) != bits.argmin(axis=1))
        uncertain.extend(doubted[~ok])
    return (*np.mean(right, axis=0), np.mean(uncertain) if uncertain else 1.0)


def decode(payload: bytes, encoding: str) -> str | None:
    try:
        return payload.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


if __name__ == "__main__":
    main()

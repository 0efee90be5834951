"""How many short texts come out right, in every encoding that people wrote their language in.

    python tests/benchmarks/decoding_accuracy.py [FOLDER] [--nine] [--ours] [--mixtures PAIRS]

The texts are the translated messages of installed programs, `FOLDER/<language>/LC_MESSAGES/*.mo`,
by default /usr/share/locale: nobody here wrote them. Half of the programs were counted for the
table of letters; the figures are of the other half. A reading is right if its *text* is, whatever
the encoding is called; it is silently wrong if it is wrong and no problem is noted. Of a source in
doubt every post has a problem noted.

The script reads through the public functions only, so that it can be run on another version too
(`PYTHONPATH=OTHER/src`).
"""

from __future__ import annotations

import argparse
import gettext
import importlib
import itertools
import unicodedata
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import chardet
import numpy as np

from multimodal_sentiment.decoding import read_source, read_texts

NINE = {
    **dict.fromkeys(("de", "fr", "es", "pt_BR", "it"), ("utf-8", "cp1252")),
    "ru": ("utf-8", "cp1251", "koi8-u", "gb18030"),
    "uk": ("utf-8", "cp1251", "koi8-u"),
    "zh_CN": ("utf-8", "gb18030"),
    "zh_TW": ("utf-8", "big5hkscs", "gb18030"),
    "ja": ("utf-8", "cp932", "gb18030", "euc_jp"),
    "ko": ("utf-8", "cp949"),
}
_WESTERN = ("utf-8", "cp1252", "iso8859-15", "mac-roman", "cp850")
_CENTRAL = ("utf-8", "cp1250", "iso8859-2", "cp852", "mac-latin2")
_CYRILLIC = ("utf-8", "cp1251", "iso8859-5")
ENCODINGS = {
    **dict.fromkeys(("de", "es", "sv", "fi"), (*_WESTERN, "cp437")),
    **dict.fromkeys(("da", "nb"), (*_WESTERN, "cp865")),
    **dict.fromkeys(("it", "nl", "ca"), _WESTERN),
    "fr": (*_WESTERN, "cp863"),
    "pt_BR": (*_WESTERN, "cp860"),
    "is": (*_WESTERN, "cp861", "mac-iceland"),
    "ga": ("utf-8", "cp1252", "iso8859-14"),
    "cy": ("utf-8", "iso8859-14"),
    "sq": ("utf-8", "cp1252"),
    **dict.fromkeys(("pl", "cs", "sk", "hu", "sl", "hr"), _CENTRAL),
    "ro": ("utf-8", "iso8859-16"),
    "ro+cedilla": ("utf-8", "cp1250", "iso8859-2", "cp852"),
    "tr": ("utf-8", "cp1254", "iso8859-9", "cp857", "mac-turkish"),
    "eo": ("utf-8", "iso8859-3"),
    **dict.fromkeys(("lt", "lv"), ("utf-8", "cp1257", "iso8859-13", "iso8859-4", "cp775")),
    "et": ("utf-8", "cp1257", "iso8859-13", "cp1252", "iso8859-15", "cp775"),
    "vi": ("utf-8", "cp1258"),
    "el": ("utf-8", "cp1253", "iso8859-7", "cp737", "cp869", "mac-greek"),
    "ru": (*_CYRILLIC, "koi8-r", "cp866", "mac-cyrillic", "gb18030"),
    "uk": (*_CYRILLIC, "koi8-u", "cp1125", "mac-cyrillic"),
    "be": _CYRILLIC,
    "bg": (*_CYRILLIC, "cp866", "mac-cyrillic"),
    "sr": (*_CYRILLIC, "cp855", "mac-cyrillic"),
    "mk": (*_CYRILLIC, "cp855"),
    "kk": ("utf-8", "kz1048", "ptcp154"),
    "tg": ("utf-8", "koi8-t"),
    "he": ("utf-8", "cp1255", "iso8859-8", "cp862"),
    "ar": ("utf-8", "cp1256", "iso8859-6", "cp720"),
    "fa": ("utf-8", "cp1256"),
    "th": ("utf-8", "cp874", "tis-620"),
    "zh_CN": ("utf-8", "gb18030"),
    "zh_TW": ("utf-8", "big5hkscs", "gb18030"),
    "zh_HK": ("utf-8", "big5hkscs"),
    "ja": ("utf-8", "cp932", "euc_jp", "gb18030"),
    "ko": ("utf-8", "cp949", "euc_kr", "johab"),
}
TEXTS = 400  # of a pool, at most; of the nine 2,000
DETECTED = 100  # of a pool, shown to the other detectors
FEWEST = 100  # a smaller pool says little
SOURCE = 1000  # posts of a mixed source
SHARES = (0.01, 0.1, 0.5)
DRAWS = {0.01: 5, 0.1: 1, 0.5: 1}  # sources a mixture
THREES = 100  # draws of three posts, read with the profile of their source
DETECTORS = ("chardet", "joined", "cs-norm", "joined")
CEDILLAS = str.maketrans("șțȘȚ", "şţŞŢ")  # as Romanian was written before Unicode 3.0


@dataclass
class Pool:
    """The texts of one language in one encoding."""

    language: str
    encoding: str
    texts: list[str]
    payloads: list[bytes]

    def draw(self, generator: np.random.Generator, count: int) -> list[tuple[str, bytes]]:
        """Take some texts and their bytes."""
        rows = generator.choice(len(self.texts), min(count, len(self.texts)), replace=False)
        return [(self.texts[row], self.payloads[row]) for row in rows]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", nargs="?", default="/usr/share/locale", type=Path)
    parser.add_argument("--nine", action="store_true", help="only what is tried on every source")
    parser.add_argument("--mixtures", type=int, default=0, metavar="PAIRS")
    parser.add_argument("--ours", action="store_true", help="ask no other detectors")
    options = parser.parse_args()
    table, most = (NINE, 5 * TEXTS) if options.nine else (ENCODINGS, TEXTS)
    pools = [
        pool
        for language, encodings in table.items()
        for encoding in encodings
        if len((pool := make_pool(options.folder, language, encoding, most)).texts) >= FEWEST
    ]
    if not pools:
        raise SystemExit(f"no message catalogues of {', '.join(table)} in {options.folder}")
    if options.mixtures:
        report_mixtures(pools, options.mixtures, options.nine)
    else:
        report_single(pools, options.ours)


def make_pool(folder: Path, language: str, encoding: str, most: int) -> Pool:
    texts, payloads = [], []
    for message in messages(folder, language.partition("+")[0]):
        text = message.translate(CEDILLAS) if language.endswith("+cedilla") else message
        text = with_tone_marks(text) if encoding == "cp1258" else text
        payload = text.encode(encoding, "ignore")
        if not payload.isascii() and payload.decode(encoding, "ignore") == text:
            texts.append(text)
            payloads.append(payload)
    return Pool(language, encoding, texts[:most], payloads[:most])


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
    return sorted(found, key=lambda text: zlib.crc32(text.encode()))


def with_tone_marks(text: str) -> str:
    """Write Vietnamese as cp1258 does: the tone is a mark of its own, but on some letters."""
    written = ""
    for char in text:
        parts = unicodedata.normalize("NFD", char)
        tones = "".join(part for part in parts if part in "\u0300\u0301\u0303\u0309\u0323")
        letter = "".join(part for part in parts if part not in tones)
        is_known = char.encode("cp1258", "ignore")
        written += char if is_known else unicodedata.normalize("NFC", letter) + tones
    return written


def report_single(pools: list[Pool], ours: bool) -> None:
    """One encoding a source: % right, % silently wrong, and % right of other detectors."""
    heads = ("right", "silent", "threes", *(() if ours else DETECTORS))
    print(
        f"{'one encoding':24}{'texts':>6}" + "".join(f"{head:>9}" for head in heads) + "  doubted"
    )
    rows = []
    for pool in pools:
        readings, profile = read_source(pool.payloads)
        right = [r.text == text for r, text in zip(readings, pool.texts, strict=True)]
        silent = [not ok and not r.problem for ok, r in zip(right, readings, strict=True)]
        doubted = sum(1 for r in readings if "encoding_unknown" in r.problem)
        row = [np.mean(right), np.mean(silent), threes(pool, profile)]
        row += [] if ours else detector_scores(pool)
        rows.append(row)
        figures = "".join(f"{100 * score:9.2f}" for score in row)
        print(f"{pool.language:11}{pool.encoding:13}{len(pool.texts):6}{figures}  {doubted or ''}")
    mean = "".join(f"{100 * score:9.3f}" for score in np.mean(rows, axis=0))
    print(f"{'mean of ' + str(len(rows)):30}{mean}")
    short = [row[0] < 0.995 for row in rows]
    print(f"{sum(short)} of {len(rows)} below 99.5% right")


def threes(pool: Pool, profile) -> float:
    """Share of draws of three posts of which all three are right, read with the profile."""
    generator = np.random.default_rng(0)
    right = []
    for _ in range(THREES):
        drawn = pool.draw(generator, 3)
        readings = read_texts([payload for _, payload in drawn], profile)
        right.append([r.text for r in readings] == [text for text, _ in drawn])
    return float(np.mean(right))


def detector_scores(pool: Pool) -> list[float]:
    """Share that other detectors get right: one post at a time, then all posts joined."""
    texts, payloads = pool.texts[:DETECTED], pool.payloads[:DETECTED]
    scores = []
    for detect in detectors():
        joined = detect(b"\n".join(payloads))
        for names in ([detect(payload) for payload in payloads], [joined] * len(payloads)):
            read = [decode(p, name or "ascii") for p, name in zip(payloads, names, strict=True)]
            scores.append(float(np.mean([a == b for a, b in zip(read, texts, strict=True)])))
    return scores


def detectors() -> list[Callable[[bytes], str | None]]:
    normalizer = importlib.import_module("charset_normalizer")
    return [
        lambda payload: chardet.detect(payload)["encoding"],
        lambda payload: normalizer.detect(payload)["encoding"],
    ]


def report_mixtures(pools: list[Pool], most: int, is_nine: bool) -> None:
    """Two encodings a source: % right of the majority and of the minority."""
    pairs = [
        (major, minor)
        for major, minor in itertools.permutations(pools, 2)
        if major.encoding != minor.encoding and (is_nine or is_usual(major, minor))
    ]
    pairs.sort(key=lambda pair: zlib.crc32(repr([(p.language, p.encoding) for p in pair]).encode()))
    heads = ("majority", "worst", "minority", "worst", "silent")
    print(f"{'two encodings':16}{'pairs':>6}" + "".join(f"{head:>10}" for head in heads))
    for share in SHARES:
        rows = np.array([mix(major, minor, share) for major, minor in pairs[:most]])
        means, worst = rows.mean(axis=0), rows.min(axis=0)
        figures = (means[0], worst[0], means[1], worst[1], means[2])
        row = "".join(f"{100 * figure:10.3f}" for figure in figures)
        print(f"minority {100 * share:3.0f}%   {len(rows):6}{row}")
        for at in np.flatnonzero((rows[:, 0] < 0.99) | (rows[:, 1] < 0.9)):
            names = [f"{pool.language} {pool.encoding}" for pool in pairs[at]]
            print(f"    {' with '.join(names)}: {100 * rows[at, 0]:.2f}, {100 * rows[at, 1]:.1f}")


def is_usual(major: Pool, minor: Pool) -> bool:
    """Tell whether one is the same language's UTF-8, or Chinese in GB18030."""
    return any(
        (b.encoding == "utf-8" and a.language == b.language)
        or (b.language == "zh_CN" and b.encoding == "gb18030")
        for a, b in ((major, minor), (minor, major))
    )


def mix(major: Pool, minor: Pool, share: float) -> tuple[float, float, float]:
    """Share right of the majority and of the minority, and share silently wrong."""
    key = repr((major.language, major.encoding, minor.language, minor.encoding, share))
    generator = np.random.default_rng(zlib.crc32(key.encode()))
    few = round(SOURCE * share)
    right: tuple[list[bool], list[bool]] = ([], [])
    silent = []
    for _ in range(DRAWS[share]):
        drawn = major.draw(generator, SOURCE - few)
        many = len(drawn)
        drawn += minor.draw(generator, few)
        readings, _profile = read_source([payload for _, payload in drawn])
        ok = [r.text == text for r, (text, _) in zip(readings, drawn, strict=True)]
        right[0].extend(ok[:many])
        right[1].extend(ok[many:])
        silent += [not good and not r.problem for good, r in zip(ok, readings, strict=True)]
    return float(np.mean(right[0])), float(np.mean(right[1])), float(np.mean(silent))


def decode(payload: bytes, encoding: str) -> str | None:
    try:
        return payload.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None


if __name__ == "__main__":
    main()

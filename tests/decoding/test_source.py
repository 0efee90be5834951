"""What is learnt of a source: encodings beyond the usual ones, doubt, and what it depends on."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest

from multimodal_sentiment.decoding import EncodingProfile, read_source, read_texts

FOLDER = Path(__file__).parent
PHRASES = json.loads((FOLDER / "phrases_more.json").read_text("utf-8")) | json.loads(
    (FOLDER / "phrases.json").read_text("utf-8")
)
FURTHER = {
    "cp1250": ("pl", "cs", "hu"),
    "iso8859-2": ("pl", "cs", "hu"),
    "cp852": ("pl", "cs", "hu"),
    "mac-latin2": ("pl",),
    "cp1254": ("tr",),
    "iso8859-9": ("tr",),
    "cp857": ("tr",),
    "mac-turkish": ("tr",),
    "cp1253": ("el",),
    "iso8859-7": ("el",),
    "cp737": ("el",),
    "cp869": ("el",),
    "mac-greek": ("el",),
    "cp1255": ("he",),
    "cp862": ("he",),
    "cp1256": ("ar",),
    "iso8859-6": ("ar",),
    "cp720": ("ar",),
    "cp874": ("th",),
    "cp1257": ("lt",),
    "iso8859-13": ("lt",),
    "cp775": ("lt",),
    "iso8859-5": ("ru", "bg"),
    "cp866": ("ru", "bg"),
    "mac-cyrillic": ("ru", "bg"),
    "mac-roman": ("de", "fr"),
    "johab": ("ko",),
}
SOURCES = [
    (encoding, language) for encoding, languages in FURTHER.items() for language in languages
]
EMOJI = ("\U0001f600", "\U0001f64f\U0001f3fd", "\U0001f1e9\U0001f1ea", "\U0001f525")


def written(language: str, encoding: str) -> list[tuple[str, bytes]]:
    """Those of the language's phrases that the encoding holds, and their bytes."""
    pairs = [(text, text.encode(encoding, "ignore")) for text in PHRASES[language]]
    return [(text, payload) for text, payload in pairs if payload.decode(encoding) == text]


def cesu(text: str) -> bytes:
    """Write CESU-8 as Unicode's Technical Report 26 defines it: by code units of UTF-16."""
    units = np.frombuffer(text.encode("utf-16-le"), "<u2").tolist()
    return b"".join(chr(unit).encode("utf-8", "surrogatepass") for unit in units)


@pytest.mark.fault("text", "a source in a code page beyond the usual ones", "its texts")
@pytest.mark.parametrize(("encoding", "language"), SOURCES)
def test_a_source_in_a_further_encoding_is_read_exactly(encoding, language):
    pairs = written(language, encoding)
    readings, profile = read_source([payload for _, payload in pairs])
    assert [r.text for r in readings] == [text for text, _ in pairs]
    assert not profile.doubted


@pytest.mark.parametrize(("encoding", "language"), [("cp1250", "hu"), ("cp1254", "tr")])
def test_nine_posts_of_ten_in_a_further_encoding_are_looked_at(encoding, language):
    many = (written(language, encoding) * 2)[:18]
    pairs = [(f"{text} {n}", payload + f" {n}".encode()) for n, (text, payload) in enumerate(many)]
    pairs += written("ru", "cp1251")[:2]
    readings, _ = read_source([payload for _, payload in pairs])
    assert [r.text for r in readings] == [text for text, _ in pairs]


@pytest.mark.parametrize("other", [("utf-8", "tr"), ("gb18030", "zh_Hans")])
@pytest.mark.parametrize(("encoding", "language"), [("cp1254", "tr"), ("cp1256", "ar")])
def test_a_further_encoding_is_found_among_others(encoding, language, other):
    pairs = written(other[1], other[0]) * 3 + written(language, encoding)
    pairs = [(f"{text} {n}", payload + f" {n}".encode()) for n, (text, payload) in enumerate(pairs)]
    readings, _ = read_source([payload for _, payload in pairs])
    assert [r.text for r in readings] == [text for text, _ in pairs]


def test_what_a_post_is_read_as_depends_on_the_post_and_the_profile_alone():
    pairs = written("zh_Hans", "gb18030") + written("tr", "cp1254") + written("de", "utf-8")
    payloads = [payload for _, payload in pairs] + [b"so \xa1\xad", b"\xfe", b"plain", b"\x81\xff!"]
    readings, profile = read_source(payloads)
    profile = EncodingProfile.from_dict(json.loads(json.dumps(profile.to_dict())))
    assert read_texts(payloads, profile) == readings
    assert [read_texts([payload], profile)[0] for payload in payloads] == readings
    halves = [read_texts(half, profile) for half in (payloads[::2], payloads[1::2])]
    assert halves == [readings[::2], readings[1::2]]


def test_encodings_that_are_named_are_the_only_ones_and_each_is_likely():
    # "ş" in Turkish pages is "þ" in Western ones; nothing in one word tells them apart.
    payload = "başka".encode("cp1254")
    (read,), _ = read_source([payload], ["utf-8", "cp1254"])
    assert (read.text, read.encoding) == ("başka", "cp1254")
    pairs = written("ru", "cp1251")
    readings, _ = read_source([payload for _, payload in pairs], ["utf-8", "iso8859-5"])
    assert {r.encoding for r in readings} == {"iso8859-5"}


def test_encodings_that_were_named_are_the_only_ones_for_later_posts_too():
    # Without them, a lone later post would be read in UTF-8's commonest rival.
    _, profile = read_source([b"plain"], ["utf-8", "cp1254"])
    profile = EncodingProfile.from_dict(json.loads(json.dumps(profile.to_dict())))
    (read,) = read_texts(["ba\u015fka".encode("cp1254")], profile)
    assert (read.text, read.encoding) == ("ba\u015fka", "cp1254")
    (other,) = read_texts(["ba\u015fka".encode("cp1254")], profile, ["utf-8", "cp1252"])
    assert other.encoding == "cp1252"


@pytest.mark.fault("text", "a source in an encoding that nobody knows", "every post is flagged")
@pytest.mark.parametrize(
    ("language", "page"), [("ru", "cp1251"), ("uk", "cp1251"), ("el", "cp1253")]
)
def test_a_source_in_an_unknown_encoding_is_doubted_as_a_source(language, page):
    # No page has its letters in this order.
    secret = bytes(range(128)) + bytes(0x80 | (37 * byte + 11) & 0x7F for byte in range(128))
    payloads = [payload.translate(secret) for _, payload in written(language, page)]
    readings, profile = read_source(payloads)
    assert all(r.problem and r.confidence <= 0.5 for r in readings)
    assert re.match(r"\d+ of \d+ distinct posts .* read like no language", profile.doubt)
    assert "ingestion.encodings" in profile.doubt
    assert "\n" not in profile.doubt
    # One more post of the source is doubted as they are, from the profile's file.
    profile = EncodingProfile.from_dict(json.loads(json.dumps(profile.to_dict())))
    assert "encoding_unknown" in read_texts(payloads[:1], profile)[0].problem


@pytest.mark.parametrize("language", ["de", "ru", "ja", "th"])
def test_a_source_that_reads_like_a_language_is_not_doubted(language):
    encoding = {"de": "cp1252", "ru": "koi8-r", "ja": "cp932", "th": "cp874"}[language]
    _, profile = read_source([payload for _, payload in written(language, encoding)])
    assert profile.doubted == () and profile.doubt == ""


def test_a_profile_from_before_doubt_was_kept_still_loads():
    old = {"posts": {"cp1251": 24}, "expected": {"cp1251": 24.0}, "flagged": {"posts": 0}}
    profile = EncodingProfile.from_dict(old)
    assert profile == EncodingProfile({"cp1251": 24}, {"cp1251": 24.0})
    assert read_texts(["привет".encode("cp1251")], profile)[0].text == "привет"
    assert dataclasses.asdict(profile)["doubted"] == ()


@pytest.mark.fault("text", "emoji as surrogates of three bytes each, alone", "the emoji")
@pytest.mark.parametrize("language", ["en", "de", "ru", "ja", "ar"])
def test_surrogate_pairs_are_read_as_the_characters_they_are(language):
    texts = [f"{text} {EMOJI[n % 4]}" for n, text in enumerate(PHRASES[language])]
    readings, _ = read_source([cesu(text) for text in texts])
    assert [(r.text, r.encoding, r.problem) for r in readings] == [(t, "cesu-8", "") for t in texts]


@pytest.mark.fault("text", "emoji as surrogates, in a source of another encoding", "the emoji")
@pytest.mark.parametrize(
    ("encoding", "language"),
    [("utf-8", "fr"), ("gb18030", "zh_Hans"), ("cp1252", "de"), ("cp1251", "ru")],
)
def test_surrogate_pairs_are_read_within_a_source_of_another_encoding(encoding, language):
    pairs = written(language, encoding) + [(text, cesu(text)) for text in ("So happy 😀", "не 😢")]
    readings, _ = read_source([payload for _, payload in pairs])
    assert [r.text for r in readings] == [text for text, _ in pairs]


@pytest.mark.fault("text", "half a surrogate pair", "a problem, and the rest of the text")
@pytest.mark.parametrize("half", ["\ud83d", "\ude00"])
@pytest.mark.parametrize(("encoding", "language"), [("utf-8", "fr"), ("cp1251", "ru")])
def test_half_a_surrogate_pair_is_a_problem_and_the_rest_is_right(half, encoding, language):
    payload = "Grüße 今天".encode() + half.encode("utf-8", "surrogatepass") + b" to all"
    source = [payload for _, payload in written(language, encoding)]
    read = read_source([*source, payload])[0][-1]
    assert read.text == f"Grüße 今天\\u{ord(half):04x} to all"
    assert read.problem == "bytes_undecodable(cesu-8)"


@pytest.mark.fault("text", "Java's NUL of two bytes", "the text, flagged")
@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b"a\xc0\x80b", "a\0b"),
        ("schön".encode() + b"\xc0\x80", "schön\0"),
        (cesu("😀") + b"\xc0\x80", "😀\0"),
    ],
)
def test_a_nul_of_two_bytes_is_read_as_one(payload, text):
    (read,), _ = read_source([payload])
    assert (read.text, read.problem) == (text, "control_characters")

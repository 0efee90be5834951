"""From bytes to texts: what is read, what is flagged."""

from __future__ import annotations

import json
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest

from multimodal_sentiment.decoding import (
    DEFAULT_CANDIDATES,
    EncodingProfile,
    Reading,
    chardet_encoding,
    evidence,
    read_source,
    read_texts,
    reading,
    source,
)

PHRASES = json.loads(Path(__file__).with_name("phrases.json").read_text("utf-8"))
LEGACY = {
    "cp1252": ("de", "fr", "es", "pt", "it"),
    "cp1251": ("ru", "uk"),
    "koi8-u": ("ru", "uk"),
    "gb18030": ("zh_Hans", "zh_Hant", "ja", "ru", "en"),
    "big5hkscs": ("zh_Hant",),
    "cp932": ("ja",),
    "euc_jp": ("ja",),
    "cp949": ("ko",),
}
SOURCES = [
    *(("utf-8", language) for language in PHRASES),
    *((encoding, language) for encoding, languages in LEGACY.items() for language in languages),
]


def phrases(language: str, encoding: str) -> list[str]:
    """Those of the language's phrases that the encoding holds."""
    return [
        text
        for text in PHRASES[language]
        if text.encode(encoding, "ignore").decode(encoding, "ignore") == text
    ]


def readings_of(payloads: list[bytes], *candidates: str) -> list[Reading]:
    return read_source(payloads, candidates or None)[0]


def profile_of(payloads: list[bytes], *candidates: str) -> EncodingProfile:
    return read_source(payloads, candidates or None)[1]


def only(payload: bytes, *candidates: str, profile: EncodingProfile | None = None) -> Reading:
    if profile is None:
        return readings_of([payload], *candidates)[0]
    return read_texts([payload], profile)[0]


@pytest.mark.parametrize(("encoding", "language"), SOURCES)
def test_a_source_in_one_encoding_is_read_exactly(encoding, language):
    texts = phrases(language, encoding)
    assert [r.text for r in readings_of([text.encode(encoding) for text in texts])] == texts


@pytest.mark.parametrize(("encoding", "language"), SOURCES)
def test_posts_one_at_a_time_are_read_exactly_with_the_profile_of_their_source(encoding, language):
    texts = phrases(language, encoding)
    payloads = [text.encode(encoding) for text in texts]
    profile = profile_of(payloads)
    assert [only(payload, profile=profile).text for payload in payloads] == texts


@pytest.mark.parametrize("minority", ["cp1252", "cp1251", "cp932", "cp949", "utf-8"])
def test_a_minority_is_read_in_its_own_encoding(minority):
    language = LEGACY.get(minority, ("pl",))[0]
    texts = phrases("zh_Hans", "gb18030") * 1 + phrases(language, minority)[:3]
    majority = len(texts) - 3
    payloads = [t.encode("gb18030" if i < majority else minority) for i, t in enumerate(texts)]
    assert [r.text for r in readings_of(payloads)] == texts


@pytest.mark.parametrize(
    ("payload", "text", "encoding"),
    [
        (b"", "", "ascii"),
        (b" \r\n\t", " \r\n\t", "ascii"),
        (b"plain, with a ~ and a {", "plain, with a ~ and a {", "ascii"),
        (b"\xef\xbb\xbfna\xc3\xafve", "naïve", "utf-8-sig"),
        (b"\xff\xfeh\0\xe9\0", "hé", "utf-16"),
        (b"\xfe\xff\0h\0\xe9", "hé", "utf-16"),
        (b"\xff\xfe\0\0h\0\0\0", "h", "utf-32"),
        (b"\0\0\xfe\xff\0\0\0h", "h", "utf-32"),
    ],
)
def test_structure_that_proves_an_encoding_is_certain(payload, text, encoding):
    assert only(payload) == Reading(text, encoding, 1.0, "")


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("hi there", "utf-16-le"),
        ("hi there", "utf-16-be"),
        ("今天 ok", "utf-16-le"),
        ("今天\n天气", "utf-16-be"),
        ("нет, не сегодня", "utf-16-le"),
        ("hi 😊", "utf-32-le"),
        ("hi 😊", "utf-32-be"),
        ("お疲れさま ok", "iso2022_jp_ext"),
        ("ガｱ", "iso2022_jp_ext"),
        ("한국어", "iso2022_kr"),
        ("中文 hi", "hz"),
    ],
)
def test_nul_bytes_and_escapes_give_encodings_without_a_mark_away(text, encoding):
    read = only(text.encode(encoding))
    assert (read.text, read.encoding) == (text, encoding)


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"~{ a drawing ~}", ""),
        (b"ends in ~{", ""),
        (b"\x1b[31mred\x1b[0m", "control_characters"),
        (b"no Japanese here: \x1b(0 but a terminal's", "control_characters"),
    ],
)
def test_signs_of_an_encoding_that_makes_no_text_of_it_leave_ascii(payload, problem):
    read = only(payload)
    assert (read.text, read.encoding) == (payload.decode("ascii"), "ascii")
    assert read.problem == problem


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_control_bytes_give_chinese_in_utf16_away_where_there_are_no_nul_bytes(encoding):
    payload = "今天天气真好，我们去公园".encode(encoding)
    assert b"\0" not in payload
    assert only(payload).text == "今天天气真好，我们去公园"


def test_control_characters_in_a_source_that_is_known_are_no_utf16():
    source = [text.encode("gb18030") for text in PHRASES["zh_Hans"]]
    read = readings_of([*source, "\x02今天\x02很好".encode("gb18030")])[-1]
    assert (read.text, read.encoding) == ("\x02今天\x02很好", "gb18030")


@pytest.mark.parametrize("payload", [b"abc\0", b"nice one\0\0", b"a\x01b", "né\x07".encode()])
def test_control_characters_are_kept_and_flagged(payload):
    read = only(payload)
    assert read.text.encode(read.encoding) == payload
    assert "control_characters" in read.problem


def test_two_bytes_are_read_as_their_source_reads_them():
    source = [text.encode("gb18030") for text in PHRASES["zh_Hans"]]
    posts = [b"RT @someone: it goes on \xa1\xad", b"so \xa1\xad"]
    readings = readings_of([*source, *posts])[-2:]
    assert [r.text for r in readings] == ["RT @someone: it goes on …", "so …"]
    assert {r.encoding for r in readings} == {"gb18030"}


def test_chinese_that_is_valid_utf8_follows_its_source_and_is_flagged():
    # 谢谢 in GB18030 is лл in UTF-8, which is the likelier text alone.
    payload = "谢谢".encode("gb18030")
    assert payload == "лл".encode()
    assert only(payload).text == "лл"
    source = [text.encode("gb18030") for text in PHRASES["zh_Hans"] + PHRASES["ja"]]
    read = readings_of([*source, payload])[-1]
    assert (read.text, read.encoding) == ("谢谢", "gb18030")
    assert read.problem.startswith("encoding_uncertain(gb18030,") and "utf-8" in read.problem
    assert only(payload, profile=profile_of(source)).text == "谢谢"


def test_a_source_that_outweighs_what_a_post_is_by_itself_is_flagged_however_sure():
    source = [f"{text} {n}".encode("gb18030") for n in range(50) for text in PHRASES["zh_Hans"]]
    read = readings_of([*source, "谢谢".encode("gb18030")])[-1]
    assert read.confidence > 0.95
    assert read.problem == "encoding_unlike_source(gb18030,utf-8)"


def test_an_uncertain_encoding_is_flagged_with_its_rival():
    # "Ч" or "ч": nothing in one letter tells KOI8-U from Windows-1251.
    read = only(b"\xfe")
    assert read.confidence < 0.95
    assert "encoding_uncertain" in read.problem
    assert "koi8-u" in read.problem and "cp1251" in read.problem


def test_confidence_is_that_of_the_text_not_of_the_encodings_name():
    # All of these are the same bytes in both encodings.
    payloads = [text.encode("cp1252") for text in phrases("de", "iso8859-1")]
    readings = readings_of(payloads, "cp1252", "iso8859-1", "utf-8")
    assert min(r.confidence for r in readings) > 0.99


@pytest.mark.parametrize(("count", "flagged"), [(1, True), (2, True), (3, False)])
def test_an_encoding_of_fewer_than_three_posts_is_flagged(count, flagged):
    source = [text.encode("gb18030") for text in PHRASES["zh_Hans"]]
    few = [text.encode("cp1251") for text in PHRASES["ru"][:count]]
    problems = [r.problem for r in readings_of([*source, *few])[-count:]]
    assert problems == (["encoding_rare(cp1251)"] if flagged else [""]) * count


def test_identical_posts_are_one_post_in_another_encoding():
    source = [text.encode("gb18030") for text in PHRASES["zh_Hans"]]
    repeated = [PHRASES["ru"][0].encode("cp1251")] * 5
    assert "rare" in readings_of([*source, *repeated])[-1].problem


def test_the_posts_that_a_profile_counts_make_an_encoding_known():
    profile = profile_of([text.encode("cp1252") for text in PHRASES["fr"]])
    assert only("Ça va ?".encode("cp1252"), profile=profile).problem == ""
    assert "rare" in only("Ça va ?".encode("cp1252")).problem


def test_a_profile_yields_to_texts_that_are_plain_and_flags_them():
    profile = profile_of([text.encode("gb18030") for text in PHRASES["zh_Hans"]] * 50)
    texts = [text for text in phrases("ru", "cp1251") if len(text) > 20]
    readings = read_texts([text.encode("cp1251") for text in texts], profile)
    assert [r.text for r in readings] == texts
    assert all("encoding_rare(cp1251)" in r.problem for r in readings)


def test_the_profile_of_the_very_source_changes_nothing():
    payloads = [
        text.encode("gb18030", "ignore") if number % 5 else text.encode("cp1252", "ignore")
        for number, text in enumerate(text for texts in PHRASES.values() for text in texts)
    ]
    readings, profile = read_source(payloads)
    assert read_texts(payloads, profile) == readings


def test_the_same_posts_give_the_same_readings():
    payloads = [text.encode("gb18030") for text in PHRASES["ja"]]
    assert readings_of(payloads) == readings_of(payloads)


def test_a_post_cut_within_a_character_is_read_and_the_rest_spelled_out():
    source = [text.encode() for text in PHRASES["ja"]]
    read = readings_of([*source, "明日も頑張る".encode()[:-1]])[-1]
    assert (read.text, read.encoding) == ("明日も頑張\\xe3\\x82", "utf-8")
    assert read.problem == "bytes_undecodable(utf-8)"


def test_one_damaged_place_does_not_change_how_a_post_is_read():
    source = [text.encode() for text in PHRASES["ja"]]
    read = readings_of([*source, "それは".encode() + b"\xff" + "です".encode()])[-1]
    assert (read.text, read.encoding) == ("それは\\xffです", "utf-8")


def test_a_damaged_post_with_a_mark_is_read_as_the_mark_says():
    read = only(b"\xef\xbb\xbfcaf\xc3\xa9 \xff")
    assert (read.text, read.encoding) == ("café \\xff", "utf-8-sig")
    assert "undecodable" in read.problem


@pytest.mark.parametrize(("end", "text"), [(b"", ""), (b"\xed\xa0\xbd", "\\ud83d")])
def test_a_mark_before_surrogate_pairs_is_none_of_the_text(end, text):
    (read,) = readings_of([b"\xef\xbb\xbfSo happy \xed\xa0\xbd\xed\xb8\x80" + end])
    assert (read.text, read.encoding) == (f"So happy 😀{text}", "cesu-8")


def test_what_no_candidate_decodes_goes_to_chardet():
    text = "für schöne Bücher, größere Möbel und hübsche Gärten"
    read = only(text.encode("cp1252"), "utf-8")
    assert read.text == text
    assert "encoding_guessed" in read.problem


def test_what_nobody_decodes_is_spelled_out_and_said_to_be(monkeypatch):
    # What chardet makes of noise differs from version to version.
    monkeypatch.setattr(reading.chardet, "detect", lambda _: {"encoding": None, "confidence": 0.0})
    read = only(b"\x81\x9d\xff ok \xfe\x8f", "utf-8")
    assert read.text == "\\x81\\x9d\\xff ok \\xfe\\x8f"
    assert (read.encoding, read.confidence) == ("", 0.0)
    assert read.problem.startswith("text_undecodable")


def test_a_post_that_nobody_decodes_leaves_the_others_as_they_are():
    texts = [*PHRASES["de"], *PHRASES["ru"]]
    noise = b"\x81\x9d\xff ok \xfe\x8f"
    payloads = [*(text.encode() for text in texts), noise]
    readings = readings_of(payloads, "utf-8")
    assert [(r.text, r.problem) for r in readings[:-1]] == [(text, "") for text in texts]
    assert readings[-1].problem
    profile = profile_of(payloads, "utf-8")
    assert profile.posts == {"utf-8": len(texts)}
    assert profile.expected == {"utf-8": pytest.approx(len(texts))}


def test_noise_is_flagged_even_where_an_encoding_decodes_it():
    payload = np.random.default_rng(0).bytes(200)
    assert "encoding_unknown" in only(payload).problem


# What undoes these differently than it was done: two codes for a character, a mark, a shift.
NOT_ONE_TO_ONE = {
    *("cp932", "big5hkscs", "utf-16", "utf-32", "iso2022_jp_ext", "iso2022_kr", "hz"),
}
MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\xff\xfe\0\0", b"\0\0\xfe\xff")
ESCAPES = (b"\x1b$B", b"\x1b(B", b"\x1b$)C\x0e", b"~{", b"~}", b"+AGE-", b"\x84\x31\xa4\x37")
POSTS = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=20).map(lambda text: text.encode("utf-8", "ignore")),
    st.sampled_from([text for texts in PHRASES.values() for text in texts]).flatmap(
        lambda text: st.sampled_from([*DEFAULT_CANDIDATES, "utf-16-le", "utf-16-be"]).map(
            lambda encoding: text.encode(encoding, "ignore")
        )
    ),
    st.lists(st.sampled_from([*MARKS, *ESCAPES, b"a", b"\xe9", b"\0"]), max_size=8).map(b"".join),
)


@hypothesis.settings(max_examples=300, deadline=None, derandomize=True)
@hypothesis.given(
    st.lists(POSTS, max_size=6),
    st.none()
    | st.dictionaries(
        st.sampled_from([*DEFAULT_CANDIDATES, "unknown"]), st.integers(0, 5000), max_size=3
    ),
)
def test_any_bytes_whatever_are_read_and_come_back_where_nothing_is_flagged(payloads, known):
    if known is None:
        readings = readings_of(payloads)
    else:
        readings = read_texts(payloads, EncodingProfile(posts=known, expected=known))
    for payload, read in zip(payloads, readings, strict=True):
        read.text.encode()  # no lone surrogates: it can be saved
        assert 0.0 <= read.confidence <= 1.0
        if not read.problem and read.encoding != "cesu-8":  # which is no codec of Python's
            assert payload.decode(read.encoding) == read.text
            if read.encoding not in NOT_ONE_TO_ONE:
                assert read.text.encode(read.encoding) == payload


def test_identical_posts_are_judged_once(monkeypatch):
    judged = []
    weigh = evidence.text_bits
    monkeypatch.setattr(evidence, "text_bits", lambda t: judged.extend(t) or weigh(t))
    texts = ["naïve", "plain", "café"] * 1000
    assert [r.text for r in readings_of([text.encode() for text in texts])] == texts
    assert judged.count("naïve") == judged.count("café") == 1


def test_a_profile_rests_on_a_bounded_even_draw_and_counts_the_whole_source(monkeypatch):
    monkeypatch.setattr(source, "PROFILED_POSTS", 10)
    profile = profile_of([f"café {number}".encode() for number in range(95)])
    assert profile.expected == {"utf-8": pytest.approx(10)}
    assert profile.posts == {"utf-8": 95}


def test_long_posts_are_judged_by_their_first_bytes_and_read_whole(monkeypatch):
    judged = []
    weigh = evidence.text_bits
    monkeypatch.setattr(evidence, "text_bits", lambda t: judged.extend(map(len, t)) or weigh(t))
    text = "no news " * 1000 + "今天天气真好，" * 10_000
    assert only(text.encode("gb18030")).text == text
    assert max(judged) <= 4096


def test_candidates_are_a_choice():
    payload = "Pchnąć w tę łódź jeża".encode("cp1250")
    assert only(payload, "utf-8", "cp1250").text == "Pchnąć w tę łódź jeża"
    assert only(payload, "UTF8", "windows-1250").encoding == "cp1250"
    assert only("naïve".encode(), "utf-8-sig").encoding == "utf-8"


@pytest.mark.parametrize(
    ("candidates", "complaint"),
    [
        (
            ["utf-8", "gb1830"],
            "'gb1830' is unknown or does not extend ASCII: choose one such as utf-8, gb18030",
        ),
        (["utf-16"], "'utf-16' is unknown or does not extend ASCII"),
        (["base64"], "'base64' is unknown or does not extend ASCII"),
        ([], "no candidate encodings"),
    ],
)
def test_candidates_that_cannot_be_are_refused_in_one_line(candidates, complaint):
    with pytest.raises(ValueError) as error:
        read_source([b"abc"], candidates)
    assert complaint in str(error.value)
    assert "\n" not in str(error.value)


def test_no_posts_have_no_readings_and_an_empty_profile():
    assert readings_of([]) == []
    assert profile_of([]).posts == {}
    assert read_texts([b"ok"], profile_of([])) == [Reading("ok", "ascii", 1.0, "")]


def test_the_defaults_name_codecs_as_python_does():
    assert [evidence.python_name(name) for name in DEFAULT_CANDIDATES] == [*DEFAULT_CANDIDATES]


def test_chardet_is_asked_about_one_post_alone():
    assert chardet_encoding("schöne Grüße aus der Ferne".encode()).lower() == "utf-8"

"""Problems as codes: what stands in the column, and what people read."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multimodal_sentiment.posts.problems import (
    KINDS,
    Problem,
    describe_problems,
    problem,
    read_problems,
    write_problems,
)


@pytest.mark.parametrize(
    ("made", "entry", "words"),
    [
        (problem("no_image"), "no_image", "no image"),
        (problem("several_images", "7.jpg"), "several_images(7.jpg)", "several images: 7.jpg used"),
        (problem("listed_repeatedly", 3), "listed_repeatedly(3)", "listed repeatedly: 3 times"),
        (
            problem("encoding_uncertain", "gb18030", "0.60", "utf-8", "0.40"),
            "encoding_uncertain(gb18030,0.60,utf-8,0.40)",
            "encoding uncertain: gb18030 0.60, utf-8 0.40",
        ),
        (
            problem("image_broken", "not a JPEG; so"),
            'image_broken("not a JPEG; so")',
            "image broken: not a JPEG; so",
        ),
        (
            problem("several_texts", '日本 "語".txt'),
            'several_texts("日本 \\"語\\".txt")',
            'several texts: 日本 "語".txt used',
        ),
    ],
)
def test_a_problem_stands_as_a_code_and_reads_as_words(
    made: Problem, entry: str, words: str
) -> None:
    assert str(made) == write_problems([made]) == entry
    assert read_problems(entry) == [made]
    assert made.words == describe_problems(entry) == words


def test_an_entry_holds_each_problem_once_in_order() -> None:
    found = [problem("no_text"), None, problem("no_image"), problem("no_text")]
    assert write_problems(found) == "no_text; no_image"
    assert describe_problems("no_text; no_image") == "no text; no image"
    assert write_problems([None]) == describe_problems("") == ""
    assert read_problems("") == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.lists(
        st.sampled_from(sorted(KINDS)).flatmap(
            lambda code: st.builds(
                Problem,
                st.just(code),
                st.tuples(*[st.text(st.characters())] * KINDS[code].detail.count("{}")),
            )
        ),
        max_size=4,
        unique=True,
    )
)
def test_arguments_may_hold_any_text(found: list[Problem]) -> None:
    entry = write_problems(found)
    assert read_problems(entry) == found
    assert len(entry.splitlines()) <= 1
    entry.encode()
    assert describe_problems(entry) == "; ".join(each.words for each in found)


@pytest.mark.parametrize(
    "entry",
    [
        "no image",
        "empty text; image broken: truncated",
        "encoding uncertain: gb18030 0.60, utf-8 0.40; no image",
        "no_such_code",
        "no_image(1)",
        "several_images()",
        'several_images("7.jpg)',
        "control characters",
        "; ",
    ],
)
def test_what_is_no_code_is_kept_in_its_own_words(entry: str) -> None:
    assert describe_problems(entry) == entry
    assert [each.code for each in read_problems(entry)] == ["noted"]


@pytest.mark.parametrize(
    ("code", "arguments", "message"),
    [
        ("no_picture", (), "unknown problem 'no_picture': choose one of no_text, "),
        ("image_broken", (), "'image_broken' has arguments: 0 instead of 1"),
        ("no_image", ("a",), "'no_image' has arguments: 1 instead of 0"),
    ],
)
def test_a_problem_that_is_none_is_refused(
    code: str, arguments: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        problem(code, *arguments)

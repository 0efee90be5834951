from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.datasets import ExplanationsDataset
from multimodal_sentiment.explaining import Explanation, Region, Word, render
from multimodal_sentiment.pipelines.reporting.nodes import choose_posts
from multimodal_sentiment.reporting import thumbnail

HOSTILE = '<img src=x onerror="alert(1)">'


def explained(**changes) -> Explanation:
    of = dict(
        predicted="positive",
        confidence=0.9,
        baseline=0.3,
        text_contribution=0.45,
        image_contribution=0.15,
        text="What a day, sadly!",
        words=(Word(0, 4, 0.05), Word(5, 6, 0.001), Word(7, 11, 0.5), Word(12, 18, -0.101)),
        photo=thumbnail(np.zeros((40, 80, 3), dtype=np.uint8)),
        regions=(
            Region((0.25, 0, 0.5, 0.5), 0.2),
            Region((0.5, 0, 0.75, 0.5), 0.0),
            Region((0.25, 0.5, 0.5, 1), -0.05),
            Region((0.5, 0.5, 0.75, 1), 0.0),
        ),
    )
    return Explanation(**{**of, **changes})


def test_words_are_marked_by_what_they_added_and_the_text_stays_whole():
    page = render(explained())

    marks = re.findall(r'<mark title="(.*?)" style=".*?(solid|dashed).*?">(.*?)</mark>', page)
    assert marks == [("+5.0", "solid", "What"), ("+50.0", "solid", "day,"),
                     ("\N{MINUS SIGN}10.1", "dashed", "sadly!")]  # fmt: skip
    text = re.search(r'<p dir="auto".*?>(.*?)</p>', page)[1]
    assert re.sub("<.*?>", "", text) == "What a day, sadly!"


def test_a_confidence_below_a_limit_does_not_look_to_reach_it():
    assert "<b>positive</b>, 89.9% sure" in render(explained(confidence=0.89995))
    assert "<b>positive</b>, 90.0% sure" in render(explained(confidence=0.9))


def test_a_long_text_is_cut_where_no_word_is_shaded():
    text = f"What {'z' * 5000} day, {'so ' * 3000}"
    words = (Word(0, 4, 0.05), Word(5, 5005, 0.0), Word(5006, 5010, 0.5), Word(5011, 14_010, 0.0))

    def shown(words: tuple[Word, ...]) -> str:
        page = render(explained(text=text, words=words))
        return re.sub("<.*?>", "", re.search(r'<p dir="auto".*?>(.*?)</p>', page)[1])

    assert shown(words) == f"What {'z' * 599}…day,…"
    assert shown(words[:2]) == f"What {'z' * 595}…"
    long = (*words[:3], Word(5011, 14_011, 0.2))  # what was counted behind what was read
    assert shown(long) == f"What {'z' * 599}…day, {'so ' * 200}…"


def test_a_stronger_weight_has_a_stronger_shade_whatever_else_there_is():
    alone = render(explained(words=(Word(0, 4, 0.05),)))
    beside = render(explained(words=(Word(0, 4, 0.05), Word(7, 11, 0.5))))

    shades = [
        re.findall(r"<mark .*?background-color:rgba\(0, 114, 178,(.*?)\)", page)
        for page in (alone, beside)
    ]
    assert shades == [["0.29"], ["0.29", "0.50"]]


def test_regions_lie_on_the_photo_where_they_are():
    page = render(explained())

    tiles = re.findall(r'title="(.*?)" style="position:absolute;.*?left:(.*?)%;top:(.*?)%', page)
    assert tiles == [("+20.0", "25.00", "0.00"), ("\N{MINUS SIGN}5.0", "25.00", "50.00")]
    assert "width:50.00%;height:100.00%" in page  # the frame around what the model sees


def test_who_sees_no_colours_is_told_the_same():
    page = render(explained())

    assert 'alt="Photo of the post; what its regions added is listed below it, in numbers"' in page
    assert "<li>row 1, column 1: +20.0</li>" in page
    assert "<li>row 2, column 1: \N{MINUS SIGN}5.0</li>" in page
    assert re.sub(r"\s+", " ", re.search("<p.*?</p>", page, re.DOTALL)[0]) == (
        '<p style="margin:0"><b>positive</b>, 90.0% sure: 30.0% without text and photo, '
        "<b>+45.0</b> points from the text and <b>+15.0</b> from the photo.</p>"
    )
    assert '<li><bdi style="overflow-wrap:anywhere">day</bdi>: +50.0</li>' in page


def test_of_a_photo_that_the_model_does_not_look_at_no_region_is_told():
    page = render(explained(image_contribution=None, regions=()))

    assert re.search('alt="(.*?)"', page)[1] == "Photo of the post"


def test_words_are_listed_without_the_punctuation_around_them_unless_it_is_all():
    text = 'so "cold,": :) @you #it...'
    ends = [(0, 2), (3, 11), (12, 14), (15, 19), (20, 26)]
    words = tuple(Word(*ends, 0.1) for ends in ends)

    page = render(explained(text=text, words=words))

    assert re.findall(r"<bdi .*?>(.*?)</bdi>", page) == ["so", "cold", ":)", "@you", "#it"]


def test_what_a_post_says_is_never_taken_for_html():
    page = render(explained(text=HOSTILE, words=(Word(0, len(HOSTILE), 0.3),), predicted=HOSTILE))

    assert "<img src=x" not in page
    assert "&lt;img src=x" in page


@pytest.mark.parametrize(
    "changes",
    [
        {"text": "", "words": (), "text_contribution": 0.0},
        {"photo": None, "regions": (), "image_contribution": 0.0},
        {"photo": None, "regions": (), "image_contribution": None},
        {"text_contribution": None, "words": ()},
    ],
)
def test_what_is_missing_leaves_no_gap(changes):
    page = render(explained(**changes))

    assert ("<img" in page) == ("photo" not in changes)
    assert ("<mark" in page) == ("words" not in changes)
    assert "None" not in page


def test_a_notebook_and_the_catalog_show_the_same(tmp_path):
    dataset = ExplanationsDataset(filepath=str(tmp_path / "explanations.json"))
    dataset.save({"7": explained(), "8": explained(text="日本", words=(Word(0, 1, 0.2),))})

    loaded = dataset.load()

    assert loaded["7"] == explained()
    assert loaded["7"]._repr_html_() == render(explained())
    assert "日" in dataset.preview()


def test_the_report_explains_wrong_answers_and_right_ones_of_each_kind():
    predictions = pd.DataFrame(
        [(str(i), "a", "b", i / 100, "text") for i in range(9)]
        + [(str(i), "a", "a", 0.9 + i / 1000, "text") for i in range(10, 15)]
        + [("15", "a", "a", 0.5, "image"), ("16", "b", "b", 0.6, "text")],
        columns=["guid", "tag", "predicted", "confidence", "decided_by"],
    )

    assert list(choose_posts(predictions, 12)["guid"]) == [*"876543210", "14", "16", "15"]
    assert list(choose_posts(predictions, 4)["guid"]) == ["8", "7", "6", "14"]
    assert choose_posts(predictions, 0).empty

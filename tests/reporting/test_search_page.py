"""The report of a search."""

from __future__ import annotations

import re

import pytest

from multimodal_sentiment.reporting import charts, write_search_page

from ..searches import SEARCH, STUDY
from .test_page import HOSTILE, Elements


def test_it_says_what_was_found_and_shows_every_trial():
    page = write_search_page(SEARCH, STUDY, "training:\n  weight_decay: 0.123456\n")
    words = " ".join(Elements(page).text.split())

    assert '<section class="verdict good"' in page
    assert "4 settings tried by accuracy, 2 of them on all 3 folds" in words
    assert "trial 4, chosen78.0%76.0% to 80.0%" in words
    assert "trial 2cut short, 1 fold2.0 s50.0%fusion.kind gated, weight_decay 0.1235" in words
    assert "trial 3failed, 0 folds2.0 sfusion.kind gated" in words
    assert re.findall(r'<b style="width:(.*?)"></b></i><span>(.*?)</span>', page) == [
        ("75.00%", "75.0%"),
        ("25.00%", "25.0%"),
    ]


def test_names_are_no_markup_and_nothing_is_run():
    values = {HOSTILE: HOSTILE}
    study = STUDY | {
        "space": values,
        "importances": {HOSTILE: 1.0},
        "default": STUDY["default"] | {"values": values},
    }

    page = write_search_page(SEARCH, study, HOSTILE)

    assert not {tag for tag, _ in Elements(page).elements} & {"script", "img", "link"}


def test_a_search_without_a_score_has_no_chart():
    trials = [trial | {"score": None} for trial in STUDY["trials"]]

    assert charts.search_history(STUDY | {"trials": trials}) is None
    assert "Trials in their order" not in write_search_page(SEARCH, STUDY | {"trials": trials}, "")


@pytest.mark.parametrize(
    ("objective", "best", "said"),
    [
        ("accuracy", [0.6, 0.6, 0.8, 0.8], "50.0%"),
        ("log_loss", [0.6, 0.6, 0.6, 0.6], "0.500"),
    ],
)
def test_the_best_so_far_rises_for_scores_and_falls_for_losses(objective, best, said):
    chart = charts.search_history(STUDY | {"objective": objective})

    (line,) = [shape.path for shape in chart.shapes if shape.hint == "best so far"]
    top, bottom = chart.plot[1], chart.plot[3]
    heights = [float(point.split()[1]) for point in line[1:].split("L")]
    low, high = 0.5 - 0.015, 0.8 + 0.015  # all scores, and a twentieth of their range
    expected = [bottom - (score - low) / (high - low) * (bottom - top) for score in best]
    assert heights == pytest.approx(expected, abs=0.1)
    assert [shape.hint for shape in chart.shapes if "trial 2" in shape.hint] == [
        f"trial 2: {said} on 1 fold"
    ]

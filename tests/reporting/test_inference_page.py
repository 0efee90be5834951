"""The report of an inference run."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from multimodal_sentiment.reporting import NewPost, charts, thumbnail, write_inference_page

HOSTILE = "</p></script><img src=x onerror=alert(1)> {{ 7 * 7 }}"


@pytest.fixture
def drift():
    side = {"posts": 3, "share": 0.3, "interval": [0.1, 0.6]}
    tested = {"p_value": 1e-5, "p_corrected": 2e-5, "unlike": True, "test": "a test"}
    return {
        "model": "2026-01-01T00.00.00.000Z",
        "posts": 10,
        "unlike": True,
        "p_value": 2e-5,
        "level": 0.01,
        "posts_compared": 9,
        "validation_posts": 320,
        "left_out": {"near_duplicates": 1, "learnt_from": 0, "not_drawn": 0},
        "predicted_tags": {"good": side, "bad": side},
        "sentences": ["The new posts are unlike.", "This does not measure accuracy."],
        "comparisons": [
            {"name": "parts", "what": "parts", "sentence": "", **tested}
            | {"shares": {HOSTILE: {"new": side, "validation": side}}},
            {"name": "confidence", "what": "confidence", "sentence": "lower", **tested}
            | {"quantiles": {"new": [0, 1, 2, 3, 4], "validation": [0, 2, 4, 6, 8]}},
            {"name": "text_features", "what": "features", "sentence": "", **tested},
        ],
    }


def write(drift, ingestion, posts=()):
    return write_inference_page(drift=drift, ingestion=ingestion, unlike=posts)


@pytest.fixture
def post():
    picture = thumbnail(np.zeros((4, 3, 3), np.uint8))
    return NewPost(HOSTILE, HOSTILE, picture, "good", 0.5, "image", 2.34, HOSTILE)


def test_it_says_what_was_found_and_what_that_does_not_mean(drift, ingestion, post):
    page = write(drift, ingestion, [post])

    assert "The new posts are unlike." in page
    assert "This does not measure accuracy." in page
    assert "2e-05" in page
    assert "<b>2.3</b> times as far as usual" in page
    assert "10.0% to 60.0%" in page


def test_cards_show_no_more_of_a_text_than_they_have_room_for(drift, ingestion, post):
    page = write(drift, ingestion, [replace(post, text="z" * 5000), replace(post, text=" \n")])

    assert re.findall("z{100,}…?", page) == ["z" * 600 + "…"]
    assert "(no text)" in page


def test_texts_are_no_markup_and_nothing_is_run_or_fetched(drift, ingestion, post):
    page = write(drift, ingestion, [post])

    assert "<img src=x" not in page
    assert "<script" not in page
    assert "{{" not in page.replace("{{ 7 * 7 }}", "")
    assert not re.search(r"(?:src|href)=[\"']?https?:", page)


def test_a_distribution_is_drawn_between_its_outer_steps(drift, ingestion):
    quantiles = drift["comparisons"][1]["quantiles"]
    chart = charts.distributions("confidence", "lower", quantiles)

    # From 1 to 6: what lies beyond is at the edges.
    left, top, right, bottom = chart.plot
    validation, new = (shape.path for shape in chart.shapes if "line" in shape.style)
    assert new.startswith(f"M{left:.1f} {bottom:.1f}L{left:.1f} ")
    assert f"L{left + (right - left) / 5:.1f} {(top + bottom) / 2:.1f}L" in new
    assert validation.endswith(f"L{right:.1f} {top:.1f}")
    assert f'd="{new}"' in write(drift, ingestion)


def test_where_nothing_is_compared_it_says_why(drift, ingestion):
    drift |= {"p_value": None, "unlike": False, "comparisons": [], "left_out": {}, "posts": 0}
    drift["sentences"] = ["There are no new posts."]
    page = write(drift, ingestion)

    assert "There are no new posts." in page
    assert "0 new posts" in page

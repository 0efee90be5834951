from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from PIL import Image

from multimodal_sentiment.datasets import HtmlPageDataset
from multimodal_sentiment.reporting import (
    Answer,
    describe_model,
    find_caveats,
    thumbnail,
    write_page,
)

HOSTILE = "</p></script><img src=x onerror=alert(1)> {{ 7 * 7 }}"


@pytest.fixture
def inputs(metrics, ingestion, config) -> dict[str, Any]:
    ingestion["problems"]["no_image"]["first"] = [HOSTILE, "8"]
    ingestion["problems"]["empty text"] = {"posts": 1, "first": ["9"]}  # as version 0.1 wrote it
    answer = Answer(
        guid=HOSTILE,
        text=HOSTILE,
        picture=thumbnail(np.zeros((40, 30, 3), dtype=np.uint8)),
        true="negative",
        predicted="positive",
        probabilities={"negative": 0.1, "positive": 0.9},
        problems=HOSTILE,
    )
    predictions = pd.DataFrame(
        {
            "tag": ["negative"] * 4 + ["positive"] * 6,
            "predicted": ["positive"] * 3 + ["negative"] + ["positive"] * 6,
            "confidence": [0.4, 0.6, 0.7, 0.8] + [0.9] * 6,
            "text_contribution": 0.1,
            "image_contribution": 0.2,
            "decided_by": "image",
        }
    )
    posts = pd.DataFrame(
        {
            "tag": ["negative", "positive"],
            "text_length": [3, 40],
            "original_width": [640, np.nan],
            "original_height": [480, np.nan],
        }
    )
    solved = {"voice": "text", "strength": [0.1, 1.0], "log_loss": [0.7, 0.6], "accuracy": 0.7}
    return {
        "data": HOSTILE,
        "metrics": metrics,
        "ingestion": ingestion,
        "model": describe_model(config, 10),
        "split": {"training": {"negative": 1234, "positive": 1}, "validation": {"positive": 2}},
        "predictions": predictions,
        "posts": posts,
        "history": pd.DataFrame(solved | {"chosen": [False, True]}),
        "wrong": [answer],
        "right": [],
        "doubts": find_caveats(metrics, ingestion, epochs=6),
    }


@pytest.fixture
def page(inputs) -> str:
    return write_page(**inputs)


class Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data if self.elements and self.elements[-1][0] != "script" else ""


def test_the_page_holds_all_it_shows_and_runs_nothing(page):
    elements = Elements(page).elements

    outside = ("link", "iframe", "object", "script")
    assert not [attributes for tag, attributes in elements if tag in outside]
    sources = [
        value
        for _, attributes in elements
        for key, value in attributes.items()
        if key in ("src", "href", "srcset") and not str(value).startswith("#")
    ]
    assert len(sources) == 1
    assert sources[0].startswith("data:image/jpeg;base64,")
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'\"" in page
    assert len(page) < 60_000


def test_links_of_the_page_lead_somewhere_and_pictures_have_words(page):
    elements = Elements(page).elements
    places = {attributes.get("id") for _, attributes in elements}

    links = [attributes["href"] for tag, attributes in elements if tag == "a"]
    assert len(links) > 8
    assert {str(link)[1:] for link in links} <= places
    assert all(attributes.get("alt") for tag, attributes in elements if tag == "img")
    drawings = [attributes for tag, attributes in elements if tag == "svg"]
    assert len(drawings) == 7
    assert all(drawing["role"] == "img" and drawing["aria-label"] for drawing in drawings)


def test_texts_from_posts_are_no_markup(page):
    parsed = Elements(page)

    assert [tag for tag, _ in parsed.elements].count("img") == 1
    assert not [key for _, attributes in parsed.elements for key in attributes if key[:2] == "on"]
    # Title and heading, what it was trained on; text, guid, problem; first of a kind of problem.
    assert parsed.text.count(HOSTILE) == 7


def test_the_page_answers_what_people_ask(page):
    words = " ".join(Elements(page).text.split())

    assert "Training report, 1 January 2026, 00:00 UTC" in words
    assert "Better than counting words (TF-IDF) by 10.0 points of accuracy, surely." in words
    assert "counting words (TF-IDF)70.0%68.0% to 72.0%" in words
    assert "Is it better than counting words?Yes, surely: +10.0 points of accuracy" in words
    assert "the same model is right 10.0 points less often" in words
    assert "Least on negative posts: it finds 25% of 4 and takes 75% for positive." in words
    assert "Yes: of the 400 answers with a confidence of 0.9 or more, 95% were right" in words
    assert "1,235 posts of" in words and "on top of the pretrained encoders bert" in words
    assert (
        "Answers with a confidence of 0.70 or more, 60% of all, are right in at least 90%" in words
    )
    assert "Below, where 60% are, one had better ask a person." in words
    assert "3 of 1,000 answers are wrong. These 1 are the ones" in words
    assert "negative, taken for positive" in words


@pytest.mark.parametrize(
    ("verdict", "difference", "words", "tone"),
    [
        ("better", 0.1, "Better than X by 10.0 points of accuracy, surely.", "good"),
        ("worse", -0.1, "Worse than X by 10.0 points of accuracy, surely.", "bad"),
        ("no different", 0.001, "No better than X: they differ by 0.1 points", "bad"),
        ("cannot tell", 0.02, "Perhaps no better than X: +2.0 points", "unsure"),
    ],
)
def test_the_verdict_comes_first_in_a_colour_that_fits(inputs, verdict, difference, words, tone):
    pair = inputs["metrics"]["against_baselines"][0]
    pair["verdict"], pair["accuracy"]["difference"] = verdict, difference

    page = write_page(**inputs)

    assert f'<section class="verdict {tone}"' in page
    assert words.replace("X", "counting words (TF-IDF)") in page


def test_a_test_set_stands_beside_the_validation_posts(inputs):
    assert "test posts" not in write_page(**inputs)
    judged = inputs["metrics"]
    test = {"n": 500, "posts": 500, "accuracy": 0.77, "macro_f1": 0.7}
    test |= {"per_class": judged["per_class"], "unknown_tags": {}, "twins_in_training": None}
    ends = {"accuracy": (0.73, 0.81), "macro_f1": (0.66, 0.74)}
    test["intervals"] = judged["intervals"] | ends

    words = " ".join(Elements(write_page(**inputs, test=test)).text.split())

    assert "this model, on 500 test posts77.0%73.0% to 81.0%" in words


def test_what_decided_takes_the_place_of_text_and_picture(inputs):
    shown = Markup("<p>word by word</p>")
    inputs["wrong"] = [replace(inputs["wrong"][0], explanation=shown)]

    page = write_page(**inputs)

    assert '<div class="inside"><p>word by word</p></div>' in page
    assert "<img" not in page


def test_metrics_of_version_0_2_make_a_page(inputs):
    for name in ("against_baselines", "modalities", "abstention"):
        del inputs["metrics"][name]

    words = " ".join(Elements(write_page(**inputs)).text.split())

    assert "Better than counting words (TF-IDF)." in words


def test_figures_under_corrected_tags_stand_beside_the_original_ones(inputs):
    metrics = inputs["metrics"]
    assert "Corrected tags" not in write_page(**inputs)
    metrics["protocol"]["corrections"] = {
        "posts": 20,
        "training": 15,
        "validation": 5,
        "sha256": "ef" * 32,
    }
    metrics["corrected"] = metrics | {"accuracy": 0.81}

    words = " ".join(Elements(write_page(**inputs)).text.split())

    assert "20 tags were corrected: 15 of training posts" in words
    assert "original tagsaccuracy80.0%" in words
    assert "corrected tagsaccuracy81.0%" in words
    assert "The figures under the corrected tags flatter the model" in words
    assert "ef" * 32 in words


def test_a_thumbnail_is_a_small_jpeg_of_the_same_shape():
    head, _, payload = thumbnail(np.full((1000, 500, 3), 200, dtype=np.uint8)).partition(",")
    image = Image.open(io.BytesIO(base64.b64decode(payload)))

    assert head == "data:image/jpeg;base64"
    assert (image.format, image.size) == ("JPEG", (160, 320))


def test_a_page_comes_back_and_is_previewed_without_scripts(page, tmp_path):
    dataset = HtmlPageDataset(filepath=str(tmp_path / "folder" / "report.html"))
    dataset.save(page)

    assert dataset.load() == page
    preview = dataset.preview()
    assert not re.search(r"<(script|style|figure)\b", preview)
    assert "Better than counting words" in preview
    assert not re.search(r">\s*\n\s*<", preview)
    assert len(preview) < 20_000


def test_problems_are_named_in_words(page):
    assert "no image: 2 (post " in page and "empty text: 1 (post 9)" in page

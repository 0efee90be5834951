from __future__ import annotations

import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from plotly.graph_objects import Bar, Figure

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
def page(metrics, ingestion, config) -> str:
    metrics["baselines"]["tfidf"]["accuracy"] = 0.9
    ingestion["problems"]["no_image"]["first"] = [HOSTILE, "8"]
    ingestion["problems"]["empty text"] = {"posts": 1, "first": ["9"]}  # as version 0.1 wrote it
    figure = Figure(Bar(x=[HOSTILE], y=[1]), {"title": {"text": "Class balance"}})
    answer = Answer(
        guid=HOSTILE,
        text=HOSTILE,
        picture=thumbnail(np.zeros((40, 30, 3), dtype=np.uint8)),
        true="negative",
        predicted="positive",
        probabilities={"negative": 0.1, "positive": 0.9},
        problems=HOSTILE,
    )
    return write_page(
        metrics=metrics,
        ingestion=ingestion,
        model=describe_model(config, 10),
        split={"training": {"negative": 1234, "positive": 1}, "validation": {"positive": 2}},
        figures={"results": [figure], "training": [], "data": [figure]},
        wrong=[answer],
        right=[],
        wrong_in_all=200,
        doubts=find_caveats(metrics, ingestion, epochs=6),
    )


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


def test_the_page_holds_all_it_shows(page):
    elements = Elements(page).elements

    assert not [attributes for tag, attributes in elements if tag in ("link", "iframe", "object")]
    sources = [
        value
        for _, attributes in elements
        for key, value in attributes.items()
        if key in ("src", "href", "srcset")
    ]
    assert len(sources) == 1
    assert sources[0].startswith("data:image/jpeg;base64,")
    assert "default-src 'none'" in page
    assert page.count("plotly.js v") == 1


def test_texts_from_posts_are_no_markup(page):
    parsed = Elements(page)

    assert [tag for tag, _ in parsed.elements].count("img") == 1
    assert not [key for _, attributes in parsed.elements for key in attributes if key[:2] == "on"]
    assert parsed.text.count(HOSTILE) == 4  # text, guid, problem, and first of a kind of problem


def test_the_page_says_the_numbers(page):
    words = " ".join(Elements(page).text.split())

    assert "A range behind a number is its 95% interval." in words
    assert "80.0% accuracy78.0% to 82.0%" in words
    assert "90.0% accuracy of tfidf68.0% to 72.0%TF-IDF" in words
    assert "Not better than a baseline" in words
    assert "200 of 1,000 answers are wrong. These 1 are the ones" in words
    assert "negative, taken for positive" in words
    assert "1,234" in words
    assert "Class balance" in words


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
    assert "Not better than a baseline" in preview
    assert not re.search(r">\s*\n\s*<", preview)
    assert len(preview) < 20_000


def test_problems_are_named_in_words(page):
    assert "no image: 2 (post " in page and "empty text: 1 (post 9)" in page

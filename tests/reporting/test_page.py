from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import click
import numpy as np
import pandas as pd
import pytest
from markupsafe import Markup
from PIL import Image

from multimodal_sentiment.commands import MODULE
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
    # Title and kicker, what it was trained on; text, guid, problem; first of a kind of problem.
    assert parsed.text.count(HOSTILE) == 7


def test_the_page_answers_what_people_ask(page):
    words = " ".join(Elements(page).text.split())

    assert "kedro run --pipeline=comparison, with the same --env and --params as this run" in words
    assert "equal text or photo, or nearly equal where twins.* say so (twins), count as" in words

    assert ", 1 January 2026, 00:00 UTC A model that tells" in words
    assert "Better than counting words (TF-IDF) by 10.0 points of accuracy, surely." in words
    assert "counting words (TF-IDF)70.0%68.0% to 72.0%" in words
    assert "Is it better than counting words?Yes, surely: +10.0 points of accuracy" in words
    assert words.count("the same model is right 10.0 points less often") == 2  # also above figures
    assert (
        "Most often on negative posts: it is wrong about 3 of 4 (75%), 75% are called positive."
    ) in words
    assert (
        "Yes: of the 400 answers with a confidence of 0.9 or more, 95% were right (95% interval "
        "93% to 97%); of the 60 of them that are less sure than 0.95, 85%."
    ) in words
    assert "1,235 posts of" in words and "on top of the pretrained encoders bert" in words
    assert "leave those with a confidence of 0.700 or more to the model" in words
    assert "The model then answers 60% of the posts. Here 93% of these answers were right" in words
    assert "A person judges the other 40%; there, 60% of the model's answers were right." in words
    assert "3 of 1,000 answers are wrong. Shown are those that" in words
    assert "the model was surest of, 1 in all" in words
    assert "negative, taken for positive" in words


def test_it_says_first_what_the_model_does(inputs, config):
    words = " ".join(Elements(write_page(**inputs)).text.split())
    config["counted_terms"] = 1234
    inputs["model"] = describe_model(config, 10)
    counting = " ".join(Elements(write_page(**inputs)).text.split())

    assert "A model that tells negative and positive posts apart" in words
    assert "it reads its text and looks at its photo, and answers with one of these tags" in words
    assert "it reads its text, counts its words and looks at its photo" in counting
    assert "1,234 words and pairs of words" in counting


def test_the_contents_name_the_sections_as_they_are_headed(inputs):
    inputs["metrics"]["protocol"]["corrections"] = {
        "posts": 1,
        "training": 1,
        "validation": 0,
        "sha256": "ef" * 32,
    }
    page = write_page(**inputs)

    named = re.findall(r'<li><a href="#(\w+)">(.*?)</a></li>', page)
    assert named == re.findall(r'<section id="(\w+)">\n<h2>(.*?)</h2>', page)
    assert ("terms", "Terms") in named


@pytest.mark.parametrize(
    ("trusted", "low", "share", "high", "verdict"),
    [
        (0.7, 0.91, 0.95, 0.98, "Yes"),
        (0.95, 0.88, 0.92, 0.96, "Probably"),
        (0.95, 0.91, 0.95, 0.98, "Probably"),  # the advice is to trust no less than 0.95
        (0.95, 0.85, 0.89, 0.93, "Nearly"),
        (None, 0.7, 0.85, 0.95, "Not sure"),
        (None, 0.6, 0.7, 0.8, "No"),
    ],
)
def test_one_verdict_says_whether_a_high_confidence_can_be_trusted(
    inputs, trusted, low, share, high, verdict
):
    abstention = inputs["metrics"]["abstention"]
    abstention["claimed"] |= {"accuracy": share, "accuracy_interval": (low, high)}
    abstention["trusted"] = trusted and abstention["trusted"] | {"confidence": trusted}
    surely = {
        0.7: "",
        0.95: " To be sure that 90% are right, take only those with 0.950 or more, which are "
        "60% of all.",
        None: " No limit is so high that 90% of the answers above it are surely right.",
    }[trusted]

    least = "; of the 60 of them that are less sure than 0.95, 85%"
    words = " ".join(Elements(write_page(**inputs)).text.split())

    assert f"Can I trust a confidence of 0.9?{verdict}: of the 400 answers" in words
    assert f"(95% interval {low:.0%} to {high:.0%}){least}.{surely} more" in words


def test_failures_are_named_with_what_these_posts_are_taken_for(inputs):
    labels = ["bad", "fair", "good"]
    inputs["wrong"] = []
    inputs["metrics"]["per_class"] = {
        label: {"precision": 0.5, "recall": 0.5, "f1": 0.5, "support": 10} for label in labels
    }
    inputs["metrics"]["intervals"]["per_class"] = dict.fromkeys(labels, (0.4, 0.6))
    answers = ["bad"] * 6 + ["good"] * 4 + ["fair"] * 3 + ["bad"] * 3 + ["good"] * 4
    inputs["predictions"] = pd.DataFrame(
        {
            "tag": ["bad"] * 10 + ["fair"] * 10 + ["good"] * 10,
            "predicted": answers + ["good"] * 9 + ["bad"],
            "confidence": 0.9,
        }
    )
    inputs["metrics"]["parts"] = {
        "text and photo disagree": {
            "n": 200,
            "accuracy": 0.6,
            "accuracy_interval": (0.5, 0.7),
            "baselines": {"tfidf": 0.55},
        }
    }

    words = " ".join(Elements(write_page(**inputs)).text.split())

    assert (
        "Most often on fair posts: it is wrong about 7 of 10 (70%), 40% are called good and 30% "
        "are called bad. Of the posts with “text and photo disagree”, 40% of 200 answers are "
        "wrong; of all, 20% are."
    ) in words
    assert "text and photo disagree200 posts; counting words (TF-IDF): 55.0%" in words
    assert "Text and photo “agree” where" in words


@pytest.mark.parametrize(("posts", "hedged"), [(33, True), (4000, False)])
def test_the_tag_that_it_fails_on_most_is_hedged_where_that_may_be_chance(inputs, posts, hedged):
    """Two of 33 against one of 24, or the same shares of many."""
    wrong = {"positive": posts * 2 // 33, "negative": posts // 33}
    sizes = {"positive": posts, "negative": posts * 24 // 33}
    rows = [
        (tag, other if number < wrong[tag] else tag, 0.9)
        for tag, other in (("positive", "negative"), ("negative", "positive"))
        for number in range(sizes[tag])
    ]
    inputs["predictions"] = pd.DataFrame(rows, columns=["tag", "predicted", "confidence"])

    words = " ".join(Elements(write_page(**inputs)).text.split())

    assert f"on positive posts: it is wrong about {wrong['positive']} of {posts:,} (6%)" in words
    assert ("may be chance" in words) is hedged


def test_what_is_nearly_all_or_nothing_is_not_rounded_to_it(inputs):
    abstention = inputs["metrics"]["abstention"]
    abstention["target"] = 0.995
    trusted = {"confidence": 0.9997, "accuracy": 0.998, "coverage": 0.998}
    abstention["trusted"] |= trusted | {"accuracy_below": 0.004}
    abstention["claimed"] |= {"confidence": 0.995, "accuracy": 299 / 300}
    inputs["predictions"] = pd.DataFrame(
        {"tag": "negative", "predicted": ["positive"] + ["negative"] * 299, "confidence": 0.9}
    )

    words = " ".join(Elements(write_page(**inputs)).text.split())

    assert "If 99.5% of the answers are to be right, leave those with" in words
    assert "with a confidence of 0.9997 or more to the model" in words
    assert "answers 99.8% of the posts. Here 99.8% of these" in words
    assert "A person judges the other 0.2%; there, 0.4% of" in words
    assert "a confidence of 0.995 or more, 99.7% were right" in words
    assert "take only those with 0.9997 or more, which are 99.8% of all." in words
    assert "Most often on negative posts: it is wrong about 1 of 300 (0.3%)" in words
    assert "right (99.7%)" in words and "wrong (0.3%)" in words
    assert "The dotted line is the target, 99.5%." in words


def test_a_script_on_which_it_is_surely_worse_is_named(inputs):
    part = {"n": 40, "accuracy": 0.45, "accuracy_interval": (0.3, 0.6)}
    inputs["metrics"]["scripts"] = {"none": part}

    words = " ".join(Elements(write_page(**inputs)).text.split())

    said = "Of the posts with “script: none”, 55% of 40 answers are wrong; of all, 20% are."
    assert said in words


def test_small_screens_fold_all_but_the_first_answers(inputs):
    (answer,) = inputs["wrong"]
    inputs["wrong"] = [replace(answer, guid=str(n)) for n in range(6)]

    page = write_page(**inputs)

    shown, folded = page.split('<details class="rest"><summary>2 more wrong answers</summary>')
    assert [f"post {n}:" in shown for n in range(6)] == [True] * 4 + [False] * 2
    assert "post 4:" in folded and "post 5:" in folded


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
    assert "Of 1 answers, wrong ones and right, it is shown what decided;" in page
    assert "sees what lies inside the dashed frame, and nothing where there is none." in page


def test_a_probability_is_rounded_to_none_or_all_on_no_card(inputs):
    shares = {"negative": 3e-9, "positive": 0.9997}
    inputs["wrong"] = [replace(inputs["wrong"][0], probabilities=shares)]

    page = write_page(**inputs)

    assert "<span>99.97%</span>" in page
    assert "<span>&lt;0.001%</span>" in page


def test_where_only_the_package_is_installed_its_own_command_is_named(inputs):
    assert "<code>kedro run --pipeline=comparison</code>" in write_page(**inputs)
    with click.Context(click.Command("run"), info_name=MODULE):
        page = write_page(**inputs)

    assert f"<code>{MODULE} --pipeline=comparison</code>" in page
    assert "kedro run" not in page


def test_right_answers_alone_are_shown_with_what_their_colours_mean(inputs):
    inputs["predictions"]["predicted"] = inputs["predictions"]["tag"]
    shown = replace(inputs["wrong"][0], explanation=Markup("<p>word by word</p>"))
    words = {}
    for name, right in (("explained", [shown]), ("not", [replace(shown, explanation="")])):
        page = write_page(**(inputs | {"wrong": [], "right": right}))
        words[name] = " ".join(Elements(page).text.split())
    none = write_page(**(inputs | {"wrong": [], "right": []}))

    assert "Not one. Of 1 answers, wrong ones" in words["explained"]
    assert "Of a photo" not in words["not"]
    for shown_posts in words.values():
        assert "may offend" in shown_posts and "reporting.shown_posts at 0" in shown_posts
    assert "may offend" not in none and "Not one." in none


def test_metrics_of_version_0_1_make_a_page(inputs):
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

    assert "Corrected tags: 20. Of these, 15 are of training posts" in words
    assert "original tags80.0%" in words
    assert "corrected tags81.0%" in words
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

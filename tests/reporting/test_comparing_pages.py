"""The pages of a comparison: what it shows, and the second look."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import click
import pandas as pd
import pytest

from multimodal_sentiment.commands import MODULE
from multimodal_sentiment.reporting import (
    ComparedPost,
    Doubt,
    write_comparison_page,
    write_second_look,
)

from .conftest import scores
from .test_page import HOSTILE, Elements

VARIANTS = ("text", "both")


def post(guid: str, tag: str = "negative") -> ComparedPost:
    shares = {"negative": 0.2, "positive": 0.8}
    return ComparedPost(guid, HOSTILE, None, tag, {"text alone": shares})


@pytest.fixture
def comparison() -> dict[str, Any]:
    test = {"difference": 0.05, "interval": (0.02, 0.08), "p_adjusted": 0.01}
    table = {
        name: scores(accuracy, (accuracy - 0.02, accuracy + 0.02))
        | {"seeds": 3, "spread": {"accuracy": 0.004, "macro_f1": 0.004}}
        for name, accuracy in (("text", 0.7), ("both", 0.75), ("majority", 0.6), ("tfidf", 0.65))
    }
    table["majority"] |= {"method": "the commonest", "spread": {"accuracy": None, "macro_f1": None}}
    table["tfidf"] |= {"method": "TF-IDF", "spread": {"accuracy": None, "macro_f1": None}}
    part = {name: {"accuracy": 0.7, "intervals": {"accuracy": (0.6, 0.8)}} for name in table}
    return {
        "verdict": ["The image helps: both beats text, by +5.0 points.", "both beats the others."],
        "majority": "positive",
        "n": 1000,
        "table": table,
        "pairs": [{"first": "both", "second": "text", "accuracy": test}],
        "against_baselines": [{"first": "both", "second": "tfidf", "accuracy": test}],
        "slices": {"ASCII": {"n": 40, "variants": part}, "no image": {"n": 1, "variants": part}},
        "protocol": {
            "folds": None,
            "seeds": 3,
            "margin": 0.01,
            "confidence_level": 0.95,
            "judged": "each post",
            "tests": "bootstrap",
            "judged_sha256": "ab" * 32,
            "variants": {name: {"model": {"modality": name}} for name in VARIANTS},
        },
    }


def write(comparison: dict[str, Any], verdicts: list[str]) -> str:
    return write_comparison_page(
        data=HOSTILE,
        version="2026-01-01T00.00.00.000Z",
        comparison=comparison,
        verdicts=verdicts,
        history=pd.DataFrame({"variant": []}),
        disagreements=[("Where the photo helped", [post(HOSTILE)])],
    )


def test_a_comparison_says_who_is_better_by_how_much_and_where(comparison):
    page = write(comparison, ["better"])
    parsed = Elements(page)
    words = " ".join(parsed.text.split())

    assert '<section class="verdict good"' in page
    assert "The image helps. Both beats text, by +5.0 points." in words
    assert "text and photo against text alonebetter, surely+5.0+2.0 to +8.0" in words
    assert "always answering positive60.0%" in words
    assert "1,000 posts, each judged by models that have seen neither it nor its twins." in words
    assert "whose whole interval lies within 1 point of accuracy" in words
    assert "ASCII, 40 posts" in words
    assert "Too few to be judged by themselves: no image (1)." in words
    assert "Where the photo helped" in words
    assert "comparison.folds=5" not in words
    assert not [tag for tag, _ in parsed.elements if tag in ("script", "link", "img")]


def test_a_split_that_divides_twins_is_said_to(comparison):
    comparison["protocol"]["twins_in_training"] = 1200
    words = " ".join(Elements(write(comparison, ["better"])).text.split())

    assert "judged by models that have not seen it, but a twin of 1,200 of them." in words


def test_where_posts_are_too_few_it_says_what_to_try(comparison):
    words = " ".join(Elements(write(comparison, ["cannot tell"])).text.split())

    assert "Add the --env and the other --params of this run." in words
    assert "kedro run --pipeline=comparison --params comparison.folds=5" in words
    comparison["protocol"]["folds"] = 5
    assert "comparison.folds=5" not in write(comparison, ["cannot tell"])


def test_where_only_the_package_is_installed_pages_name_its_own_command(comparison):
    with click.Context(click.Command("run"), info_name=MODULE):
        page = write(comparison, ["cannot tell"])
        look = write_second_look(
            data="posts",
            version="",
            labels=["negative", "positive"],
            doubts=[Doubt([post("9")], {})],
            originals={},
            corrections={},
        )

    for each in (page, look):
        assert f"{MODULE} --pipeline=training --params corrections=FILE" in each
        assert "kedro run" not in each
    assert f"{MODULE} --pipeline=comparison --params comparison.folds=5" in page


def test_the_second_look_shows_twins_together_and_holds_what_its_file_needs():
    page = write_second_look(
        data="posts",
        version="2026-01-01T00.00.00.000Z",
        labels=["negative", "positive"],
        doubts=[
            Doubt([post(HOSTILE), post("8", "positive")], {HOSTILE: "another tag than its twin"}),
            Doubt([post("9")], {"9": "models answer positive"}),
        ],
        originals={HOSTILE: "negative", "8": "negative", "9": "negative", "4": "positive"},
        corrections={"8": "positive", "4": "negative"},
    )

    facts = json.loads(re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page)[0])
    assert [one["guid"] for one in facts["posts"]] == [HOSTILE, "8", "9"]
    assert facts["corrections"] == {"8": "positive", "4": "negative"}
    assert facts["originals"]["8"] == "negative"
    parsed = Elements(page)
    assert [tag for tag, _ in parsed.elements].count("script") == 2
    assert not [tag for tag, _ in parsed.elements if tag == "img"]
    choices = [attributes for tag, attributes in parsed.elements if tag == "input"]
    assert len(choices) == 6
    chosen = [(one["name"], one["value"]) for one in choices if "checked" in one]
    assert chosen == [(HOSTILE, "negative"), ("8", "positive"), ("9", "negative")]
    assert page.count('class="case twins"') == 1
    words = " ".join(parsed.text.split())
    assert "--params corrections=FILE, with the same --env and --params as this run; the" in words
    assert "second_look.csv" not in words


def test_a_probability_is_rounded_to_none_or_all_in_no_answer(comparison):
    shares = {"negative": 0.004, "positive": 0.996}
    sure = replace(post("7"), answers={"text alone": shares})
    page = write_second_look(
        data="posts",
        version="",
        labels=list(shares),
        doubts=[Doubt([sure], {})],
        originals={},
        corrections={},
    )

    assert "<span>positive 99.6%</span>" in page


def test_without_doubts_there_is_nothing_to_do():
    page = write_second_look(
        data="posts", version="", labels=["a"], doubts=[], originals={}, corrections={}
    )

    assert "No post is worth a second look." in page
    assert "<script" not in page

"""The nodes that write the report and the model's card."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment import progress
from multimodal_sentiment.explaining import Explanation
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import ExplainingParameters, ReportingParameters
from multimodal_sentiment.pipelines.reporting.nodes import (
    explain_answers,
    write_model_card,
    write_report,
)
from multimodal_sentiment.reporting import name_data

POSTS = 40
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2, 3],
        "train_loss": 1.0,
        "tuning_loss": 1.0,
        "tuning_accuracy": 0.7,
        "tuning_macro_f1": 0.6,
        "learning_rate": 1e-4,
        "chosen": [False, True, False],
    }
)


@pytest.fixture
def model(tiny, config) -> SentimentClassifier:
    built, tokenizer = build_model(
        tiny(model__modality="text").model, ["negative", "positive"], ["sun"], {}
    )
    built.config.training = config["training"]
    return SentimentClassifier(built, tokenizer, {})


@pytest.fixture
def report(model, make_examples, metrics, ingestion):
    """Report on forty posts: thirty are answered wrong, the later ones more surely."""
    tags = ["negative"] * POSTS
    pictures = [None if n % 2 else np.full((60, 80, 3), n, np.uint8) for n in range(POSTS)]
    examples = make_examples([f"text number {n}." for n in range(POSTS)], tags, pictures)
    for side in ("original_width", "original_height"):
        examples = examples.append_column(side, pa.array([64] * POSTS))
    sure = np.linspace(0.5, 0.9, POSTS)
    predictions = pd.DataFrame(
        {
            "guid": examples["guid"].to_pylist(),
            "tag": tags,
            "predicted": ["negative"] * 10 + ["positive"] * 30,
            "confidence": sure,
            "p_negative": 1 - sure,
            "p_positive": sure,
            "problems": ["no_image" if n % 2 else "" for n in range(POSTS)],
        }
    )

    def write(
        data_name: str | None = None,
        shown_posts: int = 24,
        test_metrics: dict[str, Any] | None = None,
        version: str | None = None,
        accuracy: float = 0.25,
        **explanations: Explanation,
    ) -> str:
        return write_report(
            fusion_model=replace(model, version=version),
            examples=examples,
            train_posts=pd.DataFrame({"tag": ["negative"] * 7 + ["positive"] * 3}),
            predictions=predictions,
            explanations=explanations,
            metrics=metrics | {"n": POSTS, "accuracy": accuracy},
            ingestion_report=ingestion,
            training_history=HISTORY,
            raw="/somewhere/posts of May",
            reporting=ReportingParameters(data_name=data_name, shown_posts=shown_posts),
            test_metrics=test_metrics,
        )

    return write


def test_the_surest_wrong_answers_are_shown_with_their_pictures(report):
    page = report()

    assert "30 of 40 answers are wrong" in page
    shown = [number for number in range(POSTS) if f"text number {number}." in page]
    # The surest 24 of 10 to 39, and right ones at equal steps from the surest to the least sure.
    assert shown == [0, 1, 3, 4, 5, 6, 8, 9, *range(16, 40)]
    assert page.index("text number 39.") < page.index("text number 38.")
    assert page.count('src="data:image/jpeg;base64,') == 16  # every second has a picture
    assert "no image" in page


def test_answers_that_are_explained_are_shown_so(report):
    seen = Explanation("positive", 0.9, 0.4, 0.5, None, "seen word by word")
    wrong, right = report(**{"139": seen}), report(**{"103": seen})

    assert "seen word by word" in wrong and "text number 39." not in wrong
    # Of the right answers, those that are explained take the place of the others.
    assert "seen word by word" in right and "text number 9." not in right


def test_explanations_have_the_numbers_of_the_predictions(model, make_examples, tiny, metrics):
    """Or the cards would contradict the bars under them, and their order."""
    tags = ["negative", "positive", "negative"]
    examples = make_examples([f"text number {n}." for n in range(3)], tags, [None] * 3)
    predictions = pd.DataFrame(
        {
            "guid": examples["guid"].to_pylist(),
            "tag": tags,
            "predicted": ["positive", "negative", "positive"],
            "confidence": [0.61, 0.93, 0.82],
            "problems": "no_image",
        }
    )

    judged = metrics | {"n": 3, "accuracy": 0.0}
    explained = explain_answers(
        model, examples, predictions, judged, ExplainingParameters(posts=4), tiny().compute
    )

    said = [(each.predicted, each.confidence) for each in explained.values()]
    assert said == [("negative", 0.93), ("positive", 0.82), ("positive", 0.61)]


def test_the_progress_of_explanations_is_told_by_posts_alone(
    model, make_examples, tiny, metrics, monkeypatch, caplog
):
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    caplog.set_level("INFO")
    tags = ["negative"] * 2
    examples = make_examples([f"text number {n}" for n in range(2)], tags, [None] * 2)
    answered = {"predicted": "positive", "confidence": 0.7, "problems": "no_image"}
    predictions = pd.DataFrame({"guid": examples["guid"].to_pylist(), "tag": tags, **answered})
    judged = metrics | {"n": 2, "accuracy": 0.0}
    compute = tiny(compute__prediction_batch_size=2).compute

    explain_answers(model, examples, predictions, judged, ExplainingParameters(posts=4), compute)

    assert [line.partition(":")[0] for line in caplog.messages[:-1]] == ["Explaining"]


def test_one_explained_answer_is_said_as_one(model, make_examples, metrics, tiny, caplog):
    examples = make_examples(["a text"], ["negative"], [None])
    answer = {"predicted": "positive", "confidence": 0.9, "problems": "no_image"}
    predictions = pd.DataFrame([{"guid": examples["guid"][0].as_py(), "tag": "negative"} | answer])
    judged = metrics | {"n": 1, "accuracy": 0.0}

    with caplog.at_level("INFO"):
        explain_answers(
            model, examples, predictions, judged, ExplainingParameters(posts=1), tiny().compute
        )

    assert "1 answer explained in" in caplog.text


@pytest.mark.fault("run", "a report on another model than the one that was judged", "one line")
def test_a_model_is_not_described_by_the_numbers_of_another(
    report, model, metrics, ingestion, tiny
):
    """As after `kedro promote`, or after a fitting without an evaluation."""
    judged = metrics["protocol"]["model"]["version"]
    other = replace(model, version="2026-02-02T00.00.00.000Z")
    explaining = ExplainingParameters(posts=4)

    for write in (
        lambda: report(version=other.version),
        lambda: write_model_card(other, metrics, ingestion, HISTORY),
        lambda: explain_answers(other, None, None, metrics, explaining, tiny().compute),
    ):
        with pytest.raises(ValueError, match=f"fusion_model:{judged}, or name that model.s folder"):
            write()
    assert report(version=judged)
    with pytest.raises(ValueError, match="validation_predictions are not those that metrics judge"):
        report(version=judged, accuracy=0.3)  # as with --load-versions=metrics:VERSION alone
    del metrics["protocol"]["model"]["version"]  # nobody can tell
    assert write_model_card(other, metrics, ingestion, HISTORY)


def test_the_page_is_named_by_its_posts(report):
    assert "<title>Training report: posts of May</title>" in report()
    assert "<title>Training report: a source</title>" in report("a source")


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        (".", "posts of May"),
        ("..", "here"),
        ("part-*.parquet", "posts of May"),
        ("shards/part-?.tar", "shards"),
        ("shards/part-[01].tar", "shards"),
        ("set [1]", "set [1]"),
        ("data/01_raw", "data/01_raw"),
        ("s3://bucket/*.parquet", "bucket"),
        ("/", "/"),
    ],
)
def test_posts_are_named_by_their_folder_wherever_it_is(tmp_path, monkeypatch, raw, name):
    folder = tmp_path / "here" / "posts of May"
    (folder / "set [1]").mkdir(parents=True)
    monkeypatch.chdir(folder)

    assert name_data(raw, None) == name
    assert name_data(raw, "given") == "given"


def test_the_page_leaves_posts_out_where_it_is_told_to(report):
    few, none = report(shown_posts=2), report(shown_posts=0)

    assert "may offend" in few and "text number 38." in few and "text number 9." in few
    assert "text number 37." not in few
    assert "text number" not in none and "<img" not in none
    assert "30 of 40 answers are wrong. This page shows no posts" in none


def test_a_test_set_is_shown_where_there_is_one(report, metrics):
    judged = {name: metrics[name] for name in ("per_class", "intervals", "accuracy_interval")}
    rest = {"n": 40, "accuracy": 0.612, "accuracy_interval": (0.5, 0.7)}
    test = judged | {
        "n": 50,
        "posts": 60,
        "accuracy": 0.637,
        "macro_f1": 0.6,
        "unknown_tags": {"odd": 4},
        "twins_in_training": {"posts": 10, "without": rest},
    }
    page = report(test_metrics=test)

    assert "63.7%" in page and "this model, on 50 test posts" in page
    assert "50 of the 60 posts to be predicted" in page and "4 carry another" in page
    assert "10 of them have a twin" in page and "61.2% (50.0% to 70.0%)" in page
    for without in (report(), report(test_metrics={"n": 0})):
        assert "test posts" not in without.lower()


def test_what_is_to_be_distrusted_is_on_the_page_and_on_the_card(report, model, metrics, ingestion):
    metrics["baselines"]["tfidf"]["accuracy"] = 0.9
    card = write_model_card(model, metrics, ingestion, HISTORY)

    caveat = "Not better than a baseline"
    assert caveat in report()
    assert caveat in card
    assert "0.800" in card  # its accuracy

"""The nodes that write the report and the model's card."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Bar, Figure

from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.pipelines.reporting.nodes import write_model_card, write_report

POSTS = 40
FIGURES = (
    "class_balance encodings text_lengths image_sizes learning_curves confusion_matrix "
    "per_class_f1 reliability confidence modality_contributions"
).split()


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
    figures = {name: Figure(Bar(x=[0], y=[1]), {"title": {"text": name}}) for name in FIGURES}

    def write(**changes) -> str:
        return write_report(
            fusion_model=model,
            examples=examples,
            train_posts=pd.DataFrame({"tag": ["negative"] * 7 + ["positive"] * 3}),
            predictions=predictions,
            explanations={},
            metrics=metrics | {"n": POSTS},
            ingestion_report=ingestion,
            training_history=pd.DataFrame({"epoch": [1, 2, 3]}),
            **figures | changes,
        )

    return write


def test_the_surest_wrong_answers_are_shown_with_their_pictures(report):
    page = report()

    assert "30 of 40 answers are wrong" in page
    shown = [number for number in range(POSTS) if f"text number {number}." in page]
    assert shown == list(range(16, 40))  # the surest 24 of 10 to 39
    assert page.index("text number 39.") < page.index("text number 38.")
    assert page.count('src="data:image/jpeg;base64,') == 12  # every second has a picture
    assert "no image" in page


def test_every_figure_is_on_the_page_and_an_empty_one_is_left_out(report):
    page = report()
    assert all(f">{name}<" in page for name in FIGURES)

    page = report(modality_contributions=Figure(layout={"title": {"text": "nothing weighed"}}))
    assert "nothing weighed" not in page


def test_what_is_to_be_distrusted_is_on_the_page_and_on_the_card(report, model, metrics, ingestion):
    metrics["baselines"]["tfidf"]["accuracy"] = 0.9
    history = pd.DataFrame({"epoch": [1, 2, 3]})

    card = write_model_card(model, metrics, ingestion, history)

    caveat = "TF-IDF"
    assert caveat in report()
    assert caveat in card
    assert "0.800" in card  # its accuracy

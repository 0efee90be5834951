from __future__ import annotations

import inspect
import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from kedro_datasets.plotly import JSONDataset

from multimodal_sentiment.pipeline_registry import register_pipelines
from multimodal_sentiment.reporting import kedro_viz
from multimodal_sentiment.reporting.kedro_viz.theme import (
    BLUE,
    GREEN,
    GREY,
    NO_TAG,
    VERMILLION,
    colours,
    shown,
)

HOSTILE = "<img src=x onerror=alert(1)>"
LABELS = ["negative", "neutral", "positive"]
BINS = [
    {"low": 0.0, "high": 0.5, "n": 0, "confidence": None, "accuracy": None},
    {"low": 0.5, "high": 1.0, "n": 4, "confidence": 0.8, "accuracy": 0.75},
]
CHARDET = {"posts_asked": 9, "same text": 2, "another text": 7, "no text": 0}
CALIBRATION = {"expected_calibration_error": 0.05, "bins": BINS}
HISTORY = pd.DataFrame(
    {
        "epoch": [1, 2],
        "train_loss": [1.0, 0.8],
        "tuning_loss": [0.9, 0.95],
        "tuning_accuracy": [0.6, 0.5],
        "tuning_macro_f1": [0.4, 0.3],
        "learning_rate": [1e-3, 1e-4],
        "chosen": [True, False],
    }
)


def scores(accuracy: float) -> dict:
    return {
        "accuracy": accuracy,
        "macro_f1": accuracy - 0.1,
        "intervals": {"accuracy": (accuracy - 0.02, accuracy + 0.03), "macro_f1": (0.1, 0.9)},
    }


def difference(points: float, p_adjusted: float) -> dict:
    return {
        "difference": points,
        "interval": (points - 0.1, points + 0.1),
        "p_adjusted": p_adjusted,
    }


def pair(first: str, second: str, points: float = 0.2, p_adjusted: float = 0.01) -> dict:
    test = difference(points, p_adjusted)
    return {"first": first, "second": second, "accuracy": test, "macro_f1": test}


def f1_of(label: str) -> dict:
    return {
        "per_class": {label: {"f1": 0.5, "support": 1234}},
        "intervals": {"per_class": {label: (0.4, 0.7)}},
    }


def study(*states: str) -> dict:
    return {
        "objective": "accuracy",
        "default": {"score": 0.5},
        "trials": [
            {"number": n, "state": state, "score": 0.4 + n / 10, "folds": 3}
            for n, state in enumerate(states, start=1)
        ],
    }


FIGURES = {
    "class_balance": kedro_viz.class_balance(["positive", HOSTILE, None]),
    "encodings": kedro_viz.encodings(["ascii", HOSTILE], [1.0, 0.7], CHARDET),
    "text_lengths": kedro_viz.text_lengths([3, 140], ["positive", HOSTILE]),
    "image_sizes": kedro_viz.image_sizes([640, 0], [480, np.nan]),
    "learning_curves": kedro_viz.learning_curves(HISTORY),
    "confusion_matrix": kedro_viz.confusion_matrix([[1, 2], [0, 3]], ["positive", HOSTILE]),
    "per_class_f1": kedro_viz.per_class_f1(f1_of(HOSTILE)),
    "reliability": kedro_viz.reliability(CALIBRATION, CALIBRATION),
    "confidence_by_correctness": kedro_viz.confidence_by_correctness([0.5, 0.9], [False, True]),
    "modality_contributions": kedro_viz.modality_contributions([0.1], [0.2], ["image"]),
    "variants": kedro_viz.variants({"both": scores(0.7), HOSTILE: scores(0.6)}),
    "differences": kedro_viz.differences([pair("both", HOSTILE)], 0.95),
    "slices": kedro_viz.slices(
        {HOSTILE: {"n": 3, "variants": {"both": scores(0.7), HOSTILE: scores(0.6)}}}
    ),
    "search_history": kedro_viz.search_history(study("judged", "cut short")),
    "search_importances": kedro_viz.search_importances({HOSTILE: 0.7, "training.epochs": 0.3}),
}
EMPTY = {
    "class_balance": kedro_viz.class_balance([]),
    "encodings": kedro_viz.encodings([], [], CHARDET),
    "text_lengths": kedro_viz.text_lengths([], []),
    "image_sizes": kedro_viz.image_sizes([0, np.nan], [0, np.nan]),
    "learning_curves": kedro_viz.learning_curves(HISTORY.head(0)),
    "confusion_matrix": kedro_viz.confusion_matrix(np.zeros((3, 3)), LABELS),
    "per_class_f1": kedro_viz.per_class_f1({"per_class": {}, "intervals": {"per_class": {}}}),
    "reliability": kedro_viz.reliability({"bins": BINS[:1]}, {"bins": BINS[:1]}),
    "confidence_by_correctness": kedro_viz.confidence_by_correctness([], []),
    "modality_contributions": kedro_viz.modality_contributions([], [], []),
    "variants": kedro_viz.variants({}),
    "differences": kedro_viz.differences([], 0.95),
    "slices": kedro_viz.slices({}),
    "search_history": kedro_viz.search_history(study()),
    "search_importances": kedro_viz.search_importances({}),
}


def contrast(colour: str, page: str) -> float:
    """The contrast ratio of WCAG 2."""
    lights = []
    for code in (colour, page):
        parts = np.array([int(code[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        lights.append(linear @ [0.2126, 0.7152, 0.0722] + 0.05)
    return max(lights) / min(lights)


def test_every_plot_is_tried_here():
    offered = {name for name in kedro_viz.__all__ if inspect.isfunction(getattr(kedro_viz, name))}

    assert offered == set(FIGURES) == set(EMPTY)


@pytest.mark.parametrize("name", FIGURES)
def test_figures_come_back_from_the_catalog_as_they_went_in(name, tmp_path):
    dataset = JSONDataset(filepath=str(tmp_path / "figure.json"))

    dataset.save(FIGURES[name])

    assert dataset.load().to_plotly_json() == FIGURES[name].to_plotly_json()


@pytest.mark.parametrize("name", FIGURES)
def test_figures_hold_plain_numbers_that_older_viewers_read(name):
    assert "bdata" not in FIGURES[name].to_json()


@pytest.mark.parametrize("name", FIGURES)
def test_every_figure_has_a_title_and_no_background(name):
    layout = FIGURES[name].layout

    assert layout.title.text
    assert layout.template.layout.paper_bgcolor == "rgba(0, 0, 0, 0)"


@pytest.mark.parametrize("name", FIGURES)
def test_titles_stand_above_the_plot_in_kedro_viz_too(name):
    # It sets what a title's height is measured from, and keeps the height.
    figure = FIGURES[name]

    assert figure.layout.title.y is None
    assert figure.layout.template.layout.title.y is None


@pytest.mark.parametrize("name", FIGURES)
def test_every_axis_has_a_title_or_names_or_follows_another(name):
    layout = FIGURES[name].to_dict()["layout"]
    axes = [axis for key, axis in layout.items() if key.startswith(("xaxis", "yaxis"))]

    assert len(axes) >= 2
    assert all("title" in axis or "ticktext" in axis or "matches" in axis for axis in axes)


@pytest.mark.parametrize("name", EMPTY)
def test_nothing_to_show_is_said(name):
    figure = EMPTY[name]

    assert not figure.data
    assert figure.layout.title.text
    assert figure.layout.annotations[0].text.endswith(".")
    assert json.loads(figure.to_json())


@pytest.mark.parametrize("name", FIGURES)
def test_names_from_outside_are_no_markup(name):
    assert "<img" not in json.dumps(FIGURES[name].to_dict(), default=str)


def test_names_are_escaped_shortened_and_put_on_one_line():
    assert shown("<b>a & b</b>") == "&lt;b&gt;a &amp; b&lt;/b&gt;"
    assert shown("x" * 100) == "x" * 27 + "…"
    assert shown("a\nb") == "a b"


def test_names_that_look_alike_when_shortened_keep_their_own_place():
    axis = kedro_viz.class_balance(["x" * 50 + "1", "x" * 50 + "2"]).layout.xaxis

    assert axis.tickvals == (0, 1)


@pytest.mark.parametrize("page", ["#ffffff", "#111e27"])
def test_text_and_first_colours_stand_out_on_light_and_dark_pages(page):
    assert contrast(GREY, page) > 3.9
    assert all(contrast(colour, page) > 3 for colour in (BLUE, VERMILLION, GREEN))


def test_a_label_has_one_colour_in_all_figures():
    assert colours(LABELS) == {"negative": VERMILLION, "neutral": BLUE, "positive": GREEN}
    assert colours(["angry", "positive", NO_TAG])["positive"] == GREEN
    assert len(set(colours(["angry", "calm", *LABELS]).values())) == 5


def test_class_balance_counts_tags_and_posts_without():
    (bars,) = kedro_viz.class_balance(["positive", "", "negative", None, "positive"]).data

    assert bars.y == (1, 2, 2)
    assert bars.text == ("1 (20.0%)", "2 (40.0%)", "2 (40.0%)")
    assert bars.marker.color == (VERMILLION, GREEN, GREY)


def test_class_balance_says_what_the_labels_are():
    figure = kedro_viz.class_balance(["positive", "negative"], "Predicted tags")

    assert figure.layout.title.text.startswith("Predicted tags of 2 posts")


def test_encodings_keep_the_commonest_and_sum_up_the_rest():
    names = [f"enc{number:02}" for number in range(13) for _ in range(20 - number)]

    figure = kedro_viz.encodings(names, [0.97] * (len(names) - 1) + [np.nan], CHARDET)
    counts, chardet = figure.data

    assert counts.x == (10 + 9 + 8, *range(11, 21))
    assert figure.layout.yaxis.ticktext[0] == "all others"
    assert len(chardet.x) == 3


def test_encodings_say_how_sure_the_readings_are_where_they_differ():
    figure = kedro_viz.encodings(["ascii", "gb18030", "ascii"], [0.97, 0.6, 1.0], CHARDET)

    assert figure.data[1].x == (1, 1, 1)
    assert figure.layout.yaxis2.ticktext == ("99% and more", "90 to 99%", "50 to 90%")
    assert len(figure.data) == 3


def test_encodings_of_unknown_confidence_are_still_counted():
    none = {"posts_asked": 0, "same text": 0, "another text": 0, "no text": 0}

    (bar,) = kedro_viz.encodings(["ascii"], [np.nan], none).data

    assert bar.x == (1,)


def test_encodings_show_what_chardet_alone_would_have_read():
    figure = kedro_viz.encodings(["gb18030"] * 9, [1.0] * 9, CHARDET)

    (chardet,) = figure.data  # one encoding, and all readings sure: no panel of one bar
    assert chardet.x == (0, 7, 2)
    assert figure.layout.yaxis.ticktext == ("no text", "another text", "same text")
    assert figure.layout.xaxis.title.text == "chardet alone, of 9 texts not ASCII"


def test_text_lengths_are_shares_of_the_tag_and_lose_no_long_post():
    lengths = [*range(1, 101), 5_000_000]
    tags = ["positive"] * 50 + ["negative"] * 51

    figure = kedro_viz.text_lengths(lengths, tags)

    for curve in figure.data:
        assert sum(curve.y[:-1]) == pytest.approx(1)
    assert figure.data[0].name == "negative (51)"
    assert figure.data[0].y[-2] == pytest.approx(1 / 51)
    assert figure.data[0].x[-1] < 1000
    assert "the last holds 1 longer text" in figure.layout.xaxis.title.text


def test_text_lengths_of_empty_texts_are_drawn():
    assert kedro_viz.text_lengths([0, 0], ["positive"] * 2).data[0].y[0] == 1


def test_image_sizes_count_every_image_and_say_how_many_posts_have_none():
    rng = np.random.default_rng(0)
    widths, heights = rng.integers(48, 601, size=(2, 1000)).astype(float)
    widths[:3] = np.nan

    figure = kedro_viz.image_sizes(widths, heights)

    assert np.sum(figure.data[0].customdata) == 997
    assert figure.layout.title.text == "Sizes of 997 images, 3 posts have none"


def test_image_sizes_of_one_picture_or_of_the_oddest_are_drawn():
    assert np.sum(kedro_viz.image_sizes([640], [480]).data[0].customdata) == 1
    square = kedro_viz.image_sizes([640], [640]).layout
    assert square.xaxis.tickvals == square.yaxis.tickvals == (630, 640, 650)
    assert np.sum(kedro_viz.image_sizes([60000, 1], [3, 1]).data[0].customdata) == 2


def test_learning_curves_mark_the_epoch_that_was_kept():
    figure = kedro_viz.learning_curves(HISTORY)

    assert [curve.name for curve in figure.data[:2]] == ["training loss", "tuning loss"]
    assert figure.data[0].y == (1.0, 0.8)
    assert figure.layout.title.text == "Learning curves (kept: epoch 1)"
    assert {shape.x0 for shape in figure.layout.shapes} == {1}


def test_confusion_matrix_shows_counts_and_shares_of_the_true_label():
    (cells,) = kedro_viz.confusion_matrix([[1, 3], [0, 0]], ["a", "b"]).data

    assert cells.z == ([0.25, 0.75], [0, 0])
    assert cells.text == (["1<br>25%", "3<br>75%"], ["0<br>0%", "0<br>0%"])


def test_f1_bars_reach_from_bound_to_bound():
    (dots,) = kedro_viz.per_class_f1(f1_of("positive")).data

    assert dots.y == (0.5,)
    assert dots.error_y.array == pytest.approx([0.2])
    assert dots.error_y.arrayminus == pytest.approx([0.1])


def test_reliability_draws_bins_that_hold_posts():
    _, before, shares, *_ = kedro_viz.reliability(CALIBRATION, CALIBRATION).data

    assert (before.x, before.y) == ((0.8,), (0.75,))
    assert before.name == "before calibration (error 5.0%)"
    assert shares.y == (0, 1)


def test_confidence_counts_right_and_wrong_answers():
    right, wrong = kedro_viz.confidence_by_correctness([0.42, 0.44, 1.0], [True, False, True]).data

    assert (sum(right.y), sum(wrong.y)) == (2, 1)
    assert right.y[8] == wrong.y[8] == right.y[-1] == 1
    assert right.name == "right (67%)"


def test_contributions_draw_at_most_two_thousand_posts_and_count_all():
    decided_by = ["text"] * 3 + ["image"]

    figure = kedro_viz.modality_contributions([0.1] * 10_000, [0.2] * 10_000, decided_by * 2500)

    assert sum(len(points.x) for points in figure.data) <= 2000
    assert [points.name for points in figure.data] == ["text (75%)", "image (25%)"]


def test_variants_stand_in_the_order_given_with_their_intervals():
    figure = kedro_viz.variants({"both": scores(0.7), "text": scores(0.6)})
    accuracy, macro_f1 = figure.data

    assert figure.layout.yaxis.ticktext == ("both", "text")
    assert figure.layout.yaxis.range == (1.5, -0.5)  # the first on top
    assert accuracy.x == (0.7, 0.6)
    assert accuracy.error_x.array == pytest.approx([0.03, 0.03])
    assert macro_f1.error_x.arrayminus == pytest.approx([0.5, 0.4])


def test_differences_are_coloured_where_they_are_sure():
    pairs = [pair("a", "b"), pair("b", "a", -0.2), pair("a", "c", 0.2, 0.3)]
    figure = kedro_viz.differences(pairs, 0.95)

    assert figure.data[0].x == pytest.approx((20, -20, 20))
    assert figure.data[0].marker.color == (GREEN, VERMILLION, GREY)
    assert figure.layout.yaxis.ticktext[0] == "a<br>minus b"
    assert kedro_viz.differences(pairs, 0.6).data[0].marker.color == (GREEN, VERMILLION, GREEN)


def test_slices_draw_each_variant_on_each_part():
    part = {"n": 3, "variants": {"both": scores(0.7), "text": scores(0.6)}}
    both, text = kedro_viz.slices({"with a twin": part, "without a twin": part | {"n": 4}}).data

    assert (both.name, text.name) == ("both", "text")
    assert both.x == (0.7, 0.7)
    assert both.y[0] < text.y[0] < both.y[1]  # the first on top, part by part
    assert both.error_x.color == both.marker.color != text.error_x.color  # whose interval it is


def test_figures_stay_small_however_many_posts_there_are():
    rng = np.random.default_rng(0)
    n = 200_000
    tags = rng.choice(LABELS, size=n)
    large = [
        kedro_viz.class_balance(tags),
        kedro_viz.encodings(rng.choice(["ascii", "gb18030"], size=n), rng.random(n), CHARDET),
        kedro_viz.text_lengths(rng.integers(0, 300, n), tags),
        kedro_viz.image_sizes(rng.integers(1, 5000, n), rng.integers(1, 5000, n)),
        kedro_viz.confidence_by_correctness(rng.random(n), rng.random(n) < 0.5),
        kedro_viz.modality_contributions(rng.random(n), rng.random(n), ["text"] * n),
    ]

    assert max(len(figure.to_json()) for figure in large) < 150_000


def test_the_journey_is_shown_without_figures_and_records():
    tags = {
        node.func.__name__: node.tags & {"journey", "records"}
        for pipeline in register_pipelines().values()
        for node in pipeline.nodes
    }

    assert all(len(tag) == 1 for tag in tags.values())
    assert {tag for name, (tag,) in tags.items() if "plot_" in name} == {"records"}
    steps = "read_labelled_posts split_posts train_model predict_unlabelled write_report".split()
    assert {tag for name in steps for tag in tags[name]} == {"journey"}


def test_bins_of_a_histogram_touch():
    figure = kedro_viz.text_lengths(range(500), ["positive"] * 500)

    assert len({high - low for low, high in pairwise(figure.data[0].x)}) == 1

from __future__ import annotations

import inspect
import json

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest
from kedro_datasets.plotly import JSONDataset

from multimodal_sentiment.pipeline_registry import register_pipelines
from multimodal_sentiment.reporting import charts, kedro_viz
from multimodal_sentiment.reporting.kedro_viz.drawing import paint
from multimodal_sentiment.reporting.kedro_viz.theme import BLUE, GREEN, GREY, VERMILLION, shown

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


def draw(*drawn: charts.Chart | None) -> go.Figure:
    return kedro_viz.draw("A title", *drawn)


def contributions(text: float, image: float, decided_by: list[str]) -> pd.DataFrame:
    columns = {"text_contribution": text, "image_contribution": image}
    return pd.DataFrame(columns | {"decided_by": decided_by})


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
            {"number": n, "name": f"trial {n}", "state": state, "score": 0.4 + n / 10, "folds": 3}
            for n, state in enumerate(states, start=1)
        ],
    }


FIGURES = {
    "class_balance": kedro_viz.class_balance(["positive", HOSTILE, None]),
    "encodings": kedro_viz.encodings(["ascii", HOSTILE], [1.0, 0.7], CHARDET),
    "text_lengths": draw(charts.text_lengths([3, 140], ["positive", HOSTILE])),
    "image_sizes": draw(charts.image_sizes([640, 0], [480, np.nan])),
    "learning_curves": draw(*charts.training_curves(HISTORY)),
    "confusion_matrix": kedro_viz.confusion_matrix([[1, 2], [0, 3]], ["positive", HOSTILE]),
    "per_class_f1": kedro_viz.per_class_f1(f1_of(HOSTILE)),
    "reliability": draw(charts.reliability({"before": CALIBRATION, "after": CALIBRATION})),
    "confidences": draw(charts.confidences([0.5, 0.9], [False, True])),
    "contributions": draw(charts.contributions(contributions(0.1, 0.2, ["image"]))),
    "variants": kedro_viz.variants({"both": scores(0.7), HOSTILE: scores(0.6)}),
    "differences": kedro_viz.differences([pair("both", HOSTILE)], 0.95),
    "slices": kedro_viz.slices(
        {HOSTILE: {"n": 3, "variants": {"both": scores(0.7), HOSTILE: scores(0.6)}}}
    ),
    "search_history": draw(charts.search_history(study("judged", "cut short"))),
    "search_importances": kedro_viz.search_importances({HOSTILE: 0.7, "training.epochs": 0.3}),
}
EMPTY = {
    "class_balance": kedro_viz.class_balance([]),
    "encodings": kedro_viz.encodings([], [], CHARDET),
    "text_lengths": draw(charts.text_lengths([], [])),
    "image_sizes": draw(charts.image_sizes([0, np.nan], [0, np.nan])),
    "learning_curves": draw(*charts.training_curves(HISTORY.head(0))),
    "confusion_matrix": kedro_viz.confusion_matrix(np.zeros((3, 3)), LABELS),
    "contributions": draw(charts.contributions(pd.DataFrame({"predicted": ["positive"]}))),
    "differences": kedro_viz.differences([], 0.95),
    "slices": kedro_viz.slices({}),
    "search_history": draw(charts.search_history(study())),
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


def test_every_figure_is_tried_here():
    offered = {name for name in kedro_viz.__all__ if inspect.isfunction(getattr(kedro_viz, name))}

    assert offered - {"draw"} <= set(FIGURES)


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
def test_what_is_said_below_a_plot_has_room_in_kedro_viz(name):
    # Its margin below is 72 px, of which the axis takes 44, and a line 14.
    notes = [it.text for it in FIGURES[name].layout.annotations if it.yshift == -44]

    assert all(note.count("<br>") <= 1 for note in notes)


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
    axis = kedro_viz.class_balance(["x" * 50 + "1", "x" * 50 + "2"]).layout.yaxis

    assert axis.tickvals == (0, 1)


@pytest.mark.parametrize("page", ["#ffffff", "#111e27"])
def test_text_and_first_colours_stand_out_on_light_and_dark_pages(page):
    assert contrast(GREY, page) > 3.9
    assert all(contrast(colour, page) > 3 for colour in (BLUE, VERMILLION, GREEN))


def test_a_label_has_one_colour_in_all_figures():
    def colours(*labels: str) -> list[str]:
        return [paint(style) for style in charts.label_styles(labels).values()]

    assert colours(*LABELS) == [VERMILLION, BLUE, GREEN]
    assert colours("angry", "positive", charts.NO_TAG)[1:] == [GREEN, GREY]
    assert len(set(colours("angry", "calm", *LABELS))) == 5


def test_class_balance_counts_tags_and_posts_without():
    (bars,) = kedro_viz.class_balance(["positive", "", "negative", None, "positive"]).data

    assert bars.x == (1, 2, 2)
    assert bars.text == ("1 (20.0%)", "2 (40.0%)", "2 (40.0%)")
    assert bars.marker.color == (VERMILLION, GREEN, GREY)


def test_class_balance_says_what_the_labels_are():
    figure = kedro_viz.class_balance(["positive", "negative"], "Predicted tags")

    assert figure.layout.title.text.startswith("Predicted tags of 2 posts")


def test_encodings_keep_the_commonest_and_sum_up_the_rest():
    names = [f"enc{number:02}" for number in range(13) for _ in range(20 - number)]

    figure = kedro_viz.encodings(names, [0.97] * (len(names) - 1) + [np.nan], CHARDET)
    counts, chardet = figure.data

    assert counts.x == (*range(20, 10, -1), 10 + 9 + 8)
    assert figure.layout.yaxis.ticktext[-1] == "all others"
    assert len(chardet.x) == 3


def test_encodings_say_how_sure_the_readings_are_where_they_differ():
    figure = kedro_viz.encodings(["ascii", "gb18030", "ascii"], [0.97, 0.6, 1.0], CHARDET)

    assert figure.data[1].x == (1, 1, 1)
    assert figure.layout.yaxis2.ticktext == ("50 to 90%", "90 to 99%", "99% and more")
    assert len(figure.data) == 3


def test_encodings_of_unknown_confidence_are_still_counted():
    none = {"posts_asked": 0, "same text": 0, "another text": 0, "no text": 0}

    (bar,) = kedro_viz.encodings(["ascii"], [np.nan], none).data

    assert bar.x == (1,)


def test_encodings_show_what_chardet_alone_would_have_read():
    figure = kedro_viz.encodings(["gb18030"] * 9, [1.0] * 9, CHARDET)

    (chardet,) = figure.data  # one encoding, and all readings sure: no panel of one bar
    assert chardet.x == (2, 7, 0)
    assert figure.layout.yaxis.ticktext == ("same text", "another text", "no text")
    assert figure.layout.xaxis.title.text == "chardet alone, of 9 texts not ASCII"


def test_charts_are_drawn_with_their_words_and_colours():
    figure = draw(charts.text_lengths([10] * 50 + [9000], ["positive"] * 50 + [None]))
    positive, untagged = figure.data[:2]

    assert max(positive.y[:-1]) == 1
    assert (positive.line.color, untagged.line.color) == (GREEN, GREY)
    assert [it.name for it in figure.data if it.showlegend is not False] == [
        "positive (50)",
        "no tag (1)",
    ]
    assert figure.layout.xaxis.title.text == "characters"
    assert "holds 1 longer" in figure.layout.annotations[0].text.replace("<br>", " ")


def test_several_charts_stand_one_below_the_other():
    layout = draw(*charts.training_curves(HISTORY)).layout

    assert [axis.title.text for axis in (layout.yaxis, layout.yaxis2, layout.yaxis3)] == [
        "loss (nats)",
        "score",
        "rate",
    ]
    assert layout.yaxis.domain[0] > layout.yaxis2.domain[1]
    assert "kept: epoch 1" in [note.text for note in layout.annotations]


def test_logarithmic_axes_and_areas_are_drawn_where_they_belong():
    figure = draw(charts.image_sizes([640] * 3, [480] * 3))
    (cell,) = [trace for trace in figure.data if trace.fill == "toself"]

    assert figure.layout.xaxis.range == pytest.approx(np.log10([456, 672]))
    assert min(cell.x[:4]) <= 640 <= max(cell.x[:4])
    assert min(cell.y[:4]) <= 480 <= max(cell.y[:4])
    assert cell.text == "up to 3 images each"


def test_confusion_matrix_shows_counts_and_shares_of_the_true_label():
    (cells,) = kedro_viz.confusion_matrix([[1, 3], [0, 0]], ["a", "b"]).data

    assert cells.z == ([0.25, 0.75], [0, 0])
    assert cells.text == (["1<br>25%", "3<br>75%"], ["0<br>0%", "0<br>0%"])


def test_f1_bars_reach_from_bound_to_bound():
    (dots,) = kedro_viz.per_class_f1(f1_of("positive")).data

    assert dots.x == (0.5,)
    assert dots.error_x.array == pytest.approx([0.2])
    assert dots.error_x.arrayminus == pytest.approx([0.1])


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

    assert figure.data[0].x == pytest.approx((0.2, -0.2, 0.2))
    assert figure.data[0].text == ("+20.0", "\N{MINUS SIGN}20.0", "+20.0")
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
        draw(charts.text_lengths(rng.integers(0, 300, n), tags)),
        draw(charts.image_sizes(rng.integers(1, 5000, n), rng.integers(1, 5000, n))),
        draw(charts.confidences(rng.random(n), rng.random(n) < 0.5)),
        draw(charts.contributions(contributions(*rng.random((2, n)), ["text"] * n))),
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

from __future__ import annotations

import re
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment import reporting
from multimodal_sentiment.reporting import charts
from multimodal_sentiment.reporting.charts.axes import count_axis, linear_axis, log_axis
from multimodal_sentiment.reporting.charts.canvas import Chart

from .test_kedro_viz import contrast

LINE, WIDEST_LETTER = 14, 8  # px, of the words in a chart where three stand side by side


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (0, 1, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (0.53, 0.77, ["0.55", "0.6", "0.65", "0.7", "0.75"]),
        (0, 83, ["0", "20", "40", "60", "80"]),
        (-3, 12, ["0", "5", "10"]),
        (5, 5, ["5", "5.2", "5.4", "5.6", "5.8", "6"]),
    ],
)
def test_marks_of_an_axis_are_round_numbers(low, high, texts):
    assert [tick.text for tick in linear_axis(low, high, "").ticks] == texts


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (1, 20_000, ["1", "10", "100", "1,000", "10,000"]),
        (40, 700, ["50", "100", "200", "500"]),
        (210, 245, ["210", "220", "230", "240"]),  # a factor of 1.2 has no power of ten
    ],
)
def test_a_logarithmic_axis_has_marks_however_narrow_it_is(low, high, texts):
    axis = log_axis(low, high, "")

    assert [tick.text for tick in axis.ticks] == texts
    assert axis.share((low * high) ** 0.5) == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("low", "high", "texts"),
    [
        (1, 2, ["1", "2"]),
        (1, 4, ["1", "2", "3", "4"]),
        (1, 1, ["1", "2"]),
        (0, 3.12, ["0", "1", "2", "3"]),
        (1, 30, ["5", "10", "15", "20", "25", "30"]),
    ],
)
def test_what_is_counted_has_whole_marks(low, high, texts):
    assert [tick.text for tick in count_axis(low, high, "").ticks] == texts


def test_points_lie_where_the_axes_put_them():
    chart = Chart(linear_axis(0, 10, "x"), linear_axis(0, 4, "y"))
    chart.line([0, 10], [0, 4], "line")

    left, top, right, bottom = chart.plot
    assert chart.shapes[-1].path == f"M{left:.1f} {bottom:.1f}L{right:.1f} {top:.1f}"


def test_a_dot_plot_holds_all_intervals_on_one_scale():
    plot = charts.dot_plot(
        "accuracy",
        [charts.Estimate("one", 0.7, (0.6, 0.8)), charts.Estimate("other", 0.5, (0.45, 0.55))],
    )

    one, _ = plot.estimates
    places = [plot.axis.share(it) for it in (0.45, 0.5, 0.55, 0.6, 0.7, 0.8)]
    assert 0 < places[0] and places == sorted(places) and places[-1] < 1
    assert (plot.write(one.value), plot.range_text(one)) == ("70.0%", "60.0% to 80.0%")
    assert plot.zero is None


def test_differences_show_where_none_is():
    plot = charts.differences("points", [charts.Estimate("gain", 0.05, (0.03, 0.07))])

    assert plot.zero == pytest.approx(0.005 / 0.08)
    assert plot.write(plot.estimates[0].value) == "+5.0"
    assert plot.axis.ticks[0].text == "0"


def test_reliability_leaves_out_a_temperature_that_was_not_needed():
    part = {
        "expected_calibration_error": 0.04,
        "bins": [{"low": 0.5, "high": 1, "n": 9, "confidence": 0.8, "accuracy": 0.75}],
    }

    one = charts.reliability({"temperature": 1, "before": part, "after": part})
    two = charts.reliability({"temperature": 1.3, "before": part, "after": part})

    assert [name for _, name in one.legend] == ["as it is: off by 4.0 points on average"]
    assert len(two.legend) == 2
    assert "Off by 5 points or less on average is good." in one.note
    assert "confidence 80%: 75% of 9 answers right" in [shape.hint for shape in one.shapes]


@pytest.mark.parametrize("share", [0.05, 0.45, 0.5, 0.52, 0.95])
def test_the_words_at_the_limit_of_confidence_leave_the_marks_of_the_axis_alone(share):
    step = {"coverage": share, "confidence": 0.9915, "accuracy": 0.95}
    curve = [step | {"accuracy_interval": (0.3, 1.0)}]

    chart = charts.coverage({"curve": curve, "target": 0.9, "trusted": step})

    left, top, right, bottom = chart.plot
    words = [label for label in chart.labels if left < label.x < right and top < label.y < bottom]
    assert " ".join(label.text for label in words) == "confidence 0.992 or more"
    assert all(above.y + LINE <= below.y for above, below in pairwise(words))
    for label in words:
        width = WIDEST_LETTER * len(label.text)
        start = label.x - width if label.anchor == "end" else label.x
        assert left < start < start + width < right


def test_longest_texts_are_counted_in_the_last_step():
    lengths = [10] * 50 + [20] * 50 + [9000]

    chart = charts.text_lengths(lengths, ["positive"] * 101)

    assert "The last step holds 1 longer ones." in chart.note
    (line,) = [shape for shape in chart.shapes if shape.hint == "positive"]
    heights = [float(point.split()[1]) for point in line.path[1:].split("L")]
    assert sum(height < chart.plot[3] for height in heights[::2]) == 3  # 10s, 20s, and the last
    assert charts.text_lengths([], []) is None


def test_images_of_one_size_still_have_marks_on_both_axes():
    chart = charts.image_sizes([224.0] * 3 + [np.nan], [224.0] * 3 + [np.nan])

    assert len(chart.labels) >= 6
    assert "1 posts have none." in chart.note
    assert charts.image_sizes([0], [0]) is None


def test_what_was_kept_is_marked_in_either_kind_of_training():
    epochs = {"epoch": [1, 2], "train_loss": 1.0, "tuning_loss": 1.0, "tuning_accuracy": 0.5}
    more = {"tuning_macro_f1": 0.4, "learning_rate": [1e-4, 5e-5], "chosen": [False, True]}
    trained = pd.DataFrame(epochs | more)
    tried = {"voice": "text", "strength": [0.1, 1], "log_loss": [0.7, 0.6], "accuracy": 0.7}
    solved = pd.DataFrame(tried | {"chosen": [False, True]})

    losses, scores, rate = charts.training_curves(trained)
    assert [label.text for label in losses.labels if "1." in label.text] == []
    (regularisation,) = charts.training_curves(solved)

    assert "kept: epoch 2" in [label.text for label in losses.labels]
    assert "kept: epoch 2" in [label.text for label in scores.labels]
    assert [tick.text for tick in rate.y.ticks][-1] == "0.0001"
    assert [name for _, name in regularisation.legend] == ["text (kept: 1)"]
    assert charts.training_curves(pd.DataFrame()) == []


def test_confidence_counts_right_and_wrong_answers():
    chart = charts.confidences([0.42, 0.44, 1.0], [True, False, True])

    assert [mark.hint for mark in chart.marks] == [
        "40% to 45%: 1 right",
        "40% to 45%: 1 wrong",
        "95% to 100%: 1 right",
    ]
    assert [name for _, name in chart.legend] == ["right (67%)", "wrong (33%)"]


def test_contributions_draw_some_posts_and_count_all():
    decided_by = {"decided_by": (["text"] * 3 + ["image"]) * 2500}
    columns = {"text_contribution": 0.1, "image_contribution": 0.2}

    chart = charts.contributions(pd.DataFrame(columns | decided_by))

    assert sum(len(mark.parts) for mark in chart.marks if mark.kind == "points") <= 1500
    assert [name for _, name in chart.legend] == [
        "the text added most (75%)",
        "the photo added most (25%)",
    ]


@pytest.mark.parametrize("size", [(640, 480), (640, 640), (60000, 3)])
def test_images_of_any_size_are_drawn(size):
    chart = charts.image_sizes(*([side] for side in size))

    assert [mark.hint for mark in chart.marks if mark.kind == "area"] == ["up to 1 images each"]


def test_each_training_of_a_variant_has_a_line():
    history = pd.DataFrame(
        {
            "seed": [0, 0, 1, 1],
            "fold": 0,
            "epoch": [1, 2, 1, 2],
            "tuning_loss": [1.0, 0.9, 1.1, 0.8],
            "chosen": [False, True, False, True],
            "strength": np.nan,  # of another variant, whose heads are solved
        }
    )

    chart = charts.member_curves("both", history)

    assert sum("line thin" in shape.style for shape in chart.shapes) == 2
    assert chart.note == "2 trainings; the dot is what was kept."


def paints() -> list[dict[str, str]]:
    """The colour of each class of the pages' style sheet, on white and on nearly black."""
    css = (Path(reporting.__file__).parent / "templates" / "page.css").read_text("utf-8")
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    themes, named = [], {}
    for block in (light, dark):
        named = named | dict(re.findall(r"--([\w-]+): ([^;]+);", block))
        colours = {
            name: named[value[6:-1]] if value.startswith("var(") else value
            for name, value in named.items()
        }
        rules = re.findall(r"\.([\w-]+) \{ --paint: var\(--(\w+)\)", css)
        themes.append({name: colours[value] for name, value in rules} | {"page": colours["page"]})
    return themes


@pytest.mark.parametrize(
    "labels",
    [
        ["negative", "neutral", "positive", "mixed", "ironic", "sad", "none"],
        ["1", "2", "3", "4", "5", "6", "7"],
        ["bad", "positive", "neutral"],
    ],
)
def test_seven_labels_have_colours_of_their_own_in_either_theme(labels):
    styles = charts.label_styles(labels)

    for theme in paints():
        shown = [theme[styles[label]] for label in labels]
        assert all(contrast(colour, theme["page"]) > 3 for colour in shown)
        assert min(distance(*pair) for pair in combinations(shown, 2)) > 60


def distance(first: str, second: str) -> int:
    """How far apart two colours are: the sum over red, green and blue, 0 to 765."""
    return sum(abs(int(first[at : at + 2], 16) - int(second[at : at + 2], 16)) for at in (1, 3, 5))

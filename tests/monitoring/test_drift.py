"""New posts beside validation posts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.monitoring import compare_posts, count_tags, least_like, summarise
from multimodal_sentiment.monitoring.drift import NO_ACCURACY


def test_posts_of_the_same_source_cannot_be_told_apart(summary, observe, vectors):
    compared = compare_posts(summary, observe(200, 5), {"text": vectors(200, 5)}, 0.01)

    assert not compared["unlike"]
    assert len(compared["comparisons"]) == 13  # six categories, six numbers, features of the text
    assert "cannot be told from the 300 validation posts" in compared["sentences"][0]
    assert compared["sentences"][-1] == NO_ACCURACY


def test_what_differs_is_named_and_the_p_value_is_corrected(summary, observe, vectors):
    observed = observe(200, 5)
    observed["parts"] = ["text alone"] * 100 + ["this"] * 50 + ["that"] * 50
    compared = compare_posts(summary, observed, {"text": vectors(200, 5)}, 0.01)

    first, second, *_ = compared["comparisons"]
    assert (first["name"], first["unlike"], second["unlike"]) == ("parts", True, False)
    assert first["p_corrected"] == pytest.approx(13 * first["p_value"])
    assert compared["p_value"] == first["p_corrected"]
    assert first["shares"]["text alone"]["new"]["share"] == 0.5
    assert compared["sentences"][0].endswith("comparisons): parts of the post.")
    assert compared["sentences"][1] == (
        "Parts of the post: text alone in 50.0% of the new posts, in 0.0% of the validation posts."
    )


@pytest.mark.parametrize("name", ["text_length", "text_features"])
def test_a_shift_of_numbers_or_features_is_found(summary, observe, vectors, name):
    observed, features = observe(200, 5), vectors(200, 5)
    observed["text_length"] += 2 * (name == "text_length")
    features += np.float32(0.5 * (name == "text_features"))
    compared = compare_posts(summary, observed, {"text": features}, 0.01)

    assert [it["name"] for it in compared["comparisons"] if it["unlike"]] == [name]


def test_medians_are_said_as_one_would(summary, observe, vectors):
    observed = observe(200, 5)
    observed["text_length"] = 1024
    compared = compare_posts(summary, observed, {"text": vectors(200, 5)}, 0.01)

    (found,) = [it for it in compared["comparisons"] if it["name"] == "text_length"]
    assert found["sentence"].startswith("the median is 1,024 among the new posts, ")


def test_what_only_one_side_has_is_no_comparison(summary, observe):
    observed = observe(200, 5).assign(brightness=np.nan)
    features = np.full((200, 64), np.nan, dtype=np.float32)
    compared = compare_posts(summary, observed, {"text": features}, 0.01)

    assert {"brightness", "text_features"}.isdisjoint(it["name"] for it in compared["comparisons"])
    assert len(compared["comparisons"]) == 11


def test_one_post_is_too_few(observe):
    lone = summarise(observe(1, 0), {}, {})
    compared = compare_posts(lone, observe(1, 5), {}, 0.01)

    assert compared["p_value"] is None
    assert "too few" in compared["sentences"][0]


def test_predicted_tags_are_counted_with_intervals():
    tags = count_tags(pd.Series(["good"] * 8 + ["bad"] * 2), ["bad", "good", "never"])

    # Wilson's interval of 8 in 10 is 0.4902 to 0.9433.
    assert tags["good"]["posts"] == 8
    assert tags["good"]["interval"] == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert tags["never"]["share"] == 0
    assert count_tags(pd.Series([], dtype=object), ["bad"])["bad"]["posts"] == 0


def test_the_post_that_is_furthest_comes_first(summary):
    line = np.zeros((21, 64), dtype=np.float32)
    line[:, 0] = np.arange(21)
    new = np.zeros((3, 64), dtype=np.float32)
    new[:, 0] = [10, -6, np.nan]
    found = least_like(replace(summary, features={"text": line}), {"text": new}, 2)

    # The fifth nearest of most is 3 away; that of -6 is 10 away, of 10 it is 2, itself included.
    assert [(it.row, it.modality) for it in found] == [(1, "text"), (0, "text")]
    assert [it.times for it in found] == pytest.approx([10 / 3, 2 / 3])


def test_equal_numbers_stay_equal_though_validation_has_them_rounded(observe):
    kept = summarise(observe(60, 0).assign(brightness=187.4321789), {}, {})
    compared = compare_posts(kept, observe(50, 1).assign(brightness=187.4321789), {}, 0.01)

    (row,) = [it for it in compared["comparisons"] if it["name"] == "brightness"]
    assert row["p_value"] == 1

"""Posts to be predicted that carry tags are a test set."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.parameters import EvaluationParameters, TwinsParameters
from multimodal_sentiment.pipelines.prediction.judging import judge_test_posts, plot_test_confusion
from multimodal_sentiment.posts.content_keys import content_keys

EVALUATION = EvaluationParameters(
    bootstrap_samples=200, confidence_level=0.95, calibration_bins=10, target_accuracy=0.9, seed=0
)
TEXTS = [f"what was said on day {number}" for number in range(10)]
#        right                        wrong
TAGS = ["bad", "good", "bad", "good", "bad", "good", "", "", "awful", "good"]
ANSWERS = ["bad", "good", "bad", "good", "good", "bad", "bad", "bad", "bad", "good"]


@pytest.fixture
def judge(make_examples):
    examples = make_examples(TEXTS, TAGS, [None] * 10)
    examples = examples.set_column(  # no pictures, no hashes
        examples.schema.get_field_index("image_hash"), "image_hash", [[""] * 10]
    )

    def judge(
        tags: list[str], learnt: list[str] | None, text_similarity: float | None = None
    ) -> dict[str, Any]:
        keys = None if learnt is None else np.unique(content_keys(learnt, [""] * len(learnt)))
        keys = None if keys is None else keys[keys > 0]
        model = SimpleNamespace(labels=["bad", "good"], version="v", learnt_keys=keys)
        predictions = pd.DataFrame({"guid": range(10), "tag": tags, "predicted": ANSWERS})
        twins = TwinsParameters(image_bits=0, text_similarity=text_similarity)
        metrics = judge_test_posts(predictions, model, examples, EVALUATION, twins)
        figure = plot_test_confusion(predictions, metrics)
        assert [np.shape(cells.z) for cells in figure.data] == [(2, 2)] * bool(metrics["n"])
        if metrics["n"]:
            assert f"of {metrics['n']} posts" in figure.layout.title.text
        return metrics

    return judge


def test_tagged_posts_are_judged_with_and_without_twins_of_training_posts(judge, caplog):
    learnt = [f"RT @friend: {TEXTS[0].upper()}", TEXTS[1], TEXTS[6], "another"]
    with caplog.at_level("INFO"):
        metrics = judge(TAGS, learnt)

    assert (metrics["posts"], metrics["untagged"], metrics["n"]) == (10, 2, 7)
    assert metrics["unknown_tags"] == {"awful": 1}
    assert metrics["accuracy"] == pytest.approx(5 / 7)
    low, high = metrics["accuracy_interval"]
    assert low < 5 / 7 < high
    # Posts 0 and 1 have a twin that was learnt from; the untagged post 6 is not judged.
    assert metrics["twins_in_training"]["posts"] == 2
    assert metrics["twins_in_training"]["without"]["n"] == 5
    assert metrics["twins_in_training"]["without"]["accuracy"] == pytest.approx(3 / 5)
    assert "7 of 10 posts carry a tag; 2 of them have a twin among the training" in caplog.text
    assert "never seen are not judged: 'awful' of 1 posts; it answers bad, good" in caplog.text


def test_near_twins_count_as_one_where_they_do_in_the_split(judge):
    metrics = judge(TAGS, None, text_similarity=0.5)

    # All texts are near twins: there is one group, and nothing to draw from it but itself.
    assert metrics["accuracy_interval"] == pytest.approx([5 / 7, 5 / 7])


def test_a_model_that_does_not_say_what_it_learnt_from_is_judged_all_the_same(judge):
    metrics = judge(TAGS, None)

    assert metrics["n"] == 7
    assert metrics["twins_in_training"] is None


@pytest.mark.parametrize("tag", ["", "awful"])
def test_posts_without_a_known_tag_are_no_test_set(judge, tag):
    metrics = judge([tag] * 10, [])

    assert metrics["n"] == 0
    assert "accuracy" not in metrics

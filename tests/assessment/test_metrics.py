from __future__ import annotations

import json

import numpy as np
import pytest

from multimodal_sentiment.assessment.metrics import (
    class_indices,
    classification_metrics,
    confusion,
)

LABELS = ["negative", "neutral", "positive"]
TRUE = ["positive", "positive", "positive", "negative", "negative", "neutral"]
PREDICTED = ["positive", "positive", "negative", "negative", "positive", "positive"]


def test_scores_are_those_worked_out_by_hand():
    metrics = classification_metrics(TRUE, PREDICTED, LABELS)

    assert metrics["n"] == 6
    assert metrics["accuracy"] == pytest.approx(3 / 6)
    assert metrics["per_class"]["positive"] == pytest.approx(
        {"precision": 2 / 4, "recall": 2 / 3, "f1": 4 / 7, "support": 3}
    )
    assert metrics["per_class"]["negative"] == pytest.approx(
        {"precision": 1 / 2, "recall": 1 / 2, "f1": 1 / 2, "support": 2}
    )
    assert metrics["per_class"]["neutral"] == {
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "support": 1,
    }
    assert metrics["macro_f1"] == pytest.approx((4 / 7 + 1 / 2 + 0) / 3)
    assert metrics["weighted_f1"] == pytest.approx((3 * 4 / 7 + 2 * 1 / 2 + 0) / 6)


def test_macro_f1_leaves_out_a_label_that_occurs_nowhere_but_not_one_that_is_only_predicted():
    nowhere = classification_metrics(["negative", "positive"], ["negative", "positive"], LABELS)
    only_predicted = classification_metrics(["negative", "positive"], ["negative"] * 2, LABELS[:3])

    assert nowhere["macro_f1"] == 1
    assert nowhere["per_class"]["neutral"] == {
        "precision": 0.0,
        "recall": 0.0,
        "f1": 0.0,
        "support": 0,
    }
    assert only_predicted["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_scores_go_into_json_without_loss():
    metrics = classification_metrics(np.array(TRUE), np.array(PREDICTED), LABELS)

    assert json.loads(json.dumps(metrics, allow_nan=False)) == metrics


def test_a_tag_that_is_no_label_is_named_with_the_valid_choices():
    with pytest.raises(ValueError, match="unknown tag 'postive': choose one of negative, neutral"):
        classification_metrics(["positive"], ["postive"], LABELS)


def test_scoring_no_posts_is_refused():
    with pytest.raises(ValueError, match="no posts to score"):
        classification_metrics([], [], LABELS)


def test_confusion_counts_true_labels_in_rows_and_predicted_ones_in_columns():
    counts = confusion(TRUE, PREDICTED, LABELS)

    assert counts.to_numpy().tolist() == [[1, 0, 1], [0, 0, 1], [1, 0, 2]]
    assert (counts.index.name, counts.columns.name) == ("true", "predicted")
    assert list(counts.index) == list(counts.columns) == LABELS
    assert confusion([], [], LABELS).to_numpy().tolist() == [[0] * 3] * 3


def test_class_indices_keep_the_shape_of_the_tags():
    assert class_indices([["positive", "negative"]], LABELS).tolist() == [[2, 0]]

from __future__ import annotations

import pytest

from multimodal_sentiment.posts.problems import unread_subjects
from multimodal_sentiment.reporting import find_caveats


def titles(metrics, ingestion, epochs=6):
    return [doubt.what for doubt in find_caveats(metrics, ingestion, epochs=epochs)]


def test_nothing_is_said_against_solid_numbers(metrics, ingestion):
    assert titles(metrics, ingestion) == []


@pytest.mark.parametrize(
    ("accuracy", "verdict", "title"),
    [
        (0.8, "cannot tell", "Not better than a baseline"),
        (0.79, "no different", "Not better than a baseline"),
        (0.79, "cannot tell", "Perhaps not better than a baseline"),
        (0.79, "better", None),  # the same posts tell more than two intervals
        (0.77, "cannot tell", "Perhaps not better than a baseline"),
    ],
)
def test_a_baseline_that_the_model_does_not_surely_beat_is_named(
    metrics, ingestion, accuracy, verdict, title
):
    metrics["baselines"]["tfidf"]["accuracy"] = accuracy
    metrics["against_baselines"][0]["verdict"] = verdict

    assert titles(metrics, ingestion) == ([title] if title else [])


@pytest.mark.parametrize(
    ("accuracy", "title"),
    [
        (0.8, "Not better than a baseline"),
        (0.79, "Perhaps not better than a baseline"),
        (0.77, None),
    ],
)
def test_without_a_test_the_interval_says_whether_a_baseline_is_beaten(
    metrics, ingestion, accuracy, title
):
    metrics["baselines"]["tfidf"]["accuracy"] = accuracy
    del metrics["against_baselines"]

    assert titles(metrics, ingestion) == ([title] if title else [])


def test_twins_that_a_split_of_ones_own_divides_are_said(metrics, ingestion):
    rest = {"n": 900, "accuracy": 0.75, "accuracy_interval": (0.7, 0.79)}
    metrics["twins_in_training"] = {"posts": 100, "without": rest}

    (doubt,) = find_caveats(metrics, ingestion, epochs=6)

    assert doubt.what == "100 validation posts have a twin among the training posts"
    assert doubt.why.endswith("Without these posts the accuracy is 75.0% (70.0% to 79.0%).")


def test_few_posts_are_said_by_what_they_leave_unknown(metrics, ingestion):
    metrics |= {"n": 80, "accuracy_interval": (0.71, 0.89)}
    metrics["per_class"]["negative"]["support"] = 24

    first, second = find_caveats(metrics, ingestion, epochs=6)

    assert first.what == "Only 80 validation posts"
    assert "known to 18 points: between 71.0% and 89.0%" in first.why
    assert second.why == "F1 of these rests on 24 negative posts."


def test_a_label_that_is_never_found_is_named(metrics, ingestion):
    metrics["per_class"]["negative"] |= {"recall": 0.0, "f1": 0.0}

    (doubt,) = find_caveats(metrics, ingestion, epochs=6)

    assert doubt.why == "Not one post is rightly called negative."


def test_confidence_that_is_far_off_is_said(metrics, ingestion):
    metrics["calibration"]["after"]["expected_calibration_error"] = 0.12

    metrics["calibration"]["after"]["bins"] = [
        {"n": 10, "confidence": 0.9, "accuracy": 0.7},
        {"n": 10, "confidence": 0.6, "accuracy": 0.7},
        {"n": 0, "confidence": None, "accuracy": None},
    ]

    (doubt,) = find_caveats(metrics, ingestion, epochs=6)

    assert (
        "by more than the 5 points that count as good, and is too high on the whole." in doubt.why
    )
    metrics["calibration"]["after"]["bins"][0]["accuracy"] = 0.9
    assert "too low" in find_caveats(metrics, ingestion, epochs=6)[0].why


def test_a_temperature_that_worsened_the_confidence_is_said(metrics, ingestion):
    metrics["calibration"]["before"]["expected_calibration_error"] = 0.09
    metrics["calibration"]["after"]["expected_calibration_error"] = 0.12

    (doubt,) = find_caveats(metrics, ingestion, epochs=6)

    assert doubt.why.endswith("fitted to training posts, did not help.")


def test_a_training_that_ended_while_getting_better_is_said(metrics, ingestion):
    assert titles(metrics, ingestion, epochs=3) == ["The last epoch was the best"]


def test_encoders_from_scratch_and_few_tuning_posts_are_said(metrics, ingestion):
    metrics["protocol"]["model"] |= {"encoders": {}, "tuning_posts": 31}

    assert titles(metrics, ingestion) == ["Only 31 tuning posts", "Encoders trained from scratch"]


@pytest.mark.parametrize(("count", "images"), [(1, "1 image"), (2, "2 images")])
def test_placeholders_are_said(metrics, ingestion, count, images):
    ingestion["placeholders"] = [{"image_hash": "aa", "posts": 400, "first": ["1"]}] * count

    (doubt,) = find_caveats(metrics, ingestion, epochs=6)

    assert doubt.what == "Images that say nothing of their posts"
    assert doubt.why.startswith(f"{400 * count} of 5,000 posts share {images}: ")


def test_the_report_of_version_0_1_is_still_read(metrics, ingestion):
    ingestion["problems"] = {"image broken": {"posts": 50, "first": ["1"]}}

    (doubt,) = find_caveats(metrics, ingestion, epochs=6)

    assert doubt.why == "image broken: 50 of 5,000 posts."


def test_doubtful_posts_are_counted(metrics, ingestion):
    ingestion["flagged_encodings"]["posts"] = 3
    ingestion["problems"] |= {
        "image_broken": {"title": "image broken", "subject": "image", "posts": 50, "first": []},
        "encoding_rare": {"title": "rare", "subject": "encoding", "posts": 3000, "first": []},
    }
    ingestion["twins"] |= {"groups_with_several_tags": 2}
    ingestion["twins"]["random_split"]["with_a_twin_in_training"] = 9

    doubts = {doubt.what: doubt.why for doubt in find_caveats(metrics, ingestion, epochs=6)}

    assert list(doubts) == [
        "3 texts may be misread",
        "Posts with problems",
        "Twins that are tagged differently",
        "Do not compare with numbers from a random split",
    ]
    assert doubts["Posts with problems"] == "image broken: 50 of 5,000 posts."
    assert "0.1% of all texts" in doubts["3 texts may be misread"]
    assert "9 of 1,000 validation posts would have had a twin" in doubts[list(doubts)[-1]]


@pytest.mark.parametrize(
    ("modality", "said"),
    [
        ("text", ["30 texts may be misread", "no text: 60"]),
        ("image", ["no image: 5,000", "Images that say nothing of their posts"]),
        (
            "both",
            [
                "30 texts may be misread",
                "no image: 5,000, no text: 60",
                "Images that say nothing of their posts",
            ],
        ),
    ],
)
def test_only_what_a_model_reads_is_a_reason_to_distrust_it(metrics, ingestion, modality, said):
    ingestion["flagged_encodings"]["posts"] = 30
    ingestion["placeholders"] = [{"image_hash": "aa", "posts": 400, "first": ["1"]}]
    ingestion["problems"] = {
        "no_image": {"title": "no image", "subject": "image", "posts": 5000, "first": []},
        "no_text": {"title": "no text", "subject": "text", "posts": 60, "first": []},
    }

    doubts = find_caveats(metrics, ingestion, epochs=6, unread=unread_subjects(modality))

    assert [
        doubt.why.removesuffix(" of 5,000 posts.") if "problems" in doubt.what else doubt.what
        for doubt in doubts
    ] == said


def test_what_contradicting_twins_cost_is_said_where_it_is_known(metrics, ingestion):
    ingestion["twins"] |= {"groups_with_several_tags": 2}
    (unknown,) = find_caveats(metrics, ingestion, epochs=6)

    ingestion["twins"]["unlike_the_commonest_tag"] = 60  # of 5,000 posts
    (known,) = find_caveats(metrics, ingestion, epochs=6)

    assert unknown.why == (
        "In 2 of the 5 groups of posts with equal text or photo, or nearly equal where twins.* "
        "say so, the tags differ."
    )
    assert "wrong about 60 of the 5,000 posts at least, which costs 1.2 points" in known.why


def test_scripts_that_the_encoder_has_not_read_are_named(metrics, ingestion):
    scripts = {"Latin": {"n": 700}, "Thai": {"n": 200}, "Han": {"n": 60}, "none": {"n": 40}}
    metrics |= {"scripts": scripts}
    assert titles(metrics, ingestion) == []  # what an encoder of one's own has read is not known

    name = "sentence-transformers/all-MiniLM-L6-v2"
    metrics["protocol"]["model"]["encoders"]["text"]["name"] = name
    assert titles(metrics, ingestion) == ["The text encoder has read English, not Han or Thai"]
    (doubt,) = find_caveats(metrics, ingestion, epochs=6)
    assert doubt.why.startswith("Of such texts it hears little: a multilingual encoder")
    metrics["protocol"]["model"]["strengths"] = {"text": 2, "words": 2}
    (doubt,) = find_caveats(metrics, ingestion, epochs=6)
    assert "it hears little, and counted words do the work: a" in doubt.why
    metrics["scripts"] = {"Latin": {"n": 700}}
    assert titles(metrics, ingestion) == []


def test_a_split_that_divides_twins_is_not_said_to_leave_none(metrics, ingestion):
    ingestion["twins"]["random_split"]["with_a_twin_in_training"] = 31
    for divided, words in ((0, "This split leaves 0."), (12, "This split leaves 12.")):
        rest = {"n": 900, "accuracy": 0.75, "accuracy_interval": (0.7, 0.79)}
        metrics["twins_in_training"] = {"posts": divided, "without": rest if divided else None}
        doubts = find_caveats(metrics, ingestion, epochs=6)
        (found,) = [doubt for doubt in doubts if "random split" in doubt.what]
        assert found.why.endswith(words)


def test_a_label_that_no_validation_post_has_is_not_said_to_be_never_found(metrics, ingestion):
    label = next(iter(metrics["per_class"]))
    metrics["per_class"][label] |= {"support": 0, "recall": 0}
    assert "Labels that are never found" not in titles(metrics, ingestion)

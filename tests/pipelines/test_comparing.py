from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment.parameters import Parameters, ReportingParameters
from multimodal_sentiment.pipelines.comparing import pages
from multimodal_sentiment.pipelines.comparing.answers import (
    baselines_of,
    describe_doubts,
    find_disagreements,
    gather_posts,
    mean_probabilities,
    slices_of,
)
from multimodal_sentiment.pipelines.comparing.nodes import judge_comparison, tabulate_comparison
from multimodal_sentiment.pipelines.comparing.pages import write_comparison_page, write_second_look
from multimodal_sentiment.reporting import charts

from .test_ingestion import catalog_in

LABELS = ["negative", "neutral", "positive"]
POSTS = 90


@pytest.fixture
def frames(make_examples: Callable[..., pa.Table]) -> dict[str, Any]:
    """60 training and 30 validation posts; the first of each has no image, the last is a twin."""
    tags = [LABELS[index % 3] for index in range(POSTS)]
    texts = [f"{tag} word{index}" for index, tag in enumerate(tags)]
    texts[61] = "naïve"
    pictures: list[Any] = [np.zeros((4, 4, 3), np.uint8)] * POSTS
    pictures = [None if index in {0, 60} else picture for index, picture in enumerate(pictures)]
    examples = make_examples(texts, tags, pictures)
    posts = examples.select(["guid", "text", "tag"]).to_pandas()
    posts["img_path"] = "data/" + posts["guid"] + ".jpg"
    groups = np.arange(POSTS)
    groups[[59, 89]] = 58, 88
    return {
        "train_posts": posts.iloc[:60].reset_index(drop=True),
        "validation_posts": posts.iloc[60:].reset_index(drop=True),
        "examples": examples,
        "duplicate_groups": pd.DataFrame({"guid": posts["guid"], "group": groups}),
    }


def answers(posts: pd.DataFrame, right: dict[str, float], seeds: int = 2) -> pd.DataFrame:
    """Predictions of which so large a share is right, the first ones; the rest is one label on."""
    rows = []
    for variant, share in right.items():
        for seed in range(seeds):
            for position, post in enumerate(posts.itertuples()):
                off = position >= share * len(posts)
                predicted = LABELS[(LABELS.index(post.tag) + off) % 3]
                chances = {f"p_{label}": 0.8 if label == predicted else 0.1 for label in LABELS}
                rows.append(
                    {"variant": variant, "seed": seed, "fold": 0, "guid": post.guid}
                    | {"tag": post.tag, "predicted": predicted}
                    | chances
                )
    return pd.DataFrame(rows)


def judge(
    frames: dict[str, Any], parameters: Parameters, right: dict[str, float] | pd.DataFrame
) -> Any:
    """Judge these answers, or those of which so large a share is right."""
    return judge_comparison(
        answers(frames["validation_posts"], right) if isinstance(right, dict) else right,
        **frames,
        corrections=pd.DataFrame({"guid": [], "original": []}, dtype=str),
        comparison=parameters.comparison,
        splitting=parameters.splitting,
        model=parameters.model,
        training=parameters.training,
        evaluation=parameters.evaluation,
    )


def page_of(
    result: Any, predictions: pd.DataFrame, frames: dict[str, Any], shown_posts: int = 24
) -> str:
    return write_comparison_page(
        result,
        predictions,
        pd.DataFrame({"variant": []}),
        frames["examples"],
        "raw",
        ReportingParameters(data_name="posts", shown_posts=shown_posts),
    )


def test_a_clear_gain_is_said_to_help_and_a_small_one_not_to_be_told(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    result = judge(frames, tiny(comparison__seeds=2), {"text": 0.9, "image": 0.3, "both": 28 / 30})

    image, text, *rivals = result["verdict"]
    words = "Whether the image helps cannot be told from 30 posts: both and text differ by"
    assert image.startswith(words)
    assert "+3.3 points of accuracy" in image
    assert text.startswith("The text helps: both beats image, by +63.3 points of accuracy (95%")
    assert "and cannot be told apart from always answering negative (-3.3" in rivals[1]
    assert rivals[2].startswith("both beats always answering")
    assert result["table"]["both"]["accuracy"] == pytest.approx(28 / 30)
    assert result["table"]["both"]["spread"]["accuracy"] == 0
    assert result["table"]["majority"]["accuracy"] == pytest.approx(1 / 3)
    assert (result["n"], result["groups"]) == (30, 29)
    assert result["protocol"]["posts"] == {"judged": 30, "learnt from": 60}
    assert result["protocol"]["split"] == {"as": "given with the posts"}


def test_a_tag_that_corrections_leave_to_no_post_is_not_what_posts_are_judged_by(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    merged = {"neutral": "negative"}
    train, validation = (
        frames[name].assign(tag=frames[name]["tag"].replace(merged))
        for name in ("train_posts", "validation_posts")
    )
    corrected = frames | {"train_posts": train, "validation_posts": validation}
    predictions = answers(validation, {"text": 0.5, "image": 0.5, "both": 1.0}, seeds=1)
    predictions["predicted"] = predictions["predicted"].replace(merged)
    predictions = predictions.drop(columns="p_neutral")

    result = judge(corrected, tiny(comparison__seeds=1), predictions)

    assert list(result["table"]["both"]["per_class"]) == ["negative", "positive"]
    assert result["table"]["both"]["accuracy"] == 1
    assert result["protocol"]["corrected_tags"] == 30
    page = page_of(result, predictions, frames)
    assert "Where the photo helped" in page


def test_a_variant_that_changes_nothing_looks_at_what_the_model_does(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    right = {"text": 0.5, "image": 0.5, "both": 1.0}
    predictions = answers(frames["validation_posts"], right, seeds=1)
    result = judge(frames, tiny(comparison__variants__both={}), predictions)

    assert result["verdict"][0].startswith("The image helps: both beats text")
    page = page_of(result, predictions, frames)
    assert "Where the photo helped" in page
    assert "Right by" not in page


def test_the_page_shows_as_many_posts_as_are_asked_for(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    parameters = tiny(comparison__variants__image=None, evaluation__bootstrap_samples=100)
    predictions = answers(frames["validation_posts"], {"text": 0.5, "both": 1.0}, seeds=1)
    result = judge(frames, parameters, predictions)

    # On fifteen posts both is right and text is not.
    pages = {most: page_of(result, predictions, frames, most) for most in (24, 2, 0)}
    shown = {most: page.count("<article>") for most, page in pages.items()}
    assert shown == {24: 8, 2: 2, 0: 0}
    assert "Where they disagree" not in pages[0]


def test_variants_and_baselines_share_one_table(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    result = judge(frames, tiny(comparison__seeds=2), {"text": 0.5, "image": 0.4, "both": 0.8})
    table = tabulate_comparison(result)

    assert table["variant"].tolist() == ["text", "image", "both", "majority", "tfidf"]
    assert table["accuracy"].tolist()[:3] == [0.5, 0.4, 0.8]
    assert (table["accuracy_low"] <= table["accuracy"]).all()
    assert {"macro_f1_high", "weighted_f1_spread", "f1_neutral"} <= set(table)


def test_a_variant_left_out_takes_its_pairs_along(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    parameters = tiny(comparison__seeds=2, comparison__variants__image=None)
    result = judge(frames, parameters, {"text": 0.5, "both": 0.8})

    assert [(pair["first"], pair["second"]) for pair in result["pairs"]] == [("both", "text")]
    assert "text and image disagree" not in result["slices"]


def test_slices_are_the_posts_they_name(frames: dict[str, Any]) -> None:
    predictions = answers(frames["validation_posts"], {"text": 0.9, "image": 0.5})
    posts = gather_posts(**frames, predictions=predictions)
    judged = posts[posts["fold"] >= 0]
    modalities = {"text": "text", "image": "image"}
    slices = slices_of(judged, predictions, LABELS, modalities)
    sizes = {name: int(mask.sum()) for name, mask in slices.items()}

    assert sizes == {
        "with a twin": 2,
        "without a twin": 28,
        "ASCII text": 29,
        "other text": 1,
        "text and image": 29,
        "no text": 0,
        "no image": 1,
        "text and image agree": 18,  # 15 both right, 3 both wrong in the same way
        "text and image disagree": 12,
    }


def test_posts_are_found_that_one_variant_is_right_about_and_the_other_wrong() -> None:
    rows = [
        ("both", "1", 0.9), ("text", "1", 0.1),  # the first helped, by 0.8
        ("both", "2", 0.6), ("text", "2", 0.4),  # and by 0.2
        ("both", "3", 0.8), ("text", "3", 0.7),  # both right
        ("both", "4", 0.3), ("text", "4", 0.9),  # it misled
        ("both", "5", 0.2), ("text", "5", 0.3),  # both wrong
        ("both", "6", 0.9), ("text", "6", 0.2),  # 0.3 and 0.1 under two seeds: helped, by 0.7
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=["variant", "guid", "p_good"])
    seeds = table.iloc[[-1, -1]].assign(p_good=[0.3, 0.1])
    table = pd.concat([table.iloc[:-1], seeds])
    means = mean_probabilities(table.assign(p_bad=1 - table["p_good"]), ["good", "bad"])
    tags = pd.Series("good", ["1", "2", "3", "4", "5", "6", "7"])

    helped, misled = find_disagreements(means, tags, "both", "text", 2)

    assert helped == ["1", "6"]
    assert misled == ["4"]


def test_baselines_answer_for_posts_that_they_have_not_learnt_from(frames: dict[str, Any]) -> None:
    posts = gather_posts(
        **frames, predictions=answers(frames["validation_posts"], {"text": 1.0}, seeds=1)
    )
    posts["fold"] = np.repeat([0, 1], [45, 45])
    posts["tag"] = np.repeat(["positive", "negative"], [45, 45])
    found, _ = baselines_of(posts)

    # What is common in one fold is learnt for the other.
    assert found["majority"].tolist() == ["negative"] * 45 + ["positive"] * 45


def test_doubted_tags_come_first_then_contradicting_twins(frames: dict[str, Any]) -> None:
    validation = frames["validation_posts"]
    predictions = answers(validation, {"both": 29 / 30}, seeds=1)
    train = frames["train_posts"]
    contradiction = train.assign(tag=train["tag"].where(train.index != 59, "negative"))
    doubts = describe_doubts(
        predictions, [contradiction, validation], frames["duplicate_groups"], 10
    )

    doubted, *twins = doubts.itertuples()
    assert doubted.guid == validation["guid"].iloc[-1]
    assert (doubted.tag, doubted.answer, doubted.probability) == ("positive", "negative", 0.1)
    assert doubted.why == (
        f"models answer negative (0.80); another tag than its twin {validation['guid'].iloc[-2]} "
        "(neutral)"
    )
    first, second = train["guid"].iloc[58], train["guid"].iloc[59]
    assert [twin.guid for twin in twins] == [first, second, validation["guid"].iloc[-2]]
    assert twins[0].why == f"another tag than its twin {second} (negative)"
    assert np.isnan(twins[0].probability)  # no model was kept from a training post
    assert doubts["img_path"].tolist()[1] == f"data/{first}.jpg"


@pytest.fixture
def many_twins(frames: dict[str, Any]) -> dict[str, Any]:
    """Twenty validation posts are one group; seven of each tag but positive, of which are six."""
    groups = frames["duplicate_groups"].set_index("guid")["group"]
    groups.iloc[60:80] = 60
    return frames | {"duplicate_groups": groups.reset_index()}


def doubts_of(frames: dict[str, Any], predictions: pd.DataFrame) -> pd.DataFrame:
    parts = [frames["train_posts"], frames["validation_posts"]]
    return describe_doubts(predictions, parts, frames["duplicate_groups"], 10)


def second_look_of(frames: dict[str, Any], predictions: pd.DataFrame, doubts: pd.DataFrame) -> str:
    return write_second_look(
        doubts,
        {
            "table": {"both": {"per_class": dict.fromkeys(LABELS)}},
            "protocol": {"variants": {"both": {}}},
        },
        predictions,
        **frames,
        corrections=pd.DataFrame({"guid": [], "tag": []}, dtype=str),
        raw="raw",
        reporting=ReportingParameters(data_name="posts", shown_posts=0),
    )


def test_of_many_twins_some_are_listed_and_the_rest_counted(many_twins: dict[str, Any]) -> None:
    predictions = answers(many_twins["validation_posts"], {"both": 1.0}, seeds=1)

    doubts = doubts_of(many_twins, predictions).set_index("guid")

    # Four of each tag are the first twelve.
    assert doubts.index.tolist() == [*map(str, [158, 159, *range(160, 172), 188, 189])]
    said = doubts["why"]["160"]
    assert said.startswith("another tag than its twin 161 (neutral), 162 (positive), 164 (")
    assert said.endswith("170 (neutral), 171 (positive) and 5 more")
    assert doubts["why"]["158"] == "another tag than its twin 159 (positive)"


def test_a_group_of_many_twins_has_one_box_that_says_what_it_leaves_out(
    many_twins: dict[str, Any],
) -> None:
    predictions = answers(many_twins["validation_posts"], {"both": 1.0}, seeds=1)
    doubts = doubts_of(many_twins, predictions)

    page = second_look_of(many_twins, predictions, doubts)

    facts = json.loads(re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', page)[0])
    shown = [one["guid"] for one in facts["posts"]]
    assert shown == [*map(str, [158, 159, *range(160, 172), 188, 189])]
    assert list(facts["originals"]) == sorted(shown)
    assert page.count('class="case twins"') == 3
    assert page.count("not shown") == 1
    assert "2 of 3: twins, 8 more of them not shown</p>" in page


@pytest.mark.parametrize(
    ("most", "cases", "said"),
    [
        (1, 3, "2 more groups of twins with different tags are not shown: second_look.csv"),
        (2, 4, "1 more group of twins with different tags is not shown: second_look.csv"),
        (3, 5, None),
    ],
)
def test_of_many_groups_of_twins_the_first_are_shown_and_all_doubted_posts(
    frames: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    most: int,
    cases: int,
    said: str | None,
) -> None:
    monkeypatch.setattr(pages, "MOST_TORN", most)
    frames["duplicate_groups"].loc[[1, 58, 88], "group"] = [0, 58, 88]  # three pairs of twins
    # Two posts that are twins of none are answered wrongly.
    predictions = answers(frames["validation_posts"][:20], {"both": 0.9}, seeds=1)
    doubts = doubts_of(frames, predictions)

    page = second_look_of(frames, predictions, doubts)

    assert doubts["guid"].tolist()[:2] == ["178", "179"]
    shown = re.findall(r'<article id="post-(\d+)"', page)
    assert shown == doubts["guid"].tolist()[: 2 + 2 * most]
    assert page.count('<section class="case') == cases
    assert said in page if said else "second_look.csv" not in page


def test_of_too_many_groups_of_twins_those_of_doubted_posts_are_shown(
    frames: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "MOST_TORN", 0)
    frames["duplicate_groups"].loc[[1, 79], "group"] = [0, 78]  # two pairs of twins
    predictions = answers(frames["validation_posts"][:20], {"both": 0.9}, seeds=1)

    page = second_look_of(frames, predictions, doubts_of(frames, predictions))

    shown = re.findall(r'<article id="post-(\d+)"', page)
    assert shown[:2] == ["178", "179"]
    assert not {"100", "101"} & {*shown}
    assert "3 more groups of twins with different tags are not shown" in page


def test_twins_that_a_split_divides_are_counted(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    parameters = tiny(evaluation__bootstrap_samples=100)
    right = dict.fromkeys(parameters.comparison.compared, 0.9)
    whole = judge(frames, parameters, right)["protocol"]
    # The last two validation posts are twins of each other, and now of a training post.
    frames["duplicate_groups"].loc[[88, 89], "group"] = 58
    divided = judge(frames, parameters, right)["protocol"]

    assert (whole["twins_in_training"], divided["twins_in_training"]) == (0, 2)
    assert "neither it nor its twins; means" in whole["judged"]
    assert (
        "its twins, but for 2 that have a twin among the training posts; means"
        in (divided["judged"])
    )


def test_in_folds_all_posts_are_judged_and_learnt_from(
    frames: dict[str, Any], tiny: Callable[..., Parameters]
) -> None:
    parameters = tiny(comparison__folds=3, evaluation__bootstrap_samples=100)
    everyone = pd.concat([frames["train_posts"], frames["validation_posts"]])
    predictions = answers(everyone, dict.fromkeys(parameters.comparison.compared, 0.9), seeds=1)
    predictions["fold"] = predictions["guid"].astype(int) % 3

    protocol = judge(frames, parameters, predictions)["protocol"]

    assert protocol["posts"] == {"judged": 90, "learnt from": 90}


def test_the_second_look_takes_whole_texts_away_of_which_cards_show_the_beginning(
    frames: dict[str, Any],
) -> None:
    texts = [
        "z" * 5000 if text == "naïve" else text for text in frames["examples"]["text"].to_pylist()
    ]
    frames["examples"] = frames["examples"].set_column(1, "text", [texts])
    predictions = answers(frames["validation_posts"], {"both": 0.9}, seeds=1)
    doubts = pd.DataFrame({"guid": ["161"], "why": ["models answer positive"]})

    page = second_look_of(frames, predictions, doubts)

    assert re.findall("z{100,}.", page) == ["z" * 600 + "…", "z" * 5000 + '"']


def test_curves_of_both_kinds_of_training_come_back_from_the_catalog(tmp_path: Path) -> None:
    common = {"seed": 0, "fold": 0, "chosen": [False, True]}
    epochs = {"variant": "both", "epoch": [1, 2], "tuning_loss": [1.0, 0.9]}
    tried = {"variant": "NA", "voice": "text", "strength": [0.1, 1.0], "log_loss": [0.8, 0.7]}
    tables = [pd.DataFrame(own | common) for own in (epochs, tried)]
    catalog = catalog_in(tmp_path)
    catalog.save("comparison_history", pd.concat(tables, ignore_index=True))

    history = catalog.load("comparison_history")
    drawn = {
        variant: charts.member_curves(str(variant), own)
        for variant, own in history.groupby("variant", sort=False)
    }

    assert [chart.legend for chart in drawn.values() if chart] == [[], [("first", "text")]]

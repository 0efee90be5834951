"""What is said of a search, from predictions that are made up."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from multimodal_sentiment.config_loader import CheckedConfigLoader
from multimodal_sentiment.parameters import Parameters, vary
from multimodal_sentiment.searching import judge_choice, write_parameters

from ..commands import PROJECT

LABELS = ["negative", "neutral", "positive"]
VALUES = {"training.class_weights": "none", "training.learning_rate.heads": 1e-5}


def predictions(posts: int, right: dict[str, float], start: int = 0) -> pd.DataFrame:
    """Answers of which so large a share is right, the first ones."""
    frames = []
    for variant, share in right.items():
        truth = np.arange(posts) % 3
        answer = np.where(np.arange(posts) < round(share * posts), truth, (truth + 1) % 3)
        chances = np.where(np.arange(3) == answer[:, None], 0.8, 0.1)
        frames.append(
            pd.DataFrame(
                {
                    "variant": variant,
                    "guid": [str(start + number) for number in range(posts)],
                    "tag": [LABELS[label] for label in truth],
                    "predicted": [LABELS[label] for label in answer],
                    **{f"p_{name}": chances[:, label] for label, name in enumerate(LABELS)},
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def judge(on_folds: dict[str, float], on_validation: dict[str, float], **study: Any) -> Any:
    trials = [{"name": name, "values": VALUES} for name in on_folds if name != "default"]
    found = {"objective": "accuracy", "best": "trial 2", "trials": trials, **study}
    folds = predictions(300, on_folds)
    validation = predictions(100, on_validation, start=300)
    groups = pd.Series(np.arange(400), index=[str(number) for number in range(400)])
    return judge_choice(found, folds, validation, groups, samples=200, level=0.95, seed=0)


def test_a_lead_that_both_folds_and_validation_posts_show_is_a_better_setting() -> None:
    result = judge(
        {"default": 0.6, "trial 1": 0.61, "trial 2": 0.7}, {"default": 0.6, "trial 2": 0.72}
    )

    assert result["found_better"] and result["chosen"] == "trial 2"
    assert result["verdict"][0] == (
        "The search found a setting that is better than the default: trial 2."
    )
    assert (
        "trial 2 has an accuracy of 0.700, the default 0.600: +10.0 points" in result["verdict"][1]
    )
    assert "corrected for the 2 settings judged on all folds, of 2 tried" in result["verdict"][1]
    assert (
        "On 100 validation posts that chose nothing, trial 2 has an accuracy of 0.720, the "
        in (result["verdict"][2])
    )
    assert result["optimism"] == pytest.approx({"default": 0.0, "best": -0.02})
    assert result["validation"]["best"]["interval"] == pytest.approx(
        result["pair"]["accuracy"]["interval"], abs=0.02
    )


def test_a_lead_that_may_be_luck_keeps_the_default() -> None:
    result = judge(
        {"default": 0.6, "trial 1": 0.605, "trial 2": 0.61}, {"default": 0.6, "trial 2": 0.7}
    )

    # Validation posts choose nothing, not even where they speak for the best trial.
    assert not result["found_better"] and result["chosen"] == "default"
    assert result["verdict"][0] == (
        "The search found nothing better than the default: among so many settings, the best may "
        "have such a lead by chance."
    )
    assert result["values"] == {"chosen": {}, "best": VALUES}


@pytest.mark.parametrize(("best", "points"), [(0.6, "+0.0"), (0.59, "-1.0")])
def test_no_lead_is_not_called_one(best: float, points: str) -> None:
    result = judge(
        {"default": 0.6, "trial 1": 0.58, "trial 2": best}, {"default": 0.6, "trial 2": 0.7}
    )

    assert result["chosen"] == "default"
    assert result["verdict"][0] == (
        "The search found nothing better than the default: no other setting did better on the "
        "folds."
    )
    assert f"{points} points" in result["verdict"][1]


def test_a_lead_that_validation_posts_do_not_confirm_is_no_find() -> None:
    result = judge(
        {"default": 0.6, "trial 1": 0.61, "trial 2": 0.7}, {"default": 0.6, "trial 2": 0.59}
    )

    assert not result["found_better"] and result["chosen"] == "trial 2"
    assert "do not confirm" in result["verdict"][0]
    assert result["optimism"]["best"] == pytest.approx(0.11)
    assert "on folds is 11.0 points better than on validation posts" in result["verdict"][3]


def test_less_loss_is_a_gain_and_too_little_of_it_on_folds_is_optimism() -> None:
    result = judge(
        {"default": 0.6, "trial 1": 0.61, "trial 2": 0.8},
        {"default": 0.6, "trial 2": 0.7},
        objective="log_loss",
    )

    assert result["found_better"]
    assert result["validation"]["best"]["gain"] > 0
    assert result["optimism"]["best"] == pytest.approx(0.1 * np.log(8))
    assert "nats better" in result["verdict"][2]


@pytest.mark.parametrize(("share", "chosen"), [(0.7, True), (0.61, False)])
def test_the_file_of_parameters_can_be_copied_into_conf_local(
    share: float, chosen: bool, configured: Parameters, tmp_path: Path
) -> None:
    result = judge({"default": 0.6, "trial 2": share}, {"default": 0.6, "trial 2": 0.7})
    shutil.copytree(PROJECT / "conf" / "base", tmp_path / "base")
    (tmp_path / "local").mkdir()
    (tmp_path / "local" / "parameters_chosen.yml").write_text(write_parameters(result))

    loader = CheckedConfigLoader(
        str(tmp_path),
        base_env="base",
        default_run_env="local",
        merge_strategy={"parameters": "soft"},
    )
    read = Parameters.model_validate(loader["parameters"])

    changes = {"training": {"class_weights": "none", "learning_rate": {"heads": 1e-5}}}
    expected = vary(configured.model, configured.training, changes if chosen else {})
    assert (read.model, read.training) == (expected.model, expected.training)
    assert "class_weights: none" in write_parameters(result)  # as a comment, where not chosen
    assert ("Kedro refuses a parameter in two files" in write_parameters(result)) is chosen

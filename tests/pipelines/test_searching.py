"""The search pipeline's nodes on a few posts, with models that train in no time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from multimodal_sentiment.cluster import open_cluster
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import fold_training
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipelines.searching.nodes import (
    judge_search,
    tabulate_search,
    train_best,
    try_settings,
    write_chosen_parameters,
    write_search_report,
)
from multimodal_sentiment.predicting import encode_examples

LABELS = ["negative", "neutral", "positive"]
POSTS, TRAINING = 48, 36


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> dict[str, Any]:
    tags = [LABELS[index % 3] for index in range(POSTS)]
    texts = [f"{tag} word{index}" for index, tag in enumerate(tags)]
    examples = make_examples(texts, tags, [None] * POSTS)
    frame = examples.select(["guid", "text", "tag"]).to_pandas()
    return {
        "examples": examples,
        "train_posts": frame.iloc[:TRAINING],
        "validation_posts": frame.iloc[TRAINING:],
        "duplicate_groups": pd.DataFrame({"guid": frame["guid"], "group": np.arange(POSTS)}),
    }


def prepared(posts: dict[str, Any], parameters: Parameters, folder: Path) -> tuple[Any, ...]:
    """What trying settings and training the best take after the posts that are learnt from."""
    store = EncoderStore(folder / "store", folder)
    variants = [(parameters.model, parameters.training)]
    features = encode_examples(posts["examples"], variants, store, parameters.compute)
    trials = folder / "trials"
    trials.mkdir(parents=True)
    return (
        *(posts["examples"], posts["duplicate_groups"], trials, store, features),
        *(parameters.search, parameters.model, parameters.training, parameters.compute),
    )


def test_a_search_ends_with_a_report_and_goes_on_where_it_stopped(
    posts: dict[str, Any],
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = tiny(
        model__modality="text",
        search__space={"training": {"class_weights": ["none", "sqrt"], "weight_decay": [0.1, 0.2]}},
        search__trials=3,
        search__folds=2,
        search__objective="accuracy",
        evaluation__bootstrap_samples=200,
    )
    shared = prepared(posts, parameters, tmp_path)
    fit, trained = fold_training.fit_classifier, []

    def interrupted(learnt: Any, *rest: Any) -> Any:
        trained.append(len(learnt))
        if len(trained) == 4:  # within the first trial
            raise KeyboardInterrupt
        return fit(learnt, *rest)

    monkeypatch.setattr(fold_training, "fit_classifier", interrupted)
    with pytest.raises(KeyboardInterrupt):
        try_settings(posts["train_posts"], *shared)
    study, on_folds = try_settings(posts["train_posts"], *shared)

    assert len(trained) == 2 * (1 + 3) + 1  # one was interrupted; no fold is trained twice
    assert [trial["name"] for trial in study["trials"]] == ["trial 1", "trial 2", "trial 3"]
    assert set(trained) == {18}
    counts = on_folds.groupby("variant")["guid"].agg(["size", "nunique"])
    assert (counts.to_numpy() == TRAINING).all()
    default = on_folds[on_folds["variant"] == "default"]
    assert study["default"]["score"] == (default["tag"] == default["predicted"]).mean()
    validation = posts["validation_posts"]
    assert not set(validation["guid"]) & set(on_folds["guid"])

    # Whatever a person has corrected, validation posts are judged by the tags of their listing.
    changed = validation.assign(tag=LABELS[0])
    on_validation = train_best(study, posts["train_posts"], changed, *shared)
    listed = validation.set_index("guid")["tag"]
    assert (on_validation["tag"] == on_validation["guid"].map(listed)).all()
    assert trained[-2:] == [TRAINING, TRAINING]
    assert set(on_validation["variant"]) == {"default", study["best"]}
    assert sorted(on_validation["guid"].unique()) == sorted(validation["guid"])

    corrections = validation[["guid", "tag"]].rename(columns={"tag": "original"})
    found = judge_search(
        study,
        on_folds,
        on_validation,
        posts["train_posts"],
        changed,
        posts["duplicate_groups"],
        corrections,
        parameters.search,
        parameters.splitting,
        parameters.evaluation,
    )
    assert found["n"] == POSTS - TRAINING
    assert found["protocol"]["split"] == {"as": "given with the posts"}
    assert found["protocol"]["posts"] == {"training": TRAINING, "validation": POSTS - TRAINING}
    table = tabulate_search(study)
    assert table["trial"].tolist() == ["default", "trial 1", "trial 2", "trial 3"]
    assert table["training.weight_decay"].tolist()[0] == "0.05"
    written = write_chosen_parameters(found)
    page = write_search_report(found, study, written)
    for sentence in found["verdict"]:
        assert sentence in page.replace("&#39;", "'")
    assert page.count('<th scope="row">trial ') >= 3 and "http-equiv" in page


def test_a_trial_that_needs_too_much_memory_fails_and_leaves_no_checkpoints(
    posts: dict[str, Any],
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    parameters = tiny(
        model__modality="text",
        search__space={"training": {"weight_decay": {"low": 0.01, "high": 0.5}}},
        search__trials=2,
        search__folds=2,
    )
    shared = prepared(posts, parameters, tmp_path)
    predict, predicted = fold_training.predict_logits, []

    def too_large(*arguments: Any) -> Any:
        predicted.append(arguments)
        if len(predicted) == 3:  # the first fold of the first trial
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")
        return predict(*arguments)

    monkeypatch.setattr(fold_training, "predict_logits", too_large)
    study, _ = try_settings(posts["train_posts"], *shared)

    assert [trial["state"] for trial in study["trials"]] == ["failed", "judged"]
    assert "Trial 1 of 2 failed" in caplog.text and "CUDA out of memory." in caplog.text
    assert not list((tmp_path / "trials" / "checkpoints").iterdir())


def test_a_setting_that_cannot_be_put_together_ends_neither_the_search_nor_the_run(
    posts: dict[str, Any], tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    widths = {"low": 18, "high": 20}  # and two heads, which cannot share 19
    parameters = tiny(
        model__modality="text",
        search__space={"model": {"text": {"scratch": {"hidden_size": widths}}}},
        search__trials=3,
        search__folds=2,
    )
    study, on_folds = try_settings(posts["train_posts"], *prepared(posts, parameters, tmp_path))

    states = {trial["name"]: trial["state"] for trial in study["trials"]}
    assert sorted(states.values()) == ["failed", "judged", "judged"]
    judged = {name for name, state in states.items() if state == "judged"}
    assert set(on_folds["variant"]) == {"default", *judged}


def test_the_table_has_the_values_with_which_a_trial_can_be_repeated() -> None:
    values = {"training.weight_decay": 0.0123456789012345, "model.text.encoder": None}
    tried = {"score": 0.5, "seconds": 1.0, "values": values}
    trial = {"name": "trial 1", "state": "judged", "folds": 2, **tried}
    space = dict.fromkeys([*values, "training.epochs"], "")
    study = {"objective": "accuracy", "folds": 2, "space": space, "default": tried}
    row = tabulate_search({**study, "trials": [trial]}).iloc[1]

    assert row[list(space)].tolist() == ["0.0123456789012345", "null", ""]
    assert float(row["training.weight_decay"]) == values["training.weight_decay"]


@pytest.mark.slow
def test_workers_of_a_cluster_find_what_this_process_would(
    posts: dict[str, Any], tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = tiny(
        model__modality="text",
        search__space={"training": {"weight_decay": {"low": 0.01, "high": 0.5}}},
        search__trials=7,
        search__folds=2,
        search__pruning=True,
    )
    found = []
    for workers in (0, 2):
        shared = prepared(posts, parameters, tmp_path / str(workers))
        cluster = parameters.cluster.model_copy(update={"workers": workers})
        with open_cluster(cluster):
            study, on_folds = try_settings(posts["train_posts"], *shared, cluster)
        for trial in (study["default"], *study["trials"]):
            trial.pop("seconds")
        found.append((study, on_folds))

    (here, on_folds), (there, on_folds_there) = found
    assert here == there
    pd.testing.assert_frame_equal(on_folds, on_folds_there)

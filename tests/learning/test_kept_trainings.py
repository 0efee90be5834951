from __future__ import annotations

import logging
import re
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch

from multimodal_sentiment import fingerprint
from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.compute.device import Device
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.fingerprint import fingerprint_training
from multimodal_sentiment.learning import FoldTraining, KeptTrainings, fold_training, run_trainings
from multimodal_sentiment.learning.kept_trainings import _seconds_left
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComputeParameters,
    Parameters,
)
from multimodal_sentiment.predicting import encode_examples

FOLDS = np.arange(42) // 3 % 2


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    """Forty-two posts whose words tell their tags."""
    tags = [["negative", "neutral", "positive"][index % 3] for index in range(42)]
    texts = [f"{tag} thing number{index}" for index, tag in enumerate(tags)]
    examples = make_examples(texts, tags, [np.full((72, 80, 3), i, np.uint8) for i in range(42)])
    return LabelledPosts(examples, np.arange(42), np.array(tags, dtype=object), np.arange(42))


def trainings(parameters: Parameters, folds: int = 2) -> list[FoldTraining]:
    return [
        FoldTraining("text", 0, fold, folds, parameters.model, parameters.training)
        for fold in range(folds)
    ]


def judge(
    asked: list[FoldTraining],
    posts: LabelledPosts,
    folds: np.ndarray,
    compute: ComputeParameters,
    folder: Path,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> pd.DataFrame:
    store = EncoderStore(folder, folder)
    variants = [(training.model, training.parameters) for training in asked]
    features = encode_examples(posts.examples, variants, store, compute)
    kept = KeptTrainings(posts, folds, compute, folder, store, features, cluster)
    return run_trainings(asked, kept)[0]


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[LabelledPosts]:
    """The posts that each training which really took place has learnt from."""
    learnt = []

    def noting(posts: LabelledPosts, *rest: Any) -> Any:
        learnt.append(posts)
        return fit(posts, *rest)

    fit = fold_training.fit_classifier
    monkeypatch.setattr(fold_training, "fit_classifier", noting)
    return learnt


def test_every_post_is_judged_once_by_a_model_that_has_not_seen_it(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    fitted: list[LabelledPosts],
) -> None:
    parameters = tiny(model__modality="text")
    answers = judge(trainings(parameters), posts, FOLDS, parameters.compute, tmp_path)

    assert sorted(answers["guid"]) == sorted(posts.guids)
    for fold, learnt in enumerate(fitted):
        judged = set(answers.loc[answers["fold"] == fold, "guid"])
        assert judged.isdisjoint(learnt.guids)
        assert judged | set(learnt.guids) == set(posts.guids)
    tags = dict(zip(posts.guids, posts.tags, strict=True))
    assert answers["tag"].tolist() == [tags[guid] for guid in answers["guid"]]
    shares = answers[["p_negative", "p_neutral", "p_positive"]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1)
    assert ("p_" + answers["predicted"] == shares.idxmax(axis=1)).all()


def test_posts_outside_of_all_folds_are_learnt_from_and_not_judged(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    fitted: list[LabelledPosts],
) -> None:
    parameters = tiny(model__modality="text")
    split = np.where(FOLDS == 0, 0, -1)
    answers = judge(trainings(parameters, 1), posts, split, parameters.compute, tmp_path)

    assert answers["guid"].tolist() == np.array(posts.guids)[FOLDS == 0].tolist()
    assert fitted[0].guids == np.array(posts.guids)[FOLDS == 1].tolist()


def test_workers_of_a_cluster_train_what_this_process_would(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    two = ClusterParameters(workers=2, cpus_per_worker=1, gpus_per_worker=0)
    parameters = tiny(model__modality="text")
    asked = [*trainings(parameters), replace(trainings(parameters)[0], variant="again")]
    here = judge(asked, posts, FOLDS, parameters.compute, tmp_path / "here")
    # What is there already is not trained again.
    judge(asked[:1], posts, FOLDS, parameters.compute, tmp_path / "there")
    (kept,) = (tmp_path / "there").glob("*.npz")
    written = kept.stat().st_ino
    there = judge(asked, posts, FOLDS, parameters.compute, tmp_path / "there", two)

    pd.testing.assert_frame_equal(here, there)
    assert kept.stat().st_ino == written  # read, and not trained again
    assert len(list((tmp_path / "there").glob("*.npz"))) == 2


def test_an_interrupted_comparison_goes_on_where_it_stopped(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fitted: list[LabelledPosts],
) -> None:
    parameters = tiny(model__modality="text")
    asked = trainings(parameters)
    whole = judge(asked, posts, FOLDS, parameters.compute, tmp_path / "whole")

    class Killed(Exception):
        pass

    def dying(*_: Any) -> None:
        raise Killed

    (tmp_path / "half").mkdir()
    judge(asked[:1], posts, FOLDS, parameters.compute, tmp_path / "half")
    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(fold_training, "predict_logits", dying)
        judge(asked, posts, FOLDS, parameters.compute, tmp_path / "half")
    fitted.clear()
    caplog.set_level(logging.INFO, logger="multimodal_sentiment")
    again = judge(asked, posts, FOLDS, parameters.compute, tmp_path / "half")

    assert len(fitted) == 1
    assert "2 trainings to compare, 1 of them done before" in caplog.text
    pd.testing.assert_frame_equal(again, whole)
    assert len(list((tmp_path / "half").glob("*.npz"))) == 2
    assert not list((tmp_path / "half").rglob("checkpoint-*"))


@pytest.mark.parametrize(
    "full",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.36 GB)."),
        RuntimeError("Invalid buffer size: 24.00 GiB"),
    ],
)
def test_too_little_memory_is_said_in_a_line_and_what_filled_it_is_let_go(
    full: RuntimeError,
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = tiny(model__modality="text")
    held = []

    def too_large(*_: Any) -> None:
        weights = torch.nn.Linear(2, 2)
        weights.owner = weights  # a circle, as trainers are
        held.append(weakref.ref(weights))
        raise type(full)(str(full))

    monkeypatch.setattr(fold_training, "fit_classifier", too_large)
    said = re.escape(f"text, seed 1, fold 1 of 2: {full}")
    with pytest.raises(ValueError, match=f"^{said}$"):
        judge(trainings(parameters), posts, FOLDS, parameters.compute, tmp_path)

    assert [weights() for weights in held] == [None]


def change_text(posts: LabelledPosts, parameters: Parameters) -> Any:
    texts = posts.examples["text"].to_pylist()
    column = pa.array(["another", *texts[1:]])
    examples = posts.examples.set_column(1, "text", column)
    return LabelledPosts(examples, posts.rows, posts.tags, posts.groups), parameters


def change_pixels(posts: LabelledPosts, parameters: Parameters) -> Any:
    images = posts.examples["image"].to_pylist()
    column = pa.array([bytes(len(images[0])), *images[1:-1], None], pa.large_binary())
    index = posts.examples.schema.get_field_index("image")
    examples = posts.examples.set_column(index, "image", column)
    return LabelledPosts(examples, posts.rows, posts.tags, posts.groups), parameters


def change_tag(posts: LabelledPosts, parameters: Parameters) -> Any:
    tags = posts.tags.copy()
    tags[0] = "positive"
    return LabelledPosts(posts.examples, posts.rows, tags, posts.groups), parameters


def change_twins(posts: LabelledPosts, parameters: Parameters) -> Any:
    groups = posts.groups.copy()
    groups[3] = 0
    return LabelledPosts(posts.examples, posts.rows, posts.tags, groups), parameters


def change_parameter(posts: LabelledPosts, parameters: Parameters) -> Any:
    training = parameters.training.model_copy(update={"weight_decay": 0.02})
    return posts, parameters.model_copy(update={"training": training})


@pytest.mark.parametrize(
    "change", [change_text, change_pixels, change_tag, change_twins, change_parameter]
)
def test_what_rests_on_something_else_is_not_taken_for_new(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    fitted: list[LabelledPosts],
    change: Callable[..., Any],
) -> None:
    parameters = tiny(model__modality="text")
    judge(trainings(parameters, 1), posts, FOLDS, parameters.compute, tmp_path)
    others, changed = change(posts, parameters)
    judge(trainings(changed, 1), others, FOLDS, changed.compute, tmp_path)

    assert len(fitted) == 2


def test_answers_of_other_code_are_not_taken_for_new(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    fitted: list[LabelledPosts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = tiny(model__modality="text")
    asked = trainings(parameters, 1)
    judge(asked, posts, FOLDS, parameters.compute, tmp_path)
    read = Path.read_bytes

    def edited(path: Path) -> bytes:
        return read(path) + (b"# edited" if path.name == "modeling.py" else b"")

    monkeypatch.setattr(Path, "read_bytes", edited)
    for name in ("digest_sources", "digest_code"):  # as a new process would
        monkeypatch.setattr(fingerprint, name, getattr(fingerprint, name).__wrapped__)
    judge(asked, posts, FOLDS, parameters.compute, tmp_path)

    assert len(fitted) == 2


def test_folds_with_too_few_posts_to_tune_by_are_refused_before_any_training(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    fitted: list[LabelledPosts],
) -> None:
    parameters = tiny(model__modality="text")
    tags = np.where(posts.tags == "neutral", "positive", posts.tags)
    tags[[0, 3, 6]] = "neutral"  # in the folds 0, 1 and 0: what is learnt for 0 has one of them
    few = LabelledPosts(posts.examples, posts.rows, tags, posts.groups)

    with pytest.raises(ValueError, match=r"the posts outside of fold 1: too few posts .*'neutral'"):
        judge(trainings(parameters)[::-1], few, FOLDS, parameters.compute, tmp_path)
    assert not fitted


@pytest.mark.parametrize("library", ["torch", "transformers", "tokenizers"])
def test_another_library_is_other_code(monkeypatch: pytest.MonkeyPatch, library: str) -> None:
    monkeypatch.setattr(fingerprint, "digest_code", fingerprint.digest_code.__wrapped__)
    before = fingerprint.digest_code()
    installed = fingerprint.version
    monkeypatch.setattr(
        fingerprint, "version", lambda name: "0" if name == library else installed(name)
    )

    assert fingerprint.digest_code() != before


def test_other_encoders_features_or_numbers_of_processes_are_another_training(
    tiny: Callable[..., Parameters],
) -> None:
    parameters, device = tiny(), Device("cpu", bf16=False, workers=0)
    one, other, same, shared, encoded_elsewhere = (
        fingerprint_training(
            "posts",
            FOLDS == 0,
            parameters.model,
            parameters.training,
            {"text": {"sha256": sha256}},
            device,
            processes,
            encoded_on,
        )
        for sha256, processes, encoded_on in (
            ("one", 1, "cpu in fp32"),
            ("other", 1, "cpu in fp32"),
            ("one", 1, "cpu in fp32"),
            ("one", 2, "cpu in fp32"),
            ("one", 1, "cuda in bf16"),
        )
    )

    assert one == same
    assert len({one, other, shared, encoded_elsewhere}) == 4


def test_what_is_left_is_told_by_what_such_trainings_took() -> None:
    took = {"text": [10.0, 14.0], "image": [40.0]}

    assert _seconds_left(["text", "text", "image"], took) == 12 + 12 + 40
    # Nothing is known of one that reads both yet: it takes as long as the slowest, at least.
    assert _seconds_left(["both", "text"], took) == 40 + 12
    assert _seconds_left([], took) == 0

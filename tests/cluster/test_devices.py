"""A driver whose hardware is not that of its workers: what they compute is named by theirs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.compute import device as device_module
from multimodal_sentiment.compute.device import choose_device
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import FoldTraining, KeptTrainings, fit_classifier, run_trainings
from multimodal_sentiment.parameters import IN_THIS_PROCESS, ClusterParameters, Parameters
from multimodal_sentiment.predicting import encode_examples

from ..tiny_encoders import save_bert
from .conftest import TWO
from .equality import vectors

pytestmark = pytest.mark.usefixtures("two_workers")


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    """Forty posts whose words tell their tags."""
    tags = [["bad", "good"][index % 2] for index in range(40)]
    texts = [f"{tag} thing number {index}" for index, tag in enumerate(tags)]
    examples = make_examples(texts, tags, [None] * 40)
    return LabelledPosts(examples, np.arange(40), np.array(tags, dtype=object), np.arange(40))


@pytest.fixture
def store(tmp_path: Path) -> EncoderStore:
    return EncoderStore(tmp_path / "encoders", tmp_path)


@pytest.fixture
def parameters(tiny: Any, tmp_path: Path) -> Parameters:
    save_bert(tmp_path / "bert")
    whole = tiny(
        model__modality="text",
        model__text__encoder=str(tmp_path / "bert"),
        model__text__max_tokens=24,
        training__learning_rate__text=0,
        compute__precision="auto",
    )
    pool = whole.model.fusion.model_copy(update={"kind": "pool"})
    model = whole.model.model_copy(update={"fusion": pool})
    return whole.model_copy(update={"model": model})


@pytest.fixture
def precisions(
    parameters: Parameters, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, str]]:
    """Change this process's processor: the precisions that it and the workers now choose."""
    theirs = choose_device(parameters.compute).bf16
    monkeypatch.setattr(
        torch.cpu, "get_capabilities", lambda: {} if theirs else {"amx_bf16": True}, raising=False
    )
    device_module._cpu_gains_by_bf16.cache_clear()
    assert choose_device(parameters.compute).bf16 is not theirs
    yield ("fp32", "bf16") if theirs else ("bf16", "fp32")
    device_module._cpu_gains_by_bf16.cache_clear()


def encode(
    posts: LabelledPosts,
    parameters: Parameters,
    store: EncoderStore,
    cluster: ClusterParameters = IN_THIS_PROCESS,
    earlier: pa.Table | None = None,
    **compute: str,
) -> pa.Table:
    return encode_examples(
        posts.examples,
        [(parameters.model, parameters.training)],
        store,
        parameters.compute.model_copy(update=compute),
        [] if earlier is None else [earlier],
        cluster=cluster,
    )


def test_features_are_named_by_what_computed_them_and_not_computed_again(
    posts, parameters, store, precisions, caplog
):
    caplog.set_level(logging.INFO)
    mine, theirs = (encode(posts, parameters, store, precision=one) for one in precisions)
    name = theirs.column_names[-1]
    assert name not in mine.column_names

    given = encode(posts, parameters, store, TWO, earlier=mine)

    assert name in given.column_names
    np.testing.assert_allclose(vectors(given, name), vectors(theirs, name), atol=1e-3)
    assert f" on cpu in {precisions[1]}: 40 computed in" in caplog.text
    again = encode(posts, parameters, store, TWO, earlier=given)
    assert f" on cpu in {precisions[1]}: 0 computed in" in caplog.text
    assert set(again.column_names) == set(given.column_names)


def test_a_device_that_workers_have_not_is_an_error_that_says_who_lacks_it(
    posts, parameters, store
):
    with pytest.raises(ValueError, match=r"^a worker with 0 GPUs: compute.device: no cuda on this"):
        encode(posts, parameters, store, TWO, device="cuda")


def test_trainings_here_and_by_workers_take_the_features_of_workers(
    posts, parameters, store, precisions, tmp_path
):
    features = encode(posts, parameters, store, TWO)
    model, training, compute = parameters.model, parameters.training, parameters.compute
    folds = np.arange(40) // 2 % 2
    trainings = [FoldTraining("text", 0, fold, 2, model, training) for fold in range(2)]

    classifier, _ = fit_classifier(
        posts, {}, model, training, compute, tmp_path / "fit", store, features, TWO
    )
    kept = KeptTrainings(posts, folds, compute, tmp_path / "trainings", store, features, TWO)
    answers, _ = run_trainings(trainings, kept)

    told = classifier.config.training
    assert told["device"] == f"cpu in {precisions[0]}"  # its heads are solved in this process
    assert set(told["features"].values()) <= set(features.column_names)
    assert sorted(answers["guid"]) == sorted(posts.guids)
    # What workers of such hardware have trained is not trained again in a process like them.
    there = compute.model_copy(update={"precision": precisions[1]})
    held = KeptTrainings(posts, folds, there, tmp_path / "trainings", store, features)
    assert all(held.path_of(training).exists() for training in trainings)


@pytest.mark.slow
def test_a_training_that_workers_share_is_said_to_run_on_what_they_have(
    posts, store, precisions, tmp_path, tiny
):
    concat = tiny(model__modality="text", model__fusion__kind="concat", compute__precision="auto")
    features = encode(posts, concat, store, TWO)

    classifier, _ = fit_classifier(
        posts,
        {},
        concat.model,
        concat.training,
        concat.compute,
        tmp_path / "fit",
        store,
        features,
        TWO,
    )

    assert classifier.config.training["device"] == f"2 x cpu in {precisions[1]}"

"""One training by several processes, which share each batch and end with the same weights."""

from __future__ import annotations

import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from torch import multiprocessing as torch_multiprocessing
from torch.utils.data import BatchSampler

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.batches.sampler import LengthAwareSampler
from multimodal_sentiment.cluster import ClusterError, open_cluster
from multimodal_sentiment.compute.device import Device
from multimodal_sentiment.datasets.arrow_stream import ArrowStreamDataset
from multimodal_sentiment.learning.gradient_descent import optimize
from multimodal_sentiment.learning.gradient_descent import train as gradient
from multimodal_sentiment.learning.gradient_descent.distributed import optimize_together
from multimodal_sentiment.learning.plan import Plan
from multimodal_sentiment.parameters import Parameters, share_of_batch

from .fitting import fit, same_weights
from .ranks import compare_weights

PROJECT = Path(__file__).parents[2]
EPOCHS: dict[str, Any] = {"training__epochs": 3, "training__patience": 3}


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    """Forty-two posts whose words and brightness tell their tags; some lack their image."""
    rng = np.random.default_rng(0)
    words = {"negative": "awful", "neutral": "table", "positive": "lovely"}
    light = {"negative": 30, "neutral": 120, "positive": 220}
    tags = [list(words)[index % 3] for index in range(42)]
    texts = [
        f"{words[tag]} number{index}" + " more" * (index % 5) for index, tag in enumerate(tags)
    ]
    pictures = [
        np.clip(rng.normal(light[tag], 20, (72, 80, 3)), 0, 255).astype(np.uint8)
        if index % 11
        else None
        for index, tag in enumerate(tags)
    ]
    examples = make_examples(texts, tags, pictures)
    return LabelledPosts(examples, np.arange(42), np.array(tags, dtype=object), np.arange(42) // 2)


@contextmanager
def after_the_first_epoch(folder: Path, kill: Callable[[], None]) -> Iterator[None]:
    """Kills once while a training goes on, when it has written its first checkpoint."""
    ended = threading.Event()

    def wait_and_kill() -> list[Path]:
        while not (marks := list(folder.rglob("checkpoint-*/whole"))):
            if ended.wait(0.01):
                return marks
        kill()
        return marks

    with ThreadPoolExecutor(1) as pool:
        killing = pool.submit(wait_and_kill)
        try:
            yield
        finally:
            ended.set()
    assert len(killing.result()) == 1


def kill_one() -> None:
    processes = [one.pid for one in multiprocessing.active_children() if one.pid]
    os.kill(max(processes), signal.SIGKILL)


def kill_a_worker() -> None:
    workers = [
        process
        for process in psutil.Process().children(recursive=True)
        if "TrainWorker" in " ".join(process.cmdline())
    ]
    workers[-1].kill()


@pytest.mark.slow
@pytest.mark.fault("run", "a process of a training that is killed", "the weights of a whole one")
def test_a_killed_process_is_started_again_and_the_weights_are_those_of_a_whole_training(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    parameters = tiny(**EPOCHS, compute__processes=2)
    whole, history = fit(posts, parameters, tmp_path / "whole")
    spoken = [record.getMessage() for record in caplog.records]

    assert [line.partition(":")[0] for line in spoken if line.startswith("Epoch")] == [
        "Epoch 1 of 3",
        "Epoch 2 of 3",
        "Epoch 3 of 3",
    ]
    assert whole.config.training["device"] == "2 x cpu in fp32"

    caplog.clear()
    with after_the_first_epoch(tmp_path / "half", kill_one):
        half, half_history = fit(posts, parameters, tmp_path / "half")

    assert "A process of the training has ended" in caplog.text
    assert "Going on from checkpoint-" in caplog.text
    assert same_weights(whole, half)
    timeless = history.columns.difference(["posts_per_second"])
    assert history[timeless].equals(half_history[timeless])
    assert not list((tmp_path / "half").rglob("task"))
    assert not multiprocessing.active_children()


def test_without_chance_two_processes_take_the_steps_of_one(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: dict[str, dict[str, object]],
    tmp_path: Path,
) -> None:
    some = posts.take(np.arange(20))  # of which 16 are learnt from: batches that none fills up
    options = {
        "training__class_weights": "none",
        "model__modality": "text",
        "model__fusion__dropout": 0.0,
    }
    alone, two = (
        fit(
            some,
            tiny(**EPOCHS, **freezing["text"], **options, compute__processes=processes),
            tmp_path / str(processes),
        )
        for processes in (1, 2)
    )

    assert alone[0].config.training["learning_posts"] == 16
    assert not same_weights(alone[0], two[0])
    for name, weight in alone[0].model.state_dict().items():
        torch.testing.assert_close(two[0].model.state_dict()[name], weight, rtol=0, atol=1e-6)
    losses = alone[1]["train_loss"], two[1]["train_loss"]
    np.testing.assert_allclose(*losses, atol=1e-5)


def test_posts_and_model_that_are_handed_to_a_process_train_as_in_this_one(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    here, _ = fit(posts, tiny(), tmp_path / "here")
    monkeypatch.setattr(gradient, "optimize", optimize_together)
    there, _ = fit(posts, tiny(), tmp_path / "there")

    assert same_weights(here, there)


@pytest.mark.slow
def test_a_training_that_diverges_in_several_processes_is_stopped_at_once(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path, caplog
) -> None:
    rates = {f"training__learning_rate__{part}": 1e12 for part in ("text", "heads")}
    parameters = tiny(model__modality="text", compute__processes=2, **EPOCHS, **rates)

    with pytest.raises(ValueError, match=r"^the training has diverged"):
        fit(posts, parameters, tmp_path)

    assert "has ended" not in caplog.text


def test_different_weights_are_refused_and_statistics_of_batch_norms_are_averaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(PROJECT)
    torch_multiprocessing.spawn(compare_weights, (tmp_path,), nprocs=2)

    for rank in range(2):
        equal, different, *statistics = (tmp_path / f"{rank}.txt").read_text().splitlines()
        assert equal == "equal"
        assert different.startswith("the processes of the training have ended with different weig")
        assert statistics == ["0.5 2.0", f"{float(rank)} {1.0 + 2 * rank}"]  # trained, frozen


@pytest.mark.parametrize("processes", [2, 4])
def test_processes_share_the_batches_that_one_would_take(processes: int) -> None:
    lengths = np.random.default_rng(0).integers(1, 60, 64)

    def batches(rank: int, processes: int) -> list[list[int]]:
        sampler = LengthAwareSampler(lengths, 16, 3, processes)
        sampler.set_epoch(1)
        cut = BatchSampler(sampler, 16 // processes, drop_last=False)
        return list(BatchSamplerShard(cut, processes, rank))

    alone = batches(0, 1)
    shares = [batches(rank, processes) for rank in range(processes)]

    for step, batch in enumerate(alone):
        parts = [share[step] for share in shares]
        assert sorted(np.concatenate(parts).tolist()) == sorted(batch)
        means = [lengths[np.array(part) % 64].mean() for part in parts]
        assert max(means) - min(means) < 6  # no process waits long for the one of longer texts
    assert len(alone) == len(shares[0])


def test_batch_and_warm_up_are_those_of_one_process(
    tiny: Callable[..., Parameters], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parameters = tiny(training__epochs=5, training__batch_size=8, training__seed=7)
    plan = Plan(
        parameters.model,
        parameters.training,
        parameters.compute,
        parameters.cluster,
        Device("cpu", bf16=False, workers=0),
        ["a", "b"],
        {},
        {},
        tmp_path,
    )

    def asked(rank: int, processes: int) -> Any:
        monkeypatch.setattr(optimize, "rank_and_size", lambda: (rank, processes))
        return optimize.training_arguments(plan, 100, tmp_path, tuned=False)

    alone, first, last = asked(0, 1), asked(0, 4), asked(3, 4)
    assert alone.per_device_train_batch_size == 8
    assert first.per_device_train_batch_size == last.per_device_train_batch_size == 2
    # 13 steps an epoch, 5 epochs, a tenth of them
    assert alone.warmup_steps == first.warmup_steps == last.warmup_steps == 6
    assert (alone.seed, first.seed, last.seed) == (7, 7, 10)


@pytest.mark.parametrize(
    ("size", "processes", "choice"), [(32, 3, "30 or 33"), (2, 4, "4"), (10, 4, "8 or 12")]
)
def test_a_batch_that_does_not_divide_is_refused(size: int, processes: int, choice: str) -> None:
    with pytest.raises(ValueError) as refused:
        share_of_batch(size, processes)

    assert str(refused.value) == (
        f"training.batch_size: {processes} processes cannot share {size} posts evenly: "
        f"choose {choice}"
    )


def test_posts_are_sent_to_processes_by_the_path_of_their_examples(
    posts: LabelledPosts, tmp_path: Path
) -> None:
    stored = ArrowStreamDataset(filepath=str(tmp_path / "examples.arrow"))
    stored.save(posts.examples.to_reader())
    some = LabelledPosts(stored.load(), posts.rows, posts.tags, posts.groups).take(
        np.array([22, 3, 40])
    )
    sent = pickle.dumps(some)
    received = pickle.loads(sent)  # noqa: S301

    assert len(sent) < 2000 < posts.examples.nbytes
    assert received.texts == some.texts
    assert received.tags.tolist() == some.tags.tolist()
    assert received.groups.tolist() == [11, 1, 20]


@pytest.mark.slow
@pytest.mark.fault("run", "a worker of a cluster that is killed in a training", "the same weights")
def test_workers_of_a_cluster_come_to_the_weights_of_processes_here_and_so_do_killed_ones(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    here, _ = fit(posts, tiny(**EPOCHS, compute__processes=2), tmp_path / "here")
    with after_the_first_epoch(tmp_path / "there", kill_a_worker):
        there, _ = fit(posts, tiny(**EPOCHS, cluster__workers=2), tmp_path / "there")

    assert "Going on from checkpoint-" in caplog.text
    assert same_weights(here, there)


@pytest.mark.slow
def test_more_workers_than_a_cluster_holds_at_once_are_refused(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    two, four = tiny(cluster__workers=2).cluster, tiny(cluster__workers=4)
    with open_cluster(two), pytest.raises(ClusterError, match=r"4 workers share .* need 4 CPUs"):
        fit(posts, four, tmp_path)

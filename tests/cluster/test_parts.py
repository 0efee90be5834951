"""Work on parts: the same results by no worker, two workers, and workers that die."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from multimodal_sentiment.cluster import ClusterError, divide, map_parts, open_cluster
from multimodal_sentiment.parameters import IN_THIS_PROCESS, ClusterParameters

from ..commands import PROJECT
from .conftest import TWO
from .work import add, die_of, die_once, fail, process_of, squares, visible_gpus

PARTS = [range(start, start + 8) for start in range(0, 32, 8)]
SQUARES = [[number * number for number in part] for part in PARTS]


@pytest.fixture(scope="module", autouse=True)
def former_handler() -> Iterator[object]:
    handler = signal.getsignal(signal.SIGTERM)
    with open_cluster(TWO):
        yield handler


def test_sigterm_ends_this_process_as_it_did_before(former_handler):
    assert signal.getsignal(signal.SIGTERM) is former_handler


@pytest.mark.parametrize("cluster", [IN_THIS_PROCESS, TWO], ids=["no worker", "2 workers"])
def test_results_come_in_the_order_of_the_parts(cluster):
    assert list(map_parts(squares, PARTS, cluster, "Squaring")) == SQUARES


def test_work_is_shared_by_processes_other_than_this_one():
    processes = set(map_parts(process_of, range(200), TWO, "Asking"))

    assert len(processes) == 2
    assert os.getpid() not in processes


def test_workers_without_a_gpu_are_shown_none():
    assert list(map_parts(visible_gpus, range(2), TWO, "Asking")) == ["", ""]


def test_parts_are_taken_as_they_are_needed():
    taken = []

    def parts() -> Iterator[int]:
        for number in range(1000):
            taken.append(number)
            yield number

    results = map_parts(process_of, parts(), TWO, "Asking")
    next(results)

    assert len(taken) <= 9
    results.close()


def test_a_part_whose_worker_dies_is_repeated(tmp_path: Path, caplog):
    caplog.set_level(logging.INFO)

    results = list(map_parts(partial(die_once, tmp_path), PARTS, TWO, "Squaring"))

    assert results == SQUARES
    assert "Squaring by 2 workers: parts on " in caplog.text
    assert "; 4 repeated, as their workers died" in caplog.text


def test_an_item_that_kills_its_worker_is_found_and_the_others_are_whole():
    results = map_parts(partial(die_of, [21]), PARTS, TWO, "Squaring", lost=lambda part: [-part[0]])

    assert [number for piece in results for number in piece] == [
        -21 if number == 21 else number * number for number in range(32)
    ]


def test_a_part_that_cannot_be_halved_is_an_error():
    with pytest.raises(
        ClusterError, match="Squaring: a part has lost its worker 3 times in a row"
    ) as lost:
        list(map_parts(partial(die_of, [21]), PARTS, TWO, "Squaring"))

    assert isinstance(lost.value, ChildProcessError)  # a search goes on after it


@pytest.mark.parametrize("cluster", [IN_THIS_PROCESS, TWO], ids=["no worker", "2 workers"])
def test_an_error_of_the_function_comes_out_as_it_is(cluster):
    with pytest.raises(ValueError, match=r"^number 3 is odd$"):
        list(map_parts(fail, range(10), cluster, "Failing"))


def test_what_is_under_way_is_cancelled_when_nobody_waits_for_it():
    results = map_parts(time.sleep, [0, 600, 600], TWO, "Sleeping")
    next(results)

    began = time.monotonic()
    results.close()

    assert time.monotonic() - began < 30


@pytest.mark.parametrize("cluster", [IN_THIS_PROCESS, TWO], ids=["no worker", "2 workers"])
def test_a_worker_reads_what_is_bound_to_the_function_once(cluster):
    results = list(map_parts(partial(add, [1, 2, 3]), range(20), cluster, "Adding"))

    assert [total for total, _ in results] == [6 + number for number in range(20)]
    assert len({place for _, place in results}) <= max(1, cluster.workers)


def test_a_sequence_is_divided_into_parts_of_one_size():
    assert divide(range(7), 3) == [range(0, 3), range(3, 6), range(6, 7)]
    assert divide([], 3) == []


def test_a_cluster_without_a_host_for_a_worker_is_refused():
    large = ClusterParameters(workers=1, cpus_per_worker=64, gpus_per_worker=2)

    with pytest.raises(ClusterError) as refused, open_cluster(large):
        pass

    assert str(refused.value) == (
        "cluster: no host has 64 CPUs and 2 GPUs for one worker (at most 2 and 0): set "
        "cluster.cpus_per_worker and cluster.gpus_per_worker to what there is"
    )


def test_a_cluster_is_left_though_results_have_not_all_been_fetched():
    code = (
        "import time, sys; from multimodal_sentiment.cluster import *; "
        "from multimodal_sentiment.parameters import ClusterParameters; "
        "two = ClusterParameters(workers=2, cpus_per_worker=1, gpus_per_worker=0); "
        "opened = open_cluster(two); opened.__enter__(); "
        "results = map_parts(time.sleep, [0, 600, 600, 600], two, 'Sleeping'); next(results); "
        "began = time.monotonic(); opened.__exit__(None, None, None); "
        "import ray; assert not ray.is_initialized(); assert time.monotonic() - began < 60"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": str(PROJECT / "src")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert done.returncode == 0, done.stderr

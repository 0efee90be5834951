"""A cluster of three hosts that is there already: joined, used, and one of them lost."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator

import pytest
from ray.cluster_utils import Cluster

from multimodal_sentiment.cluster import map_parts, open_cluster
from multimodal_sentiment.parameters import IN_THIS_PROCESS, ClusterParameters

from .equality import STEPS, assert_equal
from .work import nap

pytestmark = pytest.mark.slow

THREE = ClusterParameters(workers=3, cpus_per_worker=1, gpus_per_worker=0)


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    # Ray reads the token once a process: whoever sets it first, all tests have the same.
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    for _ in range(2):
        made.add_node(num_cpus=1)
    monkeypatch.setenv("RAY_ADDRESS", made.address)
    yield made
    made.shutdown()


def test_three_hosts_give_what_one_process_gives(cluster, steps, parts_of, caplog):
    caplog.set_level(logging.INFO)
    parts_of(2)

    with open_cluster(THREE):
        for step in STEPS:
            assert_equal(steps[step](THREE), steps[step](IN_THIS_PROCESS))

    assert f"Joined the Ray cluster at {cluster.address}, of 3 hosts" in caplog.text


def test_the_parts_of_a_host_that_is_lost_are_done_by_the_others(cluster):
    with open_cluster(THREE):
        results = map_parts(nap, range(40), THREE, "Napping")
        first = [next(results) for _ in range(6)]
        cluster.remove_node(cluster.list_all_nodes()[-1], allow_graceful=False)

        assert [*first, *results] == [number * number for number in range(40)]

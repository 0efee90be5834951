"""The steps that workers share: the same results as in one process, whatever worker dies."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import ray

from multimodal_sentiment.cluster import IN_THIS_PROCESS, ClusterParameters

from ..commands import PROJECT
from .equality import ODD, POSTS, STEPS, assert_equal, vectors

TWO = ClusterParameters(workers=2, cpus_per_worker=1, gpus_per_worker=0)


@pytest.fixture(scope="module", autouse=True)
def deadly_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A cluster whose workers look for marks; the folder of what they note."""
    noted = tmp_path_factory.mktemp("noted")
    os.environ.setdefault("RAY_AUTH_TOKEN", "0" * 64)
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    folders = os.pathsep.join([str(PROJECT / "src"), str(PROJECT)])
    ray.init(
        "local",
        num_cpus=2,
        include_dashboard=False,
        log_to_driver=False,
        runtime_env={
            "env_vars": {"PYTHONPATH": folders, "OMP_NUM_THREADS": "1", "NOTED": str(noted)},
            "worker_process_setup_hook": "tests.cluster.deadly.watch_for_marks",
        },
    )
    yield noted
    ray.shutdown()


@pytest.mark.parametrize("step", STEPS)
def test_two_workers_give_what_one_process_gives_even_if_one_is_killed(
    step, make_steps, parts_of, deadly_workers, caplog
):
    caplog.set_level(logging.INFO)
    for noted in deadly_workers.iterdir():
        noted.unlink()
    parts_of(4)
    run = make_steps("ONCE")[step]

    given = run(TWO)

    assert_equal(given, run(IN_THIS_PROCESS))
    assert "1 repeated, as their workers died" in caplog.text


@pytest.mark.parametrize("step", STEPS)
def test_a_post_that_kills_its_worker_has_a_problem_and_the_others_are_whole(
    step, make_steps, parts_of, caplog
):
    parts_of(1)
    run = make_steps("KILL")[step]
    whole = run(IN_THIS_PROCESS)

    given = run(TWO)

    others = [number for number in range(POSTS) if number != ODD]
    if step == "reading":
        posts = given[0]
        assert_equal(posts.drop(index=ODD), whole[0].drop(index=ODD))
        assert posts.loc[ODD, ["text", "encoding", "problems"]].tolist() == ["", "", "text_deadly"]
        assert_equal(given[1], whole[1])
    elif step == "preparing":
        assert_equal(given.take(others), whole.take(others))
        assert given["image"][ODD].as_py() is None
        assert given["problems"][ODD].as_py() == "image_deadly"
    elif step == "encoding":
        name = given.column_names[-1]
        assert_equal(given.take(others), whole.take(others))
        assert np.isnan(vectors(given, name)[ODD]).all()
        assert f"Post {ODD}: its text counts as missing" in caplog.text
    else:
        assert_equal(given.drop(index=ODD), whole.drop(index=ODD))
        assert given.loc[ODD, "problems"] == "prediction_deadly"
        assert given.loc[ODD, "decided_by"] == "neither"

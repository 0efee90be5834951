"""The steps that workers share: the same results as in one process, whatever worker dies."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multimodal_sentiment.cluster import map_parts
from multimodal_sentiment.cluster import parts as by_workers
from multimodal_sentiment.decoding import by_workers as decoding_by_workers
from multimodal_sentiment.parameters import IN_THIS_PROCESS
from multimodal_sentiment.pipelines.preparation import examples as preparation

from .conftest import TWO
from .deadly import die_of_odd
from .equality import ODD, POSTS, STEPS, assert_equal, vectors

pytestmark = pytest.mark.usefixtures("two_workers")


@pytest.fixture
def kill_workers(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path | None], None]:
    """Have workers die of the odd post, once if there is a file to note it in."""

    def kill(noted: Path | None) -> None:
        def map_deadly(function: Any, parts: Any, cluster: Any, *others: Any) -> Any:
            if cluster.workers:
                function = partial(die_of_odd, function, noted)
            return map_parts(function, parts, cluster, *others)

        for module in (decoding_by_workers, by_workers, preparation):
            monkeypatch.setattr(module, "map_parts", map_deadly)

    return kill


@pytest.mark.parametrize("step", STEPS)
def test_two_workers_give_what_one_process_gives_even_if_one_is_killed(
    step, steps, parts_of, kill_workers, tmp_path, caplog
):
    caplog.set_level(logging.INFO)
    parts_of(4)
    kill_workers(tmp_path / "noted")

    given = steps[step](TWO)

    assert_equal(given, steps[step](IN_THIS_PROCESS))
    assert "1 repeated, as their workers died" in caplog.text


def test_no_posts_get_no_answers(steps):
    assert len(steps["predicting none"](TWO)) == 0


def test_workers_take_the_images_that_an_earlier_run_has_decoded(steps, parts_of, caplog):
    caplog.set_level(logging.INFO)
    parts_of(4)

    given = steps["preparing again"](TWO)

    assert f"of which an earlier run has decoded {POSTS}" in caplog.text
    assert_equal(given, steps["preparing"](IN_THIS_PROCESS))


# Each worker that dies in these steps takes seconds to import torch again.
@pytest.mark.parametrize(
    "step", [pytest.param(step, marks=[pytest.mark.slow] * (step == "encoding")) for step in STEPS]
)
def test_a_post_that_kills_its_worker_has_a_problem_and_the_others_are_whole(
    step, steps, parts_of, kill_workers, caplog
):
    parts_of(1)
    kill_workers(None)
    whole = steps[step](IN_THIS_PROCESS)

    given = steps[step](TWO)

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

"""The steps that workers share: the same results as in one process, whatever worker dies."""

from __future__ import annotations

import io
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import ray
import torch
from PIL import Image

from multimodal_sentiment.cluster import IN_THIS_PROCESS, ClusterParameters
from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.datasets.post_source import PostFilesDataset
from multimodal_sentiment.decoding import by_workers as decoding_by_workers
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import by_workers, encode_examples, explain_examples
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import IngestionParameters, PreparationParameters
from multimodal_sentiment.pipelines.ingestion import nodes as ingestion
from multimodal_sentiment.pipelines.preparation import examples as preparation

from ..commands import PROJECT
from ..tiny_encoders import save_bert

TWO = ClusterParameters(workers=2, cpus_per_worker=1, gpus_per_worker=0)
INGESTION = IngestionParameters(
    layout=None, labels=["bad", "good"], encodings=None, links="inside", allow_missing=True
)
PREPARATION = PreparationParameters(
    short_side=16, max_aspect_ratio=3, max_megapixels=10, storage="pixels"
)
ODD = 4  # the post that workers die of
TEXTS = [
    b"a fine day",
    "überall Schnee, schön".encode("cp1252"),
    "今天天气很好".encode("gb18030"),
    "今天天气很好".encode("gb18030"),
    b"{mark} is what it says",
    b"",
    "señor, qué día".encode(),
    "明天也是".encode("gb18030"),
    "другой язык".encode("cp1251"),
]


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


@pytest.fixture
def parts_of(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    def divide_by(size: int) -> None:
        for module, name in (
            (ingestion, "_PART"),
            (decoding_by_workers, "_PART"),
            (by_workers, "_PART"),
            (preparation, "_PART_POSTS"),
        ):
            monkeypatch.setattr(module, name, size)

    return divide_by


@pytest.fixture
def make_steps(tmp_path: Path, tiny: Any) -> Callable[[str], dict[str, Callable[..., Any]]]:
    """The four steps, of posts of which one holds a mark: functions of the cluster."""

    def make(mark: str) -> dict[str, Callable[..., Any]]:
        folder = tmp_path / "data"
        folder.mkdir()
        rng = np.random.default_rng(0)
        for number, text in enumerate(TEXTS):
            (folder / f"{number}.txt").write_bytes(text.replace(b"{mark}", mark.encode()))
            buffer = io.BytesIO()
            pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(buffer, "JPEG")
            ending = mark.encode() if number == ODD else b""
            (folder / f"{number}.jpg").write_bytes(buffer.getvalue() + ending)
        tags = [["bad", "good"][number % 2] for number in range(len(TEXTS))]
        listing = pd.DataFrame({"guid": [*map(str, range(len(TEXTS)))], "tag": tags})
        (tmp_path / "train.txt").write_text(listing.to_csv(index=False))
        files = PostFilesDataset(path=str(tmp_path)).load()
        posts = ingestion.read_labelled_posts(listing, files, INGESTION)[0]
        stored = ArrowStreamDataset(filepath=str(tmp_path / "examples.arrow"))
        stored.save(preparation.stream_examples(posts, files, PREPARATION))
        examples = stored.load()
        save_bert(tmp_path / "bert")
        bert = {"model__text__encoder": str(tmp_path / "bert"), "training__learning_rate__text": 0}
        frozen = tiny(**bert, model__text__max_tokens=24)
        store = EncoderStore(tmp_path / "encoders", tmp_path)
        torch.manual_seed(0)
        fused = tiny(model__fusion__kind="concat")
        model, tokenizer = build_model(fused.model, ["bad", "good"], posts["text"].tolist(), {})
        classifier = SentimentClassifier(model, tokenizer, {})
        text_alone = frozen.model.model_copy(update={"modality": "text"})
        return {
            "reading": lambda cluster: ingestion.read_labelled_posts(
                listing, files, INGESTION, cluster=cluster
            ),
            "preparing": lambda cluster: preparation.stream_examples(
                posts, files, PREPARATION, cluster
            ).read_all(),
            "encoding": lambda cluster: encode_examples(
                examples,
                [(text_alone, frozen.training)],
                store,
                frozen.compute,
                cluster=cluster,
            ),
            "predicting": lambda cluster: explain_examples(
                classifier, examples, np.arange(len(TEXTS)), fused.compute, cluster=cluster
            ),
        }

    return make


STEPS = ["reading", "preparing", "encoding", "predicting"]


def assert_equal(given: Any, expected: Any) -> None:
    if isinstance(expected, pa.Table):
        assert given.column_names == expected.column_names
        for name in expected.column_names:
            if pa.types.is_fixed_size_list(expected[name].type):
                np.testing.assert_allclose(vectors(given, name), vectors(expected, name), atol=1e-5)
            else:
                assert given[name].equals(expected[name]), name
    elif isinstance(expected, pd.DataFrame):
        pd.testing.assert_frame_equal(given, expected, atol=1e-5)
    elif isinstance(expected, tuple):
        for one, other in zip(given, expected, strict=True):
            assert_equal(one, other)
    else:
        assert given == expected


def vectors(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), dtype=np.float32)


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

    others = [number for number in range(len(TEXTS)) if number != ODD]
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

"""The steps that workers share, of a few posts."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from multimodal_sentiment.cluster import open_cluster
from multimodal_sentiment.cluster import parts as by_workers
from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.datasets.post_source import PostFilesDataset
from multimodal_sentiment.decoding import by_workers as decoding_by_workers
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import (
    ClusterParameters,
    IngestionParameters,
    PreparationParameters,
)
from multimodal_sentiment.pipelines.ingestion import nodes as ingestion
from multimodal_sentiment.pipelines.preparation import examples as preparation
from multimodal_sentiment.predicting import encode_examples, predict_examples

from ..tiny_encoders import save_bert
from .equality import POSTS

INGESTION = IngestionParameters(
    layout=None, labels=["bad", "good"], encodings=None, links="inside", allow_missing=True
)
PREPARATION = PreparationParameters(
    short_side=16, max_aspect_ratio=3, max_megapixels=10, storage="pixels"
)
TEXTS = [
    b"a fine day",
    "überall Schnee, schön".encode("cp1252"),
    "今天天气很好".encode("gb18030"),
    "今天天气很好".encode("gb18030"),
    b"an odd one",
    b"",
    "señor, qué día".encode(),
    "明天也是".encode("gb18030"),
    "другой язык".encode("cp1251"),
]

TWO = ClusterParameters(workers=2, cpus_per_worker=1, gpus_per_worker=0)


@pytest.fixture(scope="module")
def two_workers() -> Iterator[None]:
    """A cluster of two workers."""
    with open_cluster(TWO):
        yield


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
def steps(tmp_path: Path, tiny: Any) -> dict[str, Callable[..., Any]]:
    """The four steps, and variants of two of them: functions of the cluster."""
    folder = tmp_path / "data"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number, text in enumerate(TEXTS):
        (folder / f"{number}.txt").write_bytes(text)
        buffer = io.BytesIO()
        pixels = rng.integers(0, 256, (20, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(buffer, "JPEG")
        (folder / f"{number}.jpg").write_bytes(buffer.getvalue())
    tags = [["bad", "good"][number % 2] for number in range(POSTS)]
    listing = pd.DataFrame({"guid": [*map(str, range(POSTS))], "tag": tags})
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
        "preparing again": lambda cluster: preparation.stream_examples(
            posts, files, PREPARATION, cluster, examples
        ).read_all(),
        "encoding": lambda cluster: encode_examples(
            examples,
            [(text_alone, frozen.training)],
            store,
            frozen.compute,
            cluster=cluster,
        ),
        "predicting": lambda cluster: predict_examples(
            classifier, examples, np.arange(POSTS), fused.compute, cluster=cluster
        ),
        "predicting none": lambda cluster: predict_examples(
            classifier, examples, np.arange(0), fused.compute, cluster=cluster
        ),
    }

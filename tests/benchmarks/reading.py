"""From files to batches: ingestion, preparation, input."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lab_way
import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from figures import Figure, in_turn
from PIL import Image
from project import load_parameters
from transformers import BertConfig, BertModel, BertTokenizerFast

from multimodal_sentiment.batches import PostDataset, StoredImages, Variation, rows_of
from multimodal_sentiment.batches.augmentation import random_crops
from multimodal_sentiment.batches.sampler import LengthAwareSampler
from multimodal_sentiment.compute.memory import keep_freed_memory
from multimodal_sentiment.datasets import ArrowStreamDataset, PostFilesDataset, PostListingDataset
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.model import SentimentConfig
from multimodal_sentiment.model.image import central_square, normalise
from multimodal_sentiment.model.text import learn_tokenizer
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipelines.ingestion.nodes import read_labelled_posts
from multimodal_sentiment.pipelines.preparation.nodes import prepare_examples
from multimodal_sentiment.posts.imaging import JPEG_QUALITY
from multimodal_sentiment.sample import write_sample

EPOCHS = 5


class Workplace:
    """Generated posts, read and prepared, and an encoder with random weights."""

    def __init__(self, folder: Path, posts: int, batch: int | None, *, quick: bool) -> None:
        self.folder = folder
        self.batch = batch
        self.raw = folder / "raw"
        self.quick = quick
        write_sample(self.raw, labelled=posts, unlabelled=posts // 4, size="lab", workers=2)
        self.listing = PostListingDataset(path=str(self.raw), namespace="labelled").load()
        self.files = PostFilesDataset(path=str(self.raw)).load()
        # The lab's way would stop at posts without a whole image.
        self.rows = lab_way.whole_images(self.raw, self.posts)
        self.tokenizer = _filled_up(learn_tokenizer(self.posts["text"], 8000))

    @cached_property
    def parameters(self) -> Parameters:
        """Of conf/pretrained, with an encoder of random weights."""
        values = load_parameters("pretrained")
        values["model"]["text"]["encoder"] = str(self._encoder())
        image = values["model"]["image"]
        image["encoder"] = None
        image["scratch"]["architecture"] = "resnet50"
        if self.batch:
            values["training"]["batch_size"] = self.batch
        if self.quick:
            image |= {"scratch": {"architecture": "resnet18"}, "size": 64, "resize": 72}
        return Parameters.model_validate(values)

    @property
    def store(self) -> EncoderStore:
        """Where encoders are found: those in folders, here."""
        return EncoderStore(self.folder / "store", self.folder)

    @cached_property
    def text_config(self) -> BertConfig:
        small = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
        return BertConfig(**(small if self.quick else {}))

    @cached_property
    def posts(self) -> pd.DataFrame:
        """As the ingestion reads them."""
        return self.ingest()

    @cached_property
    def examples(self) -> pa.Table:
        """Of all posts, prepared."""
        return self.prepare()

    @cached_property
    def rows_here(self) -> np.ndarray:
        """Where the posts with a whole image stand among the examples."""
        return rows_of(self.rows["guid"], self.examples)

    def ingest(self) -> pd.DataFrame:
        return read_labelled_posts(self.listing, self.files, self._base.ingestion)[0]

    def prepare(self) -> pa.Table:
        stream = prepare_examples(self.posts, self.files, self._base.preparation)
        dataset = ArrowStreamDataset(filepath=str(self.folder / "examples.arrow"))
        dataset.save(stream)
        return dataset.load()

    def dataset(self, *, varied: bool) -> PostDataset:
        """The posts with a whole image, as our training reads them."""
        model = self.parameters.model
        image = {"size": model.image.size, "resize": model.image.resize}
        config = SentimentConfig(image_config=image, max_tokens=model.text.max_tokens)
        return PostDataset(
            SimpleNamespace(config=config, tokenizer=self.tokenizer, term_indices=None),
            self.rows["text"].tolist(),
            StoredImages(self.examples, self.rows_here),
            np.array([lab_way.LABELS.index(tag) for tag in self.rows["tag"]]),
            variation=Variation(self.parameters.training.seed, 0.0) if varied else None,
        )

    def lab_loader(self, *, training: bool) -> Any:
        image = self.parameters.model.image
        view = (
            lab_way.training_view(image.size)
            if training
            else lab_way.evaluation_view(image.resize, image.size)
        )
        posts = lab_way.Posts(self.raw, self.rows, view)
        return lab_way.loader_of(posts, self.tokenizer, shuffle=training)

    @cached_property
    def _base(self) -> Parameters:
        return Parameters.model_validate(load_parameters())

    def _encoder(self) -> Path:
        folder = self.folder / "encoder"
        BertModel(self.text_config, add_pooling_layer=False).save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        return folder


def _filled_up(tokenizer: Any) -> BertTokenizerFast:
    """With as many word pieces as BERT-base has; those that fill it up stand in no text."""
    vocabulary = tokenizer.get_vocab()
    missing = range(len(vocabulary), BertConfig().vocab_size)
    return BertTokenizerFast(vocab=vocabulary | {f"[unused{index}]": index for index in missing})


def measure_reading(work: Workplace, rounds: int) -> list[Figure]:
    posts = len(work.posts)
    ours, lab = in_turn(work.ingest, lambda: lab_way.read_rows(work.raw), rounds)
    prepared, decoded = in_turn(work.prepare, lambda: list(_lab_images(work)), rounds)
    return [
        Figure("ingestion", "posts/s", posts / ours, posts / lab),
        Figure(
            "preparation, once",
            "posts/s",
            posts / prepared,
            len(work.rows) / decoded,
            note="the lab's: one epoch's decoding",
        ),
    ]


def measure_input(work: Workplace, rounds: int) -> list[Figure]:
    """One core; what a step or a prediction is given, its normalised pictures included."""
    keep_freed_memory()  # as every training and prediction does
    count, threads = len(work.rows), torch.get_num_threads()
    prepared, _ = in_turn(work.prepare, lambda: None, rounds)
    torch.set_num_threads(1)
    try:
        training = in_turn(
            lambda: _our_input(work, training=True),
            lambda: list(work.lab_loader(training=True)),
            rounds,
        )
        evaluation = in_turn(
            lambda: _our_input(work, training=False),
            lambda: list(work.lab_loader(training=False)),
            rounds,
        )
    finally:
        torch.set_num_threads(threads)
    ours, jpeg = _likeness(work)
    return [
        Figure("input, training", "posts/s/core", count / training[0], count / training[1]),
        Figure("input, evaluation", "posts/s/core", count / evaluation[0], count / evaluation[1]),
        Figure(
            f"preparation and {EPOCHS} epochs of input",
            "s",
            prepared + EPOCHS * training[0],
            EPOCHS * training[1],
            more_is_better=False,
        ),
        Figure(
            "evaluation input against the reference",
            "dB",
            ours,
            jpeg,
            note=f"PSNR; beside it, that of a JPEG of quality {JPEG_QUALITY}",
        ),
    ]


def _lab_images(work: Workplace) -> Any:
    view = lab_way.training_view(work.parameters.model.image.size)
    for post in lab_way.Posts(work.raw, work.rows, view):
        yield post[1].shape


def _our_input(work: Workplace, *, training: bool) -> None:
    posts, size = work.dataset(varied=training), work.parameters.model.image.size
    batch = work.parameters.training.batch_size
    order = list(LengthAwareSampler(posts.token_counts, batch, 0))
    for start in range(0, len(order), batch):
        pixels = posts.__getitems__(order[start : start + batch])["pixels"]
        if training:
            pixels = random_crops(pixels, size, work.parameters.training.min_crop_scale)
        normalise(pixels, [0.47] * 3, [0.23] * 3)


def _likeness(work: Workplace) -> tuple[float, float]:
    """Median PSNR of the evaluation input, and of what saving it as a JPEG would leave of it."""
    image = work.parameters.model.image
    view = lab_way.evaluation_view(image.resize, image.size)
    resize_and_cut = type(view)(view.transforms[:2])
    pictures = StoredImages(work.examples, work.rows_here)
    ours, jpeg = [], []
    for index, guid in enumerate(work.rows["guid"]):
        stored = pictures[index]
        if stored is None:
            continue
        reference = resize_and_cut(Image.open(work.raw / "data" / f"{guid}.jpg").convert("RGB"))
        path = work.folder / "likeness.jpg"
        reference.save(path, quality=JPEG_QUALITY)
        truth = np.asarray(reference, np.float64)
        ours.append(_psnr(truth, central_square(stored, image.resize, image.size)))
        jpeg.append(_psnr(truth, np.asarray(Image.open(path))))
    return float(np.median(ours)), float(np.median(jpeg))


def _psnr(truth: np.ndarray, other: np.ndarray) -> float:
    error = float(np.mean((truth - other) ** 2))
    return 10 * np.log10(255**2 / max(error, 1e-4))

"""What the device does: steps and epochs of a training, predictions."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from itertools import islice
from pathlib import Path

import lab_way
import numpy as np
import pyarrow as pa
import torch
from figures import Figure, in_turn, seconds
from reading import Workplace

from multimodal_sentiment.batches import Batch, LabelledPosts
from multimodal_sentiment.batches.augmentation import random_crops
from multimodal_sentiment.batches.sampler import LengthAwareSampler
from multimodal_sentiment.compute.compile import compiled
from multimodal_sentiment.compute.device import Device, choose_device
from multimodal_sentiment.encoders import find_encoder
from multimodal_sentiment.learning import fit_classifier
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import ComputeParameters
from multimodal_sentiment.predicting.predict import posts_of, predict_logits

STEPS = {"cpu": 2, "cuda": 20}  # of the lab's in a round, since they are short
OUR_STEPS = {"cpu": 1, "cuda": 20}  # a GPU is asked for the next one while it is at the last
TOKENS = 48  # of a long text


def measure_computing(work: Workplace, kind: str, rounds: int, *, compiling: bool) -> list[Figure]:
    """Compiled, as a training of the lab's size is; the step as it is written, besides."""
    compute = work.parameters.compute.model_copy(update={"device": kind, "compile": compiling})
    device = choose_device(compute)
    image = work.parameters.model.image
    lab = lab_way.Model(work.text_config, image.scratch.architecture, 512).to(kind)
    classifier = make_classifier(work)
    batch = make_batch(work, device)
    step, lab_steps = our_steps(work, classifier, device, batch), _lab_steps(work, lab, device)
    long = our_steps(work, classifier, device, _with_long_texts(batch))
    plain, took = in_turn(step, lab_steps, rounds), 0.0
    fast = plain
    with compiled(classifier.model, kind) if compute.compile else nullcontext():
        if compute.compile:
            took = seconds(step)
            fast = in_turn(step, lab_steps, rounds)
        long_texts = statistics.median(seconds(long) for _ in range(rounds))
    epoch, rest = _our_epoch(work, compute)
    lab_epoch = _lab_epoch(work, lab, device)
    ours = OUR_STEPS[kind] * work.parameters.training.batch_size
    theirs = STEPS[kind] * lab_way.BATCH
    speed, precision = "posts/s", str(device)

    def row(what: str, ours: float, lab: float | None = None, unit: str = speed) -> Figure:
        return Figure(what, unit, ours, lab, device=kind, note=precision if lab else "")

    return [
        row("training step, not compiled", ours / plain[0], theirs / plain[1]),
        row("training step", ours / fast[0], theirs / fast[1]),
        row(f"  with texts of {TOKENS} tokens", ours / long_texts),
        row("training epoch, its input included", epoch, lab_epoch),
        row("  its share of the bare step", epoch / (ours / fast[0]), unit=""),
        row("  compiling, once a training", took, unit="s"),
        row("  all else: set-up, compiling anew, tuning, refit, checkpoints", rest, unit="s"),
    ]


def measure_prediction(work: Workplace, kind: str, rounds: int) -> list[Figure]:
    """Of all posts, their input included; not compiled, which only a large set is worth."""
    compute = work.parameters.compute.model_copy(update={"device": kind})
    image = work.parameters.model.image
    lab = lab_way.Model(work.text_config, image.scratch.architecture, 512).to(kind)
    classifier, loader = make_classifier(work), work.lab_loader(training=False)
    ours, theirs = in_turn(
        lambda: predict_posts(work, classifier, compute),
        lambda: lab_way.predict(lab, loader, kind),
        rounds,
    )
    count, precision = len(work.rows), str(choose_device(compute))
    return [
        Figure("prediction", "posts/s", count / ours, count / theirs, device=kind, note=precision)
    ]


def make_classifier(work: Workplace) -> SentimentClassifier:
    parameters = work.parameters.model
    encoders = {"text": find_encoder(work.store, "text", str(parameters.text.encoder))}
    model, tokenizer = build_model(parameters, lab_way.LABELS, [], encoders)
    return SentimentClassifier(model, tokenizer, {})


def predict_posts(
    work: Workplace, classifier: SentimentClassifier, compute: ComputeParameters
) -> np.ndarray:
    """Predict all posts, their input included, as the lab's way does."""
    posts = posts_of(classifier, work.examples, work.rows_here)
    return predict_logits(classifier, posts, compute)


def make_batch(work: Workplace, device: Device) -> Batch:
    """Of posts, on the device."""
    size = work.parameters.training.batch_size
    posts = work.dataset(varied=True)
    order = list(LengthAwareSampler(posts.token_counts, size, 0))
    return device.to_device(posts.__getitems__(order[:size]))


def _with_long_texts(batch: Batch) -> Batch:
    words = torch.randint_like(batch["input_ids"][:, :1].expand(-1, TOKENS), 5, 100)
    return batch | {"input_ids": words, "attention_mask": torch.ones_like(words)}


def our_steps(
    work: Workplace, classifier: SentimentClassifier, device: Device, batch: Batch
) -> Callable[[], None]:
    """Steps on a batch that is there already, its random views included."""
    training = work.parameters.training
    model = device.prepare_model(classifier.model)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)

    def step() -> None:
        model.train()
        views = random_crops(
            batch["pixels"], work.parameters.model.image.size, training.min_crop_scale
        )
        with device.autocast():
            loss = model(**batch | {"pixels": views}).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), training.max_gradient_norm)
        optimizer.step()
        optimizer.zero_grad()

    def steps() -> None:
        for _ in range(OUR_STEPS[device.kind]):
            step()
        device.wait()

    steps()
    return steps


def _lab_steps(work: Workplace, model: lab_way.Model, device: Device) -> Callable[[], None]:
    batches = list(islice(work.lab_loader(training=True), STEPS[device.kind]))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)

    def steps() -> None:
        lab_way.train(model, batches, device.kind, optimizer)
        device.wait()

    steps()
    return steps


def _our_epoch(work: Workplace, compute: ComputeParameters) -> tuple[float, float]:
    """Posts a second over an epoch's input and steps, and the seconds of all else in a training.

    The first of two epochs does what is done once, and does not count.
    """
    training = work.parameters.training.model_copy(update={"epochs": 2, "patience": 2})
    tags, rows = work.rows["tag"].to_numpy(), work.rows_here
    posts = LabelledPosts(work.examples, rows, tags, np.arange(len(rows)))
    with tempfile.TemporaryDirectory() as folder:
        histories = []
        taken = seconds(
            lambda: histories.append(
                fit_classifier(
                    posts,
                    {},
                    work.parameters.model,
                    training,
                    compute,
                    Path(folder),
                    work.store,
                    pa.table({}),  # no encoder is frozen
                )
            )
        )
    ((classifier, history),) = histories
    learnt = classifier.config.training["learning_posts"]
    speed = float(history["posts_per_second"].iloc[-1])
    return speed, taken - 2 * learnt / speed


def _lab_epoch(work: Workplace, model: lab_way.Model, device: Device) -> float:
    """Over half the posts: the lab's way takes long, and is as slow in every step."""
    batches = max(1, len(work.rows) // lab_way.BATCH // 2)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)

    def part() -> None:
        some = islice(work.lab_loader(training=True), batches)
        lab_way.train(model, some, device.kind, optimizer)
        device.wait()

    return batches * lab_way.BATCH / seconds(part)

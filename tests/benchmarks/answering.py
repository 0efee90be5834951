"""How fast a model answers, and how large it is: torch in fp32 and bf16, ONNX, ONNX in eight bits.

    python tests/benchmarks/answering.py MODEL POSTS

MODEL is a model's folder, POSTS a folder of texts and images. Whole posts are answered, files
decoded included, with as many threads as OMP_NUM_THREADS says.
"""

from __future__ import annotations

import logging
import os
import runpy
import sys
import time
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch

from multimodal_sentiment import load_classifier
from multimodal_sentiment.datasets.model_folder import find_model, load_model
from multimodal_sentiment.publishing.export import export_classifier

SIZES = (1, 16, 512)
SECONDS = 4.0


def main() -> None:
    logging.disable(logging.WARNING)
    model, posts = map(Path, sys.argv[1:3])
    texts, images = read(posts)
    labels = len(load_classifier(model).labels)
    print(f"{torch.get_num_threads()} threads of torch, {os.cpu_count()} cores")
    with TemporaryDirectory() as name:
        answers, sizes = {}, {}
        weights = find_model(model)[0] / "model.safetensors"
        for precision in ("fp32", "bf16"):
            classifier = load_classifier(model, "cpu", precision)
            answers[f"torch {precision}"] = ask(classifier, labels)
            sizes[f"torch {precision}"] = weights.stat().st_size
        for kind in ("ONNX", "ONNX int8"):
            folder = Path(name) / kind
            export_classifier(load_model(*find_model(model)), folder, int8="int8" in kind)
            page = runpy.run_path(str(folder / "answer.py"))
            answers[kind] = page["Answerer"](folder)
            sizes[kind] = (folder / "model.onnx").stat().st_size
        wanted = answers["torch fp32"](texts, images)
        best = np.sort(wanted, axis=1)
        print("| | MB | " + " | ".join(f"{n} posts" for n in SIZES) + " | equal | differ by |")
        for kind, answer in answers.items():
            speeds = [speed(answer, texts[:n], images[:n]) for n in SIZES]
            given = answer(texts, images)
            other = given.argmax(1) != wanted.argmax(1)
            gap = (best[other, -1] - best[other, -2]).max(initial=0)
            print(
                f"| {kind} | {sizes[kind] / 1e6:.0f} | "
                + " | ".join(f"{value:.1f}/s" for value in speeds)
                + f" | {1 - other.mean():.1%} | {np.abs(given - wanted).max():.1g} |"
                + (f" labels differ where the two best were within {gap:.2g}" if gap else "")
            )


def read(folder: Path) -> tuple[list[str | None], list[bytes | None]]:
    """The texts and images of the most posts that are measured, repeated if there are fewer."""
    images = sorted(path for path in folder.iterdir() if path.suffix == ".jpg")
    posts = list(islice(cycle(images), max(SIZES)))
    texts = [path.with_suffix(".txt").read_text("utf-8", errors="replace") for path in posts]
    return list(texts), [path.read_bytes() for path in posts]


def ask(classifier, labels: int) -> Callable[..., np.ndarray]:
    return lambda *posts: classifier.predict(*posts).iloc[:, 2 : 2 + labels].to_numpy()


def speed(answer: Callable[..., np.ndarray], texts: list, images: list) -> float:
    """Posts a second, after one round to warm up."""
    answer(texts, images)
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < SECONDS or not done:
        answer(texts, images)
        done += len(texts)
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    main()

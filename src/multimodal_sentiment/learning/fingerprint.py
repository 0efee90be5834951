"""What the answers of a training rest on, in one word: equal words, equal answers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

import multimodal_sentiment
from multimodal_sentiment.parameters import ComputeParameters, ModelParameters, TrainingParameters

from .dataset import digest
from .device import choose_device
from .posts import TrainingPosts

_CODE = ("model", "learning", "posts", "assessment/calibration.py")
_LIBRARIES = (
    "torch",
    "torchvision",
    "transformers",
    "tokenizers",
    "accelerate",
    "numpy",
    "scipy",
    "pillow",
)


def surroundings_of(posts: TrainingPosts, compute: ComputeParameters) -> str:
    """The fingerprint of what many trainings share: posts, pixels, code, libraries, device."""
    return digest(
        [
            _digest_of_examples(posts.examples),
            *map(str, posts.rows.tolist()),
            *map(str, posts.tags.tolist()),
            *map(str, posts.groups.tolist()),
            digest_of_code(),
            str(choose_device(compute)),
        ]
    )


def fingerprint_trial(
    surroundings: str,
    judged: np.ndarray,
    model: ModelParameters,
    training: TrainingParameters,
    encoders: Mapping[str, Any],
) -> str:
    """The fingerprint of one training.

    Args:
        surroundings: What it shares with others.
        judged: Whether each post is one that it answers for; it learns from the others.
        model: The architecture.
        training: How it is fitted.
        encoders: What identifies the pretrained encoders that it starts from, by modality.
    """
    return digest(
        [
            surroundings,
            json.dumps(judged.tolist()),
            json.dumps(model.model_dump(), sort_keys=True),
            json.dumps(training.model_dump(exclude={"resume"}), sort_keys=True),
            json.dumps(encoders, sort_keys=True),
        ]
    )[:20]


def digest_of_code() -> str:
    """The SHA-256 of all code that answers rest on, the libraries' by their versions."""
    package = Path(multimodal_sentiment.__file__).parent
    sources = [
        source
        for name in _CODE
        for source in ([package / name] if name.endswith(".py") else (package / name).rglob("*.py"))
    ]
    return digest(
        [
            *(hashlib.sha256(source.read_bytes()).hexdigest() for source in sorted(sources)),
            *(f"{name} {version(name)}" for name in _LIBRARIES),
        ]
    )


def _digest_of_examples(examples: pa.Table) -> str:
    """The SHA-256 of texts and pixels, which may be more than fits into memory."""
    sink = _Hashing()
    seen = examples.select(["guid", "text", "image", "height", "width"])
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), seen.schema) as stream:
        stream.write_table(seen)
    return sink.hash.hexdigest()


class _Hashing:
    """A file that is not kept."""

    closed = False

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, content: Any) -> int:
        self.hash.update(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

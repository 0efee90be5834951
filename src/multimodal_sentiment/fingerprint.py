"""Fingerprints: hashes of everything that determines what is kept under them.

Checkpoints, finished trainings and the features of frozen encoders are used again where their
fingerprints are equal, and never where posts, images as stored, parameters, encoders, code,
libraries or device differ. Decoded images are used again where their files, the parameters of
preparation, and the code and libraries that decode are the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:  # what reads posts asks for fingerprints too, and has no need of torch
    from multimodal_sentiment.batches import LabelledPosts
    from multimodal_sentiment.compute.device import Device
    from multimodal_sentiment.parameters import (
        ModelParameters,
        PreparationParameters,
        TrainingParameters,
    )

_APART = {"scratch", "count_words"}  # which change nothing of a pretrained encoder's features
_WORDS = {"source", "licence"}  # about an encoder, the former as seen from the working directory
_CODE = (
    "model",
    "batches",
    "compute",
    "predicting",
    "learning",
    "posts",
    "assessment/calibration.py",
    "fingerprint.py",
)
LIBRARIES = (
    "torch",
    "torchvision",
    "transformers",
    "tokenizers",
    "timm",
    "accelerate",
    "numpy",
    "scipy",
    "scikit-learn",
    "pillow",
)

_CODE_OF_PICTURES = ("posts", "pipelines/preparation/examples.py")
_LIBRARIES_OF_PICTURES = ("pillow", "pillow-heif", "imagehash", "numpy", "scipy")


def digest(lines: Iterable[str]) -> str:
    """Return the SHA-256 of some lines, in hexadecimal."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def digest_texts(examples: pa.Table, rows: np.ndarray | None = None) -> list[str]:
    """Return the SHA-256 of the text of each row of a table of examples, or of some rows."""
    texts = examples["text"] if rows is None else examples["text"].take(pa.array(rows))
    return [digest([text]) for text in texts.to_pylist()]


def digest_images(examples: pa.Table, rows: np.ndarray | None = None) -> list[str]:
    """Return the SHA-256 of the image of each row as it is stored, "" where there is none.

    Images are hashed one by one, as all of them may be more than fits into memory.
    """
    storage = (examples.schema.metadata or {}).get(b"storage", b"")
    images, heights, widths = examples["image"], examples["height"], examples["width"]
    digests = []
    for row in range(len(examples)) if rows is None else rows.tolist():
        stored = images[row].as_buffer()
        content = hashlib.sha256(storage + f" {heights[row]} {widths[row]} ".encode())
        content.update(stored or b"")
        digests.append(content.hexdigest() if stored is not None else "")
    return digests


def digest_posts(posts: LabelledPosts, texts: Sequence[str], images: Sequence[str]) -> str:
    """Return the SHA-256 of labelled posts: texts, images, tags and groups, in their order.

    Args:
        posts: The posts.
        texts: The SHA-256 of each post's text, from `digest_texts`.
        images: The SHA-256 of each post's image as it is stored, from `digest_images`.
    """
    return digest(
        [
            *posts.guids,
            *texts,
            *images,
            *map(str, posts.tags.tolist()),
            *map(str, posts.groups.tolist()),
        ]
    )


def fingerprint_training(
    posts: str,
    learnt: np.ndarray,
    model: ModelParameters,
    training: TrainingParameters,
    encoders: Mapping[str, Mapping[str, Any]],
    device: Device,
    processes: int,
    encoded_on: str,
) -> str:
    """Return the fingerprint of one training.

    Args:
        posts: The digest of posts, from `digest_posts`.
        learnt: Boolean of shape (posts,): which of them the training learns from.
        model: The architecture.
        training: The training parameters; whether it goes on from a checkpoint does not count.
        encoders: The identity of each pretrained encoder that it starts from, by modality.
        device: The device that it runs on.
        processes: The number of processes that share it.
        encoded_on: The device that computed the features of frozen encoders, in words.
    """
    return digest(
        [
            posts,
            json.dumps(np.asarray(learnt, dtype=bool).tolist()),
            json.dumps(model.model_dump(), sort_keys=True),
            json.dumps(training.model_dump(exclude={"resume"}), sort_keys=True),
            *(
                f"{modality} {identify_anywhere(encoder)}"
                for modality, encoder in sorted(encoders.items())
            ),
            digest_code(),
            str(device),
            str(processes),
            encoded_on,
        ]
    )[:20]


def fingerprint_encoding(
    modality: str, model: ModelParameters, encoder: Mapping[str, Any], device: str
) -> str:
    """Return the fingerprint of the way in which a frozen encoder turns posts into features.

    Args:
        modality: `text` or `image`.
        model: The architecture, with how texts are cut and pooled, or how images are cut.
        encoder: The identity of the pretrained encoder.
        device: The device that it runs on, and its precision, in words.
    """
    return digest(
        [
            modality,
            json.dumps(getattr(model, modality).model_dump(exclude=_APART), sort_keys=True),
            identify_anywhere(encoder),
            digest_code(),
            device,
        ]
    )[:20]


def identify_anywhere(encoder: Mapping[str, Any]) -> str:
    """Return what of an encoder's identity is the same wherever it is found."""
    return json.dumps({name: encoder[name] for name in encoder.keys() - _WORDS}, sort_keys=True)


def fingerprint_pictures(preparation: PreparationParameters) -> str:
    """Return the fingerprint of the way from an image file to the image that is stored."""
    return digest(
        [
            json.dumps(preparation.model_dump(), sort_keys=True),
            *digest_sources(_CODE_OF_PICTURES),
            *(f"{name} {installed_version(name)}" for name in _LIBRARIES_OF_PICTURES),
        ]
    )[:20]


@cache
def digest_code() -> str:
    """Return the SHA-256 of all code that predictions rest on, the libraries' by their versions."""
    return digest([*digest_sources(), *(f"{name} {version(name)}" for name in LIBRARIES)])


def installed_version(name: str) -> str:
    """Return the version of an optional library, "" if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


@cache
def digest_sources(names: tuple[str, ...] = _CODE) -> tuple[str, ...]:
    """Return the SHA-256 of each source file of some parts of the package, as the process began.

    Raises:
        FileNotFoundError: If a part is not there (any more).
    """
    package = Path(__file__).parent
    sources: list[Path] = []
    for name in names:
        part = package / name
        found = [part] if part.is_file() else [*part.rglob("*.py")]
        if not found:
            raise FileNotFoundError(f"{part} has no source files")
        sources += found
    return tuple(hashlib.sha256(source.read_bytes()).hexdigest() for source in sorted(sources))

"""Posts as the model takes them: how a batch is made."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch.utils.data import Dataset

from multimodal_sentiment.model import SentimentClassifier, SentimentConfig
from multimodal_sentiment.model.image import Pixels, central_square, resample
from multimodal_sentiment.model.text import tokenize
from multimodal_sentiment.model.words import count_terms
from multimodal_sentiment.posts.imaging import unpack

FROM_DIFFERENT_RUNS = (
    "they come from different runs: run the whole pipeline again, or pin versions that belong "
    "together"
)

_SHAPING = ("short_side", "max_aspect_ratio")  # of what preparation does: it decides on the pixels

# Tensors, all but the masks `has_text` and `has_image`: these are NumPy arrays, which stay on the
# host whatever the batch is moved to, as it must know how many posts there are to encode.
Batch = dict[str, Any]
# Of each modality that is encoded already, of shape (posts, size), float32; NaN where missing.
Features = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Variation:
    """What differs from epoch to epoch in the posts that a training sees.

    Attributes:
        seed: The seed of everything random.
        modality_dropout: The probability with which the text, and independently the image, of a
            post that has both is hidden.
    """

    seed: int
    modality_dropout: float


class PostDataset(Dataset[Batch]):
    """Posts, read from their store when a batch asks for them.

    Index i means post i % n in epoch i // n, n being the number of posts. What is random about a
    batch depends on its indices and the seed alone, whichever process reads it.

    Args:
        classifier: The classifier whose model will take the batches.
        texts: The text of each post; an empty one counts as missing.
        images: The image of each post, uint8 RGB of shape (height, width, 3), or None.
        labels: The label index of each post; without them batches have none.
        features: The features of modalities that are encoded already; they replace texts and
            images.
        variation: The variation in training. Images are then squares of `resize` px cut at random,
            which the device crops and flips; without it they are the central squares of `size` px.
    """

    def __init__(
        self,
        classifier: SentimentClassifier,
        texts: Sequence[str],
        images: Sequence[Pixels | None],
        labels: np.ndarray | None = None,
        features: Features | None = None,
        variation: Variation | None = None,
    ) -> None:
        config, tokenizer = classifier.config, classifier.tokenizer
        self._config = config
        self._images = images
        self._labels = labels
        self._texts = texts
        self._terms = classifier.term_indices
        self._features = features or {}
        self._variation = variation
        self._has_text = np.array([bool(text.strip()) for text in texts], dtype=bool)
        self._tokens: list[list[int]] = []
        if config.uses_text and "text" not in self._features and tokenizer is not None:
            self._tokens = tokenize(tokenizer, texts, config.max_tokens)
            self._padding = tokenizer.pad_token_id

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([range(len(self))[index]])

    def __getitems__(self, indices: list[int]) -> Batch:
        """Return the posts of one batch, already collated."""
        rows = [index % len(self) for index in indices]
        rng = None
        if self._variation is not None:
            rng = np.random.default_rng([self._variation.seed, *indices])
        batch: Batch = {}
        present: dict[str, np.ndarray] = {}
        if self._config.uses_text:
            present["text"] = self._add_texts(batch, rows)
        if self._config.uses_image:
            present["image"] = self._add_images(batch, rows, rng)
        if rng is not None and self._variation is not None:
            present = _hide(present, self._variation.modality_dropout, rng)
        # A batch that lacks nothing carries no mask, and the model then need not look for gaps.
        batch |= {f"has_{name}": mask for name, mask in present.items() if not mask.all()}
        if self._labels is not None:
            batch["labels"] = torch.from_numpy(self._labels[rows])
        return batch

    @property
    def has_pixels(self) -> bool:
        """Whether batches hold images, which the model has still to encode."""
        return self._config.uses_image and "image" not in self._features

    @property
    def token_counts(self) -> np.ndarray:
        """The number of tokens of each text; zero throughout where texts are not read."""
        if not self._tokens:
            return np.zeros(len(self), dtype=np.int64)
        return np.array([len(tokens) for tokens in self._tokens])

    def _add_texts(self, batch: Batch, rows: list[int]) -> np.ndarray:
        if self._terms:
            counted = count_terms(self._terms, [self._texts[row] for row in rows])
            batch["term_ids"], batch["term_counts"] = map(torch.from_numpy, counted)
        if "text" in self._features:
            return _add_features(batch, "text", self._features["text"][rows])
        texts = [self._tokens[row] for row in rows]
        shape = len(texts), max(map(len, texts))
        ids = torch.full(shape, self._padding, dtype=torch.long)
        mask = torch.zeros(shape, dtype=torch.long)
        for place, tokens in enumerate(texts):
            ids[place, : len(tokens)] = torch.tensor(tokens)
            mask[place, : len(tokens)] = 1
        batch |= {"input_ids": ids, "attention_mask": mask}
        return self._has_text[rows]

    def _add_images(
        self, batch: Batch, rows: list[int], rng: np.random.Generator | None
    ) -> np.ndarray:
        if "image" in self._features:
            return _add_features(batch, "image", self._features["image"][rows])
        resize, size = self._config.image_config["resize"], self._config.image_config["size"]
        how = self._config.image_config.get("interpolation", "bilinear")
        side = size if rng is None else resize
        offsets = None if rng is None else rng.random(len(rows))
        pixels = np.zeros((len(rows), side, side, 3), dtype=np.uint8)
        present = np.zeros(len(rows), dtype=bool)
        for place, row in enumerate(rows):
            image = self._images[row]
            if image is None:
                continue
            present[place] = True
            if offsets is None:
                pixels[place] = central_square(image, resize, size, how)
            else:
                pixels[place] = _square_at(image, side, offsets[place], how)
        batch["pixels"] = torch.from_numpy(pixels)
        return present


class StoredImages(Sequence[Pixels | None]):
    """The images of some rows of a table of examples, decoded when they are used.

    Args:
        examples: The table; see the preparation pipeline.
        rows: The rows, in the order of the images.
    """

    def __init__(self, examples: pa.Table, rows: np.ndarray) -> None:
        self._rows = rows
        self._stored = examples["image"]
        self._heights = examples["height"].to_numpy()
        self._widths = examples["width"].to_numpy()
        self._storage = (examples.schema.metadata or {})[b"storage"].decode()

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Any:
        """Return one image, uint8 RGB of shape (height, width, 3); None where there is none."""
        row = int(self._rows[index])
        stored = self._stored[row].as_buffer()
        if stored is None:
            return None
        return unpack(stored, self._storage, int(self._heights[row]), int(self._widths[row]))


def rows_of(guids: pd.Series, examples: pa.Table) -> np.ndarray:
    """Return the row of each guid in a table of examples.

    Raises:
        ValueError: If one is not there.
    """
    rows = pd.Index(examples["guid"].to_pandas()).get_indexer(pd.Index(guids))
    if (rows < 0).any():
        lost = guids[rows < 0]
        raise ValueError(
            f"{len(lost)} posts are not among the examples, {lost.iloc[0]} first: "
            f"{FROM_DIFFERENT_RUNS}"
        )
    return rows


def preparation_of(examples: pa.Table) -> dict[str, Any]:
    """Return the preparation parameters that the table records; empty if it records none."""
    said: dict[str, Any] = json.loads((examples.schema.metadata or {}).get(b"pictures", b"{}"))
    return said


def prepared_otherwise(config: SentimentConfig, examples: pa.Table) -> dict[str, Any]:
    """Return how pictures were prepared for a model, as far as those of a table were otherwise.

    Empty where a model looks at none, or does not say it.
    """
    learnt, given = config.training.get("pictures") or {}, preparation_of(examples)
    if not config.uses_image:
        return {}
    return {
        name: learnt[name]
        for name in _SHAPING
        if name in learnt and learnt[name] != given.get(name)
    }


def _add_features(batch: Batch, name: str, features: np.ndarray) -> np.ndarray:
    present: np.ndarray = ~np.isnan(features[:, 0])
    known = np.where(present[:, None], features, np.float32(0))
    batch.setdefault("features", {})[name] = torch.from_numpy(known)
    return present


def _hide(
    present: dict[str, np.ndarray], probability: float, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    if len(present) == 1 or not probability:
        return present
    complete = np.logical_and(*present.values())
    return {
        name: mask & ~(complete & (rng.random(len(mask)) < probability))
        for name, mask in present.items()
    }


def _square_at(image: Pixels, size: int, share: float, how: str) -> Pixels:
    """Return the square of an image's short side that leaves this share of the rest before it."""
    height, width = image.shape[:2]
    side = min(height, width)
    offset = share * (max(height, width) - side)
    left, top = (offset, 0.0) if width > height else (0.0, offset)
    return resample(image, (left, top, side), size, how)

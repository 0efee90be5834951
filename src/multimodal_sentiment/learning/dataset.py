"""Posts as the model takes them, a batch at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase

from multimodal_sentiment.model import SentimentConfig
from multimodal_sentiment.model.image import Pixels, central_square, resample
from multimodal_sentiment.model.text import tokenize
from multimodal_sentiment.posts.imaging import unpack

Batch = dict[str, torch.Tensor]
# Of each frozen modality, of shape (posts, size), float32; a row of NaN is a post that lacks it.
Features = Mapping[str, np.ndarray]


class PostDataset(Dataset[Batch]):
    """Posts, read from their store when a batch asks for them.

    In a batch, an index beyond the last post counts on from the first one: the same post, in a
    later epoch of its training. What is random about a batch depends on its indices and the seed
    alone, whichever process reads it.

    Args:
        config: Of the model that will take the batches.
        tokenizer: Of the model's text encoder; not needed by a model of images.
        texts: One a post; an empty one counts as missing.
        pictures: One a post, uint8 RGB of shape (height, width, 3), or none.
        labels: One a post; without them batches carry none.
        crop_seed: Of the random squares of `resize` px that training sees of pictures, and that the
            device cuts and flips at random. Without one it is the central square of `size` px.
    """

    def __init__(
        self,
        config: SentimentConfig,
        tokenizer: PreTrainedTokenizerBase | None,
        texts: Sequence[str],
        pictures: Sequence[Pixels | None],
        labels: np.ndarray | None = None,
        *,
        crop_seed: int | None = None,
    ) -> None:
        self._config = config
        self._pictures = pictures
        self._labels = labels
        self._view_seed = crop_seed
        self._has_text = np.array([bool(text.strip()) for text in texts], dtype=bool)
        self._tokens: list[list[int]] = []
        if config.uses_text and tokenizer is not None:
            self._tokens = tokenize(tokenizer, texts, config.max_tokens)
            self._padding = tokenizer.pad_token_id
        self._length = len(texts)

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([range(len(self))[index]])

    def __getitems__(self, indices: list[int]) -> Batch:
        """The posts of one batch, already collated."""
        rows = [index % len(self) for index in indices]
        batch: Batch = {}
        if self._config.uses_text:
            batch.update(self._texts(rows))
        if self._config.uses_image:
            batch.update(self._images(rows, indices))
        if self._labels is not None:
            batch["labels"] = torch.from_numpy(self._labels[rows])
        return batch

    @property
    def token_counts(self) -> np.ndarray:
        """The number of tokens of each text; zero throughout for a model of images."""
        if not self._tokens:
            return np.zeros(len(self), dtype=np.int64)
        return np.array([len(tokens) for tokens in self._tokens])

    def _texts(self, rows: list[int]) -> Batch:
        texts = [self._tokens[row] for row in rows]
        shape = len(texts), max(map(len, texts))
        ids = torch.full(shape, self._padding, dtype=torch.long)
        mask = torch.zeros(shape, dtype=torch.long)
        for place, tokens in enumerate(texts):
            ids[place, : len(tokens)] = torch.tensor(tokens)
            mask[place, : len(tokens)] = 1
        return {"input_ids": ids, "attention_mask": mask} | _presence(
            "has_text", self._has_text[rows]
        )

    def _images(self, rows: list[int], indices: list[int]) -> Batch:
        resize, size = self._config.image_config["resize"], self._config.image_config["size"]
        how = self._config.image_config.get("interpolation", "bilinear")
        side, offsets = size, None
        if self._view_seed is not None:
            side = resize
            offsets = np.random.default_rng([self._view_seed, *indices]).random(len(indices))
        pixels = np.zeros((len(rows), side, side, 3), dtype=np.uint8)
        present = np.zeros(len(rows), dtype=bool)
        for place, row in enumerate(rows):
            picture = self._pictures[row]
            if picture is None:
                continue
            present[place] = True
            if offsets is None:
                pixels[place] = central_square(picture, resize, size, how)
            else:
                pixels[place] = _square_at(picture, side, offsets[place], how)
        return {"pixels": torch.from_numpy(pixels)} | _presence("has_image", present)


class FeatureDataset(Dataset[Batch]):
    """Posts, with computed features where an encoder is frozen.

    Its indices mean what those of a `PostDataset` mean.

    Args:
        features: Of the frozen modalities.
        labels: One a post.
        rest: The same posts, for the modality that is still encoded, if there is one.
    """

    def __init__(self, features: Features, labels: np.ndarray, rest: PostDataset | None) -> None:
        self._features = features
        self._labels = labels
        self._rest = rest

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> Batch:
        return self.__getitems__([range(len(self))[index]])

    def __getitems__(self, indices: list[int]) -> Batch:
        """The posts of one batch, already collated."""
        batch = {} if self._rest is None else self._rest.__getitems__(indices)
        rows = [index % len(self) for index in indices]
        for name, values in self._features.items():
            features = np.asarray(values[rows])
            batch[f"{name}_features"] = torch.from_numpy(features)
            batch |= _presence(f"has_{name}", ~np.isnan(features[:, 0]))
        batch["labels"] = torch.from_numpy(self._labels[rows])
        return batch

    @property
    def token_counts(self) -> np.ndarray:
        """The number of tokens of each text; zero throughout where texts are not read."""
        if self._rest is None:
            return np.zeros(len(self), dtype=np.int64)
        return self._rest.token_counts


class StoredImages(Sequence[Pixels | None]):
    """The pictures of some rows of a table of examples, decoded when asked for.

    Args:
        examples: The table; see the preparation pipeline.
        rows: Which rows, in which order.
    """

    def __init__(self, examples: pa.Table, rows: np.ndarray) -> None:
        self._rows = rows
        self._stored = examples["image"]
        self._heights = examples["height"].to_numpy()
        self._widths = examples["width"].to_numpy()
        self._storage = (examples.schema.metadata or {})[b"storage"].decode()

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> Pixels | None: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Pixels | None]: ...
    def __getitem__(self, index: int | slice) -> Pixels | Sequence[Pixels | None] | None:
        if isinstance(index, slice):
            return [self[position] for position in range(*index.indices(len(self)))]
        row = int(self._rows[index])
        stored = self._stored[row].as_buffer()
        if stored is None:
            return None
        return unpack(stored, self._storage, int(self._heights[row]), int(self._widths[row]))


def rows_of(guids: pd.Series, examples: pa.Table) -> np.ndarray:
    """Where the posts of these guids stand in a table of examples.

    Raises:
        ValueError: If one is not there.
    """
    rows = pd.Index(examples["guid"].to_pandas()).get_indexer(pd.Index(guids))
    if (rows < 0).any():
        lost = guids[rows < 0]
        raise ValueError(
            f"{len(lost)} posts are not among the examples, {lost.iloc[0]} first: they come from "
            "different runs: run the whole pipeline again, or pin versions that belong together"
        )
    return rows


def preparation_of(examples: pa.Table) -> dict[str, Any]:
    """How the pictures of a table of examples were prepared, by parameter, as far as it says."""
    said: dict[str, Any] = json.loads((examples.schema.metadata or {}).get(b"pictures", b"{}"))
    return said


def digest(lines: Iterable[str]) -> str:
    """The SHA-256 of some lines, in hexadecimal."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _presence(name: str, present: np.ndarray) -> Batch:
    # A batch that lacks nothing carries no mask, and the model then need not look for gaps.
    return {} if present.all() else {name: torch.from_numpy(present)}


def _square_at(picture: Pixels, size: int, share: float, how: str) -> Pixels:
    """The square of a picture's short side that so much of what it leaves out lies before."""
    height, width = picture.shape[:2]
    side = min(height, width)
    offset = share * (max(height, width) - side)
    left, top = (offset, 0.0) if width > height else (0.0, offset)
    return resample(picture, (left, top, side), size, how)

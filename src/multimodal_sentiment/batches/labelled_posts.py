"""Labelled posts to learn from, or to be judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.cluster import MappedTable
from multimodal_sentiment.model import SentimentClassifier

from .dataset import (
    FROM_DIFFERENT_RUNS,
    Features,
    PostDataset,
    StoredImages,
    Variation,
    rows_of,
)


@dataclass(frozen=True)
class LabelledPosts:
    """A part of a table of examples, with tags and groups.

    Attributes:
        examples: The table that holds them.
        rows: The rows of the posts in it.
        tags: The tag of each post.
        groups: The group of each post; near duplicates share one.
    """

    examples: pa.Table
    rows: np.ndarray
    tags: np.ndarray
    groups: np.ndarray

    @classmethod
    def select(
        cls, posts: pd.DataFrame, examples: pa.Table, duplicate_groups: pd.DataFrame
    ) -> LabelledPosts:
        """Return the posts of a frame with the columns `guid` and `tag`, in its order.

        Raises:
            ValueError: If one is not among the examples, or in no group.
        """
        rows = rows_of(posts["guid"], examples)
        groups = posts["guid"].map(duplicate_groups.set_index("guid")["group"])
        if groups.isna().any():
            raise ValueError(
                f"{groups.isna().sum()} posts are in no group of twins, "
                f"{posts['guid'][groups.isna()].iloc[0]} first: {FROM_DIFFERENT_RUNS}"
            )
        return cls(examples, rows, posts["tag"].to_numpy(), groups.to_numpy())

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process map the examples from where they lie."""
        return _unpack, (MappedTable(self.examples), self.rows, self.tags, self.groups)

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: np.ndarray) -> LabelledPosts:
        """Return some of the posts, by a mask or by positions."""
        return LabelledPosts(self.examples, self.rows[which], self.tags[which], self.groups[which])

    @property
    def guids(self) -> list[str]:
        """One a post."""
        guids: list[str] = self.examples["guid"].take(pa.array(self.rows)).to_pylist()
        return guids

    @property
    def texts(self) -> list[str]:
        """One a post."""
        texts: list[str] = self.examples["text"].take(pa.array(self.rows)).to_pylist()
        return texts

    def label_indices(self, labels: list[str]) -> np.ndarray:
        """Return the position of each post's tag among the labels, int64 of shape (posts,)."""
        positions = {label: index for index, label in enumerate(labels)}
        return np.array([positions[tag] for tag in self.tags], dtype=np.int64)

    def as_dataset(
        self,
        classifier: SentimentClassifier,
        features: Features | None = None,
        variation: Variation | None = None,
    ) -> PostDataset:
        """Return the posts as the classifier's model takes them.

        Args:
            classifier: The classifier.
            features: The features of modalities that are encoded already, a row for each post.
            variation: The changes that a training makes from epoch to epoch.
        """
        images = StoredImages(self.examples, self.rows)
        labels = self.label_indices(list(classifier.labels))
        return PostDataset(classifier, self.texts, images, labels, features, variation)


def _unpack(
    examples: MappedTable, rows: np.ndarray, tags: np.ndarray, groups: np.ndarray
) -> LabelledPosts:
    return LabelledPosts(examples.table, rows, tags, groups)

"""Labelled posts to learn from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.model import SentimentClassifier

from .data import PostDataset, StoredPictures, rows_of


@dataclass(frozen=True)
class TrainingPosts:
    """A part of a table of examples, with tags and groups.

    Attributes:
        examples: The table that holds them.
        rows: Which of its rows they are.
        tags: One a post.
        groups: One a post; twins share one.
    """

    examples: pa.Table
    rows: np.ndarray
    tags: np.ndarray
    groups: np.ndarray

    @classmethod
    def select(
        cls, posts: pd.DataFrame, examples: pa.Table, duplicate_groups: pd.DataFrame
    ) -> TrainingPosts:
        """The posts of a frame with the columns `guid` and `tag`, in its order."""
        groups = duplicate_groups.set_index("guid")["group"].loc[posts["guid"]]
        return cls(
            examples, rows_of(posts["guid"], examples), posts["tag"].to_numpy(), groups.to_numpy()
        )

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, which: np.ndarray) -> TrainingPosts:
        """Some of the posts, by a mask or by positions."""
        return TrainingPosts(self.examples, self.rows[which], self.tags[which], self.groups[which])

    @property
    def texts(self) -> list[str]:
        """One a post."""
        texts: list[str] = self.examples["text"].take(pa.array(self.rows)).to_pylist()
        return texts

    def as_dataset(self, classifier: SentimentClassifier, *, varied: bool) -> PostDataset:
        """The posts as the classifier's model takes them."""
        positions = {label: index for index, label in enumerate(classifier.labels)}
        return PostDataset(
            classifier.config,
            classifier.tokenizer,
            self.texts,
            StoredPictures(self.examples, self.rows),
            np.array([positions[tag] for tag in self.tags], dtype=np.int64),
            varied=varied,
        )

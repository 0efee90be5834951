"""Labelled posts to learn from."""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.model import SentimentClassifier

from .dataset import FeatureDataset, Features, PostDataset, StoredImages, rows_of


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
    def guids(self) -> list[str]:
        """One a post."""
        guids: list[str] = self.examples["guid"].take(pa.array(self.rows)).to_pylist()
        return guids

    @property
    def texts(self) -> list[str]:
        """One a post."""
        texts: list[str] = self.examples["text"].take(pa.array(self.rows)).to_pylist()
        return texts

    def as_dataset(
        self,
        classifier: SentimentClassifier,
        *,
        crop_seed: int | None = None,
        only: str | None = None,
    ) -> PostDataset:
        """The posts as the classifier's model takes them, or only one of its modalities."""
        config = copy(classifier.config)
        if only is not None:
            config.modality = cast(Any, only)
        return PostDataset(
            config,
            classifier.tokenizer,
            self.texts,
            StoredImages(self.examples, self.rows),
            self._labels(classifier),
            crop_seed=crop_seed,
        )

    def with_features(
        self,
        classifier: SentimentClassifier,
        features: Features,
        *,
        crop_seed: int | None = None,
    ) -> PostDataset | FeatureDataset:
        """The posts as a model takes them of whose encoders some are frozen.

        Args:
            classifier: The classifier.
            features: Of the frozen modalities, a row for each of these posts; maybe of none.
            crop_seed: Of the random squares that training sees of pictures still to be encoded.
        """
        if not features:
            return self.as_dataset(classifier, crop_seed=crop_seed)
        encoded = [name for name in classifier.model.branches if name not in features]
        rest = None
        if encoded:
            rest = self.as_dataset(classifier, crop_seed=crop_seed, only=encoded[0])
        return FeatureDataset(features, self._labels(classifier), rest)

    def _labels(self, classifier: SentimentClassifier) -> np.ndarray:
        positions = {label: index for index, label in enumerate(classifier.labels)}
        return np.array([positions[tag] for tag in self.tags], dtype=np.int64)

"""Encodes posts and fits a classifier to them, as the nodes do."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import torch

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import fit_classifier
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.predicting import encode_examples


def encode(posts: LabelledPosts, parameters: Parameters, folder: Path) -> pa.Table:
    """The features of posts under the encoders that are frozen."""
    variants = [(parameters.model, parameters.training)]
    store = EncoderStore(folder / "encoders", folder)
    return encode_examples(posts.examples, variants, store, parameters.compute)


def fit(
    posts: LabelledPosts, parameters: Parameters, folder: Path
) -> tuple[SentimentClassifier, pd.DataFrame]:
    """A classifier and its history; what an interrupted training goes on from is in the folder."""
    return fit_classifier(
        posts,
        {"weights": {}},
        parameters.model,
        parameters.training,
        parameters.compute,
        folder,
        EncoderStore(folder / "encoders", folder),
        encode(posts, parameters, folder),
        parameters.cluster,
    )


def same_weights(one: SentimentClassifier, other: SentimentClassifier) -> bool:
    """Whether two models are equal, to the bit."""
    states = [classifier.model.state_dict().values() for classifier in (one, other)]
    return all(torch.equal(a, b) for a, b in zip(*states, strict=True))

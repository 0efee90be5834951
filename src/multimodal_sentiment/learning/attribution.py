"""What a model's answers are owed to: its text or its image."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import torch
from torch import nn

from multimodal_sentiment.assessment import modality_contributions, softmax
from multimodal_sentiment.model import SentimentClassifier, SentimentModel
from multimodal_sentiment.parameters import ComputeParameters

from .predict import describe_answers, posts_of, predict_batches, predict_examples


def explain_examples(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    compute: ComputeParameters,
) -> pd.DataFrame:
    """What some rows of a table of examples are said to be, how surely, and which modality decided.

    The model is asked four times: with text and image, with either alone and with neither, the
    embeddings that it has learnt standing for what is left out. From these come the Shapley values
    of text and image for the probability of the answer (probability, as `confidence` is one: the
    values are shares of it, and add up to `confidence` less what the model gives the answer when
    it sees nothing). What a post has not has contributed exactly 0.

    Returns:
        As `predict_examples`; and for a model of text and image `decided_by` (`text`, `image`,
        `both` if equally, `neither`), `text_contribution` and `image_contribution`, -1 to 1.
    """
    if classifier.config.modality != "both" or not len(rows):
        return predict_examples(classifier, examples, rows, compute)
    posts, model = posts_of(classifier, examples, rows), classifier.model
    views = predict_batches(model, posts, compute, lambda batch: _ask_four_times(model, batch))
    chances = [
        softmax(views[:, view], classifier.config.calibration_temperature) for view in range(4)
    ]
    shares = modality_contributions(*chances)
    return describe_answers(classifier, examples, rows, views[:, 0]).assign(
        decided_by=shares["decided_by"],
        text_contribution=shares["text_value"],
        image_contribution=shares["image_value"],
    )


def _ask_four_times(model: SentimentModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Logits of shape (batch, 4, labels): with both, text alone, image alone, neither."""
    pixels = batch["pixels"]
    absent = torch.zeros(len(pixels), dtype=torch.bool)
    has_text, has_image = (
        batch.get(name, ~absent).to(pixels.device).unsqueeze(1)
        for name in ("has_text", "has_image")
    )
    with _encoding_once(model):
        both, text, image, neither = (
            model(**(batch | hidden)).logits
            for hidden in (
                {},
                {"has_image": absent},
                {"has_text": absent},
                {"has_text": absent, "has_image": absent},
            )
        )
    # To leave out what is not there changes nothing, not even a last digit.
    neither = torch.where(has_text | has_image, neither, both)
    text = torch.where(has_text, torch.where(has_image, text, both), neither)
    image = torch.where(has_image, torch.where(has_text, image, both), neither)
    return torch.stack([both, text, image, neither], dim=1)


@contextmanager
def _encoding_once(model: SentimentModel) -> Iterator[None]:
    """Let each encoder compute its features of a batch once, however often it is asked."""
    encoders = {name: branch.encoder for name, branch in model.branches.items()}
    for name, encoder in encoders.items():
        model.branches[name].encoder = _Remembering(encoder)
    try:
        yield
    finally:
        for name, encoder in encoders.items():
            model.branches[name].encoder = encoder


class _Remembering(nn.Module):
    """An encoder that is always asked about the same posts: those of a batch that it can see."""

    def __init__(self, encoder: nn.Module) -> None:
        super().__init__()
        self.encoder = encoder
        self.features: torch.Tensor | None = None

    def forward(self, *inputs: Any) -> torch.Tensor:
        """The features of the first call."""
        if self.features is None:
            self.features = self.encoder(*inputs)
        return self.features

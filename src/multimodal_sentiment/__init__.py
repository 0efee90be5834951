"""Sentiment of social-media posts from their text and photo."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from multimodal_sentiment.model import SentimentClassifier
    from multimodal_sentiment.predictor import Classifier

try:
    __version__ = version("multimodal-sentiment")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0.0.0"

__all__ = ["__version__", "load_classifier"]


def load_classifier(model: str | Path | SentimentClassifier, device: str = "auto") -> Classifier:
    """Load a trained model, to be used without a pipeline.

    Args:
        model: Its folder; or the one above its versions (`data/06_models/fusion_model`), of which
            the newest is taken; or what the catalog loads as `fusion_model`.
        device: `auto`, `cpu`, `cuda` or `mps`.

    Returns:
        What answers `predict(texts=[...], images=[...])` with a frame, one row a post.

    Raises:
        kedro.io.DatasetError: If there is no whole model.
    """
    from multimodal_sentiment.predictor import open_classifier

    return open_classifier(model, device)

"""Sentiment of social-media posts from their text and photo."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multimodal_sentiment.model import SentimentClassifier
    from multimodal_sentiment.serving.errors import ClassifierError
    from multimodal_sentiment.serving.predictor import Classifier

try:
    __version__ = version("multimodal-sentiment")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0.0.0"

__all__ = ["Classifier", "ClassifierError", "__version__", "load_classifier"]


def load_classifier(
    model: str | PathLike[str] | SentimentClassifier,
    device: str = "auto",
    precision: str = "auto",
) -> Classifier:
    """Load a trained model, to be used without a pipeline.

    Args:
        model: Its folder; that of a version; or the one above the versions
            (`data/06_models/fusion_model`), of which the promoted one is taken, else the newest;
            or what the catalog loads as `fusion_model`.
        device: `auto`, `cpu`, `cuda` or `mps`.
        precision: `auto` (bf16 where the hardware is faster in it), `fp32` or `bf16`.

    Returns:
        What answers `predict(texts=[...], images=[...])` with a frame, one row a post.

    Raises:
        ClassifierError: If there is no whole model, or no such device.
    """
    from multimodal_sentiment.serving.predictor import open_classifier

    return open_classifier(model, device, precision)


def __getattr__(name: str) -> Any:
    """Import a class when it is first asked for: torch takes seconds."""
    if name == "Classifier":
        from multimodal_sentiment.serving.predictor import Classifier

        return Classifier
    if name == "ClassifierError":
        from multimodal_sentiment.serving.errors import ClassifierError

        return ClassifierError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""Sentiment of social-media posts from their text and photo."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from importlib.metadata import PackageNotFoundError, version
from os import PathLike
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from multimodal_sentiment.classifier.errors import ClassifierError
    from multimodal_sentiment.classifier.predictor import Classifier
    from multimodal_sentiment.model import SentimentClassifier
    from multimodal_sentiment.training import TrainedClassifier

try:
    __version__ = version("multimodal-sentiment")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0.0.0"

__all__ = ["Classifier", "ClassifierError", "__version__", "load_classifier", "train"]


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
    from multimodal_sentiment.classifier.predictor import open_classifier

    return open_classifier(model, device, precision)


def train(
    posts: Any,
    *,
    text: Hashable = None,
    image: Hashable = None,
    tag: Hashable = None,
    guid: Hashable = None,
    split: Hashable = None,
    folder: str | PathLike[str] | None = None,
    env: str | None = None,
    parameters: Mapping[str, Any] | None = None,
) -> TrainedClassifier:
    """Train a classifier on a frame of posts, as `kedro run` does on files.

    Posts without a tag, and those whose split is `test`, are not learnt from.

    Args:
        posts: A frame of pandas, polars or Arrow, one row a post.
        text: The column of texts: strings, or the bytes of files, whose encoding is found out. As
            of every column, None takes one with a well-known name, such as `text` or `tweet`.
        image: The column of images: paths, bytes, arrays or Pillow images.
        tag: The column of tags.
        guid: The column of ids; where there is none, posts have those of the frame's index, or
            numbers where it does not tell them apart. A column of images that is named like one
            of ids, as in `image="id"`, gives both.
        split: The column that says `train`, `validation` or `test`; where there is none, validation
            posts are drawn.
        folder: The folder for posts, model and report; None takes a temporary one, which stays
            unless nothing comes of it.
        env: The environment of the configuration, such as `scratch` or `pretrained`.
        parameters: The parameters that differ from the configuration, as in
            `{"training.class_weights": "balanced"}`.

    Returns:
        What answers `predict(texts, images)`; with `metrics`, `report` and `folder`.

    Raises:
        ClassifierError: If there is no such column, or the posts or parameters are not fit to train
            with; in one line.
    """
    from multimodal_sentiment.training import train_on_frame

    columns = {"guid": guid, "text": text, "image": image, "tag": tag, "split": split}
    return train_on_frame(posts, columns, folder, env, parameters or {})


def __getattr__(name: str) -> Any:
    """Import a class when it is first asked for: torch takes seconds."""
    if name == "Classifier":
        from multimodal_sentiment.classifier.predictor import Classifier

        return Classifier
    if name == "ClassifierError":
        from multimodal_sentiment.classifier.errors import ClassifierError

        return ClassifierError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

"""A trained model in Python, without a pipeline."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io import Version
from PIL import Image

from multimodal_sentiment.datasets import ModelFolderDataset
from multimodal_sentiment.learning import PostDataset, label_predictions, predict_logits
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ComputeParameters
from multimodal_sentiment.posts.imaging import BrokenImageError, decode_image
from multimodal_sentiment.posts.problems import Problem, problem

ImageSource = str | Path | bytes | Image.Image | None

_AS_PNG = frozenset({"1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA"})


def open_classifier(model: str | Path | SentimentClassifier, device: str) -> Classifier:
    """See `multimodal_sentiment.load_classifier`."""
    compute = ComputeParameters.model_validate(
        {
            "device": device,
            "precision": "auto",
            "prediction_batch_size": 128,
            "compile": False,
            "workers": 0,
        }
    )
    if isinstance(model, SentimentClassifier):
        return Classifier(model, compute)
    folder = Path(model)
    version = None if (folder / "config.json").is_file() else Version(None, None)
    dataset = ModelFolderDataset(filepath=folder.absolute().as_posix(), version=version)
    return Classifier(dataset.load(), compute)


class Classifier:
    """A trained model that answers for texts and images.

    Attributes:
        labels: What it can answer, in the order of its probabilities.
    """

    def __init__(self, classifier: SentimentClassifier, compute: ComputeParameters) -> None:
        self._classifier = classifier
        self._compute = compute
        self.labels = list(classifier.labels)

    def predict(
        self,
        texts: Sequence[str | None] | None = None,
        images: Sequence[ImageSource] | None = None,
    ) -> pd.DataFrame:
        """Answer for posts.

        Args:
            texts: One a post, None or empty where there is none; all missing if not given.
            images: One a post: a file, its bytes, a Pillow image, or None; all missing if not
                given. What is broken counts as missing.

        Returns:
            One row a post: `predicted, confidence, p_<label>..., problems`, the last in words.

        Raises:
            ValueError: If there are not as many texts as images, or neither.
            OSError: If a file cannot be read.
        """
        for name, given in (("texts", texts), ("images", images)):
            if isinstance(given, str | bytes | Path):
                raise ValueError(f"{name} must be a list with one entry a post, not one alone")
        counts = {len(given) for given in (texts, images) if given is not None}
        if len(counts) != 1:
            raise ValueError(
                "texts, images or both must be given, with one entry a post each: "
                f"there are {_length(texts)} texts and {_length(images)} images"
            )
        (count,) = counts
        words = [text or "" for text in texts or [""] * count]
        pictures, problems = [], []
        for text, source in zip(words, images or [None] * count, strict=True):
            picture, of_image = self._picture(source)
            of_text = None if text.strip() else problem("no_text")
            pictures.append(picture)
            problems.append("; ".join(each.words for each in (of_text, of_image) if each))
        posts = PostDataset(
            self._classifier.config,
            self._classifier.tokenizer,
            words,
            pictures,
            terms=self._classifier.term_indices,
        )
        logits = predict_logits(self._classifier, posts, self._compute)
        return pd.DataFrame(label_predictions(self._classifier, logits)).assign(problems=problems)

    def _picture(self, source: ImageSource) -> tuple[Any, Problem | None]:
        """Pixels as the training posts' were prepared, and what is wrong with the image."""
        if source is None:
            return None, problem("no_image")
        config = self._classifier.config
        bounds = config.training.get("pictures") or {}
        try:
            picture = decode_image(
                _read(source),
                short_side=bounds.get("short_side", config.image_config.get("resize", 256)),
                max_aspect_ratio=bounds.get("max_aspect_ratio", 3.0),
                max_megapixels=bounds.get("max_megapixels", 100.0),
            )
        except BrokenImageError as error:
            return None, error.problem
        return picture.pixels, picture.problem


def _read(source: str | Path | bytes | Image.Image) -> bytes:
    if isinstance(source, bytes):
        return source
    if not isinstance(source, Image.Image):
        return Path(source).read_bytes()
    buffer = io.BytesIO()
    drawn = source if source.mode in _AS_PNG else source.convert("RGB")
    drawn.save(buffer, "PNG", exif=source.getexif())  # which says what is up
    return buffer.getvalue()


def _length(given: Sequence[Any] | None) -> str:
    return "no" if given is None else f"{len(given):,}"

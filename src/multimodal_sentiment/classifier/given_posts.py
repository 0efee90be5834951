"""Posts as they are given to a model, read as the pipeline reads those that it learns from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from multimodal_sentiment.decoding import EncodingProfile, Reading, decoded_reading, read_texts
from multimodal_sentiment.layouts.files.local import LARGEST, too_large
from multimodal_sentiment.layouts.tables.table import in_words
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.model.image import Pixels
from multimodal_sentiment.posts.imaging import BrokenImageError, decode_image
from multimodal_sentiment.posts.problems import Problem, problem, read_problems

from .given_images import read_image, take_image
from .inputs import BYTES, is_missing, single


@dataclass
class Post:
    """A post, ready for the model but for texts that are yet to be decoded."""

    text: str | bytes
    pixels: Pixels | None
    text_problems: list[Problem]
    image_problems: list[Problem]


class PostReader:
    """Reads posts under what a model has learnt of its own: encodings, and bounds of images."""

    def __init__(self, classifier: SentimentClassifier) -> None:
        self._classifier = classifier

    def take(self, pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        """Take of texts and images what only one thread may read."""
        limit = self._bounds["max_megapixels"]
        for text, image in pairs:
            yield text, take_image(image, limit)

    def read(self, pair: tuple[Any, Any]) -> Post:
        """Read and decode one post that `take` has returned; in one of several threads."""
        text, of_text = _read_text(pair[0])
        payload = read_image(pair[1])
        if isinstance(payload, Problem):
            return Post(text, None, of_text, [payload])
        try:
            image = decode_image(payload, **self._bounds)
        except BrokenImageError as error:
            return Post(text, None, of_text, [error.problem])
        return Post(text, image.pixels, of_text, [image.problem] if image.problem else [])

    def decode_texts(self, posts: Iterable[Post]) -> None:
        """Decode the texts that are bytes, as those of the posts that the model learnt from."""
        waiting = [post for post in posts if isinstance(post.text, bytes)]
        if not waiting:
            return
        profile = EncodingProfile.from_dict(self._classifier.encoding_profile)
        readings = read_texts([bytes(post.text) for post in waiting], profile)  # type: ignore[arg-type]
        for post, reading in zip(waiting, readings, strict=True):
            post.text, post.text_problems = _read(reading)

    @property
    def _bounds(self) -> dict[str, Any]:
        """How the images that the model has learnt from were prepared, for `decode_image`."""
        config = self._classifier.config
        bounds = {
            "short_side": config.image_config.get("resize", 256),
            "max_aspect_ratio": 3.0,
            "max_megapixels": 100.0,
        }
        said = config.training.get("pictures") or {}
        return bounds | {name: said[name] for name in bounds.keys() & said.keys()}


def _read_text(value: Any) -> tuple[str | bytes, list[Problem]]:
    """Return a post's text, or bytes that are yet to be decoded, and what is wrong with it."""
    if is_missing(value):
        return "", [problem("no_text")]
    value = single(value)
    if isinstance(value, bool | int | float):
        value = str(in_words(value))
    if not isinstance(value, str | BYTES):
        return "", [problem("text_unreadable", f"{type(value).__name__} is no text")]
    if len(value) > LARGEST["text"]:
        return "", [too_large("text", len(value))]
    return _read(decoded_reading(str(value))) if isinstance(value, str) else (bytes(value), [])


def _read(reading: Reading) -> tuple[str, list[Problem]]:
    problems = read_problems(reading.problem)
    return reading.text, problems or ([] if reading.text.strip() else [problem("empty_text")])

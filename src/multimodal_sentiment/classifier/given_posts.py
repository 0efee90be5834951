"""Posts as they are given to a model, read as the pipeline reads those that it learns from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from multimodal_sentiment.decoding import EncodingProfile, read_texts
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.model.image import Pixels
from multimodal_sentiment.posts.imaging import BrokenImageError, decode_image
from multimodal_sentiment.posts.problems import Problem, problem, read_problems

from .given_images import read_image, take_image
from .given_texts import read_text


@dataclass
class Post:
    """A post, ready for the model but for texts that are yet to be decoded."""

    text: str | bytes
    pixels: Pixels | None
    text_problems: list[Problem]
    image_problems: list[Problem]


class _Bounds(NamedTuple):
    """How an image is prepared; see `decode_image`."""

    short_side: int
    max_aspect_ratio: float
    max_megapixels: float


class PostReader:
    """Reads posts under what a model has learnt of its own: encodings, and bounds of images."""

    def __init__(self, classifier: SentimentClassifier) -> None:
        self._classifier = classifier

    def take(self, pairs: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
        """Take of texts and images what only one thread may read."""
        limit = self._bounds.max_megapixels
        for text, image in pairs:
            yield text, take_image(image, limit)

    def read(self, pair: tuple[Any, Any]) -> Post:
        """Read and decode one post that `take` has returned; in one of several threads."""
        text, of_text = read_text(pair[0])
        payload = read_image(pair[1])
        if isinstance(payload, Problem):
            return Post(text, None, of_text, [payload])
        try:
            image = decode_image(payload, **self._bounds._asdict())
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
            post.text = reading.text
            post.text_problems = read_problems(reading.problem)
            if not post.text_problems and not reading.text.strip():
                post.text_problems = [problem("empty_text")]

    @property
    def _bounds(self) -> _Bounds:
        """How the images that the model has learnt from were prepared."""
        config = self._classifier.config
        said = config.training.get("pictures") or {}
        return _Bounds(
            said.get("short_side", config.image_config.get("resize", 256)),
            said.get("max_aspect_ratio", 3.0),
            said.get("max_megapixels", 100.0),
        )

"""Asks a model for parts of a post, and shares its answer out to words and regions.

These are Owen values: text and image share the answer out first, by their Shapley values; then the
words share what the text has added, and the regions what the image has. A word is judged by what it
adds to the probability of the answer, averaged over the sets of other words that may be there, and
over whether the image is; a region likewise.
Source: Owen, "Values of Games with a Priori Unions", 1977.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from multimodal_sentiment.assessment import softmax
from multimodal_sentiment.batches import Batch, PostDataset
from multimodal_sentiment.compute.device import choose_device
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.model.image import Pixels
from multimodal_sentiment.model.text import tokenize
from multimodal_sentiment.parameters import ComputeParameters
from multimodal_sentiment.predicting import predict_logits, predict_with_contributions
from multimodal_sentiment.predicting.predict import (
    label_predictions,
    predict_batches,
    prediction_mode,
)
from multimodal_sentiment.progress import no_progress
from multimodal_sentiment.reporting import thumbnail

from .explanation import Explanation, Region, Word
from .regions import MaskedImages, split_regions
from .shapley import choose_coalitions, solve_shapley
from .words import Span, count_read, group_words, keep_words, split_words

MOST_WORDS = 31  # a longer text is shared out to runs of words
TEXTS = 130  # at most, that are encoded for one explanation: 32 players, alone and in one design
IMAGES = 66  # likewise, for 25 regions
GRID = 5  # regions a side

Features = dict[str, np.ndarray]  # by modality, of shape (parts, size); NaN where it is missing


def explain_post(
    classifier: SentimentClassifier,
    text: str,
    image: Pixels | None,
    compute: ComputeParameters,
    problems: str = "",
    answered: Mapping[Any, Any] | None = None,
) -> Explanation:
    """Answer for a post, and say what its words and regions added.

    Each part of the text, and of the image, is encoded once, and fused with the other modality and
    without it. The same post gets the same explanation.

    Args:
        classifier: The classifier.
        text: The post's text; an empty one is missing.
        image: Its image, uint8 RGB of shape (height, width, 3), or None.
        compute: The device and precision.
        problems: The problems of the post, in words.
        answered: The row of the predictions that is explained, `predicted, confidence` and
            `<modality>_contribution`; None answers anew, which in bf16 gives numbers that differ
            by up to a point or so, as they depend on the posts that share a batch.
    """
    with ready_to_explain(classifier, compute), no_progress():
        asked = _Asked(classifier, compute)
        given = {"text": text, "image": image}
        features: Features = {}
        for name in classifier.model.branches:
            features |= asked.encode(name, [given[name]])
        nothing = predict_logits(classifier, asked.posts([""], asked.hide(features)), asked.compute)
        if answered is None:
            logits, shares = predict_with_contributions(
                classifier, asked.posts([text], features), asked.compute
            )
            columns = label_predictions(classifier, logits) | shares
            answered = {name: values[0] for name, values in columns.items()}
        answer = classifier.labels.index(answered["predicted"])
        confidence = float(answered["confidence"])
        baseline = float(asked.probabilities(nothing)[0, answer])
        added = {
            name: float(answered.get(f"{name}_contribution", confidence - baseline))
            for name in classifier.model.branches
        }
        words: tuple[Word, ...] = ()
        if "text" in added and text.strip():
            words = _explain_text(asked, text, features, answer, added["text"])
        regions: tuple[Region, ...] = ()
        if "image" in added and image is not None:
            regions = _explain_image(asked, text, image, features, answer, added["image"])
        return Explanation(
            predicted=classifier.labels[answer],
            confidence=confidence,
            baseline=baseline,
            text_contribution=added.get("text"),
            image_contribution=added.get("image"),
            text=text,
            words=words,
            photo=thumbnail(image),
            regions=regions,
            problems=problems,
        )


def ready_to_explain(
    classifier: SentimentClassifier, compute: ComputeParameters
) -> AbstractContextManager[None]:
    """Return a context in which a model is prepared once for all posts that are explained."""
    return prediction_mode(classifier.model, choose_device(compute), IMAGES)


class _Asked:
    """A model that is asked for parts of posts.

    Args:
        classifier: The classifier.
        compute: The device and precision.
    """

    def __init__(self, classifier: SentimentClassifier, compute: ComputeParameters) -> None:
        self.classifier = classifier
        self.compute = compute.model_copy(update={"workers": 0})

    def encode(self, name: str, parts: Sequence[Any]) -> Features:
        """Return the features of texts, or of images; where one is missing they are NaN.

        Args:
            name: The modality.
            parts: The texts, or the images.
        """
        model, count = self.classifier.model, len(parts)
        rest = {
            other: np.full((count, branch.size), np.nan, dtype=np.float32)
            for other, branch in model.branches.items()
            if other != name
        }

        def encode(batch: Batch) -> torch.Tensor:
            encoded: torch.Tensor = model.encode(**batch)[name].float()
            missing = ~batch.get(f"has_{name}", np.ones(len(encoded), dtype=bool))
            encoded[torch.from_numpy(missing).to(encoded.device)] = torch.nan
            return encoded

        texts, images = ([""] * count, parts) if name == "image" else (parts, [None] * count)
        posts = PostDataset(self.classifier, texts, images, features=rest)
        return {name: predict_batches(model, posts, self.compute, encode)}

    def hide(self, features: Features) -> Features:
        """Return features of as many parts that have nothing."""
        return {name: np.full_like(values, np.nan) for name, values in features.items()}

    def posts(self, texts: Sequence[str], features: Features) -> PostDataset:
        """Return encoded parts as the model takes them; words are counted in `texts`."""
        return PostDataset(self.classifier, texts, [None] * len(texts), features=features)

    def ask(
        self, texts: Sequence[str], parts: Features, rest: Features, name: str
    ) -> NDArray[np.float64]:
        """Return probabilities of parts of one modality, of shape (parts, labels).

        They are the mean of those with the post's other modality and without it.

        Args:
            texts: The text of each part, in which words are counted.
            parts: The features of the parts.
            rest: The features of the whole post.
            name: The modality that the parts are of.
        """
        seen = {other: np.repeat(rest[other], len(texts), axis=0) for other in rest}
        views = [seen | {name: parts[name]}]
        if len(seen) > 1:
            views.append(self.hide(seen) | {name: parts[name]})
        logits = [
            predict_logits(self.classifier, self.posts(texts, view), self.compute) for view in views
        ]
        return np.mean([self.probabilities(values) for values in logits], axis=0)

    def probabilities(self, logits: np.ndarray) -> NDArray[np.float64]:
        """Return the probabilities of logits of shape (parts, labels)."""
        return softmax(logits, self.classifier.config.calibration_temperature)


def _explain_text(
    asked: _Asked, text: str, features: Features, answer: int, total: float
) -> tuple[Word, ...]:
    """Return the words with their weights.

    What the encoder does not read of a long text has no weight; if words are counted, they are in
    all of it, and what only they have seen is one player more.
    """
    words = split_words(text)
    read = _count_read(asked.classifier, text, words)
    spans = group_words(words[:read], MOST_WORDS)
    encoded = len(spans)
    if asked.classifier.terms and read < len(words):
        spans.append((words[read][0], words[-1][1]))
    elif read < len(words):
        text = text[: words[read - 1][1]]
    coalitions = choose_coalitions(len(spans), TEXTS)
    counted = keep_words(text, spans, coalitions.members)
    texts = keep_words(text, spans, coalitions.members & (np.arange(len(spans)) < encoded))
    parts = asked.encode("text", texts)
    values = asked.ask(counted, parts, features, "text")[:, answer]
    weights = solve_shapley(coalitions, values, total).tolist()
    return tuple(Word(*span, weight) for span, weight in zip(spans, weights, strict=True))


def _count_read(classifier: SentimentClassifier, text: str, words: Sequence[Span]) -> int:
    tokenizer, most = classifier.tokenizer, classifier.config.max_tokens
    if tokenizer is None:
        return len(words)
    return count_read(text, words, most, lambda part: tokenize(tokenizer, [part], most)[0])


def _explain_image(
    asked: _Asked, text: str, image: Pixels, features: Features, answer: int, total: float
) -> tuple[Region, ...]:
    config = asked.classifier.config.image_config
    height, width = image.shape[:2]
    boxes = split_regions(height, width, config["size"] / config["resize"], GRID)
    coalitions = choose_coalitions(len(boxes), IMAGES)
    images = MaskedImages(image, boxes, coalitions.members)
    parts = asked.encode("image", images)
    values = asked.ask([text] * len(images), parts, features, "image")[:, answer]
    weights = solve_shapley(coalitions, values, total).tolist()
    return tuple(
        Region((left / width, top / height, right / width, bottom / height), weight)
        for (left, top, right, bottom), weight in zip(boxes, weights, strict=True)
    )

"""A small model of text and image, and four photos."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from multimodal_sentiment.model import SentimentClassifier, build_model

from .pictures import patches

LABELS = ["bad", "good"]
TEXTS = ["a lovely day at the sea", "rain again", "", "who knows"]


def photo(seed: int, height: int, width: int) -> Image.Image:
    return patches(seed, width, height)


@pytest.fixture
def photos(tmp_path) -> list[Path]:
    paths = [tmp_path / f"{index}.png" for index in range(4)]
    for seed, path in enumerate(paths):
        photo(seed, 300 + 50 * seed, 400).save(path)
    return paths


@pytest.fixture
def make_model(tiny):
    def make(**changes) -> SentimentClassifier:
        parameters = tiny(**changes)
        model, tokenizer = build_model(parameters.model, LABELS, TEXTS, {})
        model.config.calibration_temperature = 1.5
        bounds = parameters.preparation.model_dump(exclude={"storage"})
        model.config.training = {"pictures": bounds}
        profile = {"posts": {"cp1252": 90}, "expected": {"cp1252": 90.0}}
        return SentimentClassifier(model, tokenizer, profile)

    return make


@pytest.fixture
def model(make_model) -> SentimentClassifier:
    return make_model()

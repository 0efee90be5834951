"""Small models with random weights that answer differently to different posts."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from multimodal_sentiment import Classifier, load_classifier
from multimodal_sentiment.model import SentimentClassifier, SentimentModel, build_model

LABELS = ["bad", "fair", "good"]
TEXT = "what a lovely day"
TERMS = ("day", "lovely", "lovely day", "what")

Build = Callable[..., Classifier]


@pytest.fixture
def build(tiny) -> Build:
    def made(fusion: str = "concat", modality: str = "both", **changes) -> Classifier:
        torch.manual_seed(1)
        parameters = tiny(model__modality=modality, model__fusion__kind="concat", **changes)
        first, tokenizer = build_model(parameters.model, LABELS, [TEXT], {})
        config = first.config
        config.fusion = fusion
        if fusion == "pool" and modality != "image":
            config.counted_terms = len(TERMS)
        model = SentimentModel(config)
        with torch.no_grad():
            for name, weight in model.named_parameters():
                if ".encoder." not in name:
                    torch.nn.init.normal_(weight)
            if model.words is not None:
                model.words.idf[:-1] = 1.0
            if fusion == "pool":  # nobody listens to a voice that has nothing to say
                of = {"text": 1, "words": 1, "image": 2}
                for present in range(4):
                    heard = [bool(present & of[voice]) for voice in config.voices]
                    model.fusion.weights[present] *= torch.tensor(heard)
        config.calibration_temperature = 3.0 if fusion == "pool" else 40.0
        terms = TERMS if config.counted_terms else ()
        return load_classifier(
            SentimentClassifier(model, tokenizer, {"posts": {}, "expected": {}}, terms=terms),
            "cpu",
            "fp32",
        )

    return made


@pytest.fixture
def image() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 80, 3), dtype=np.uint8)

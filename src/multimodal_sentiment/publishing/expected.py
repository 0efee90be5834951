"""Posts of every kind, with the answers that an export must give them."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
from PIL import Image

from multimodal_sentiment.classifier.predictor import open_classifier
from multimodal_sentiment.model import SentimentClassifier


def expected_answers(classifier: SentimentClassifier, tolerance: float) -> dict[str, Any]:
    """Return posts of every kind, and the probabilities that the model gives them."""
    texts = [
        "What a lovely day! \U0001f600 https://example.org/x",
        "@someone this is SO sad, so sad",
        "caf\u00e9 \u6771\u4eac \u0e14\u0e35\u0e21\u0e32\u0e01",
        None,
        "rain " * 300,
        None,
    ]
    images = [_drawn(0, 300, 420), None, _drawn(1, 90, 60), _drawn(2, 700, 180), None, None]
    answers = open_classifier(classifier, "cpu", "fp32").predict(texts, images)
    columns = [f"p_{label}" for label in classifier.labels]
    posts = [
        {
            "text": text,
            "image": None if image is None else base64.b64encode(image).decode(),
            "probabilities": [float(value) for value in row],
        }
        for text, image, row in zip(texts, images, answers[columns].to_numpy(), strict=True)
    ]
    return {"tolerance": tolerance, "posts": posts}


def _drawn(seed: int, height: int, width: int) -> bytes:
    """Return a PNG of coloured blocks; the first is turned by its EXIF, the second has an alpha."""
    channels = 4 if seed == 1 else 3
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, channels), dtype=np.uint8)
    image = Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST)
    exif = Image.Exif()
    if seed == 0:
        exif[274] = 6
    buffer = io.BytesIO()
    image.save(buffer, "PNG", exif=exif)
    return buffer.getvalue()

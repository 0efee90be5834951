from __future__ import annotations

from typing import Any

import pytest


def scores(accuracy: float, interval: tuple[float, float]) -> dict[str, Any]:
    per_class = {
        "negative": {"precision": 0.7, "recall": 0.6, "f1": 0.65, "support": 400},
        "positive": {"precision": 0.9, "recall": 0.9, "f1": 0.9, "support": 600},
    }
    return {
        "n": 1000,
        "accuracy": accuracy,
        "macro_f1": 0.77,
        "weighted_f1": 0.79,
        "per_class": per_class,
        "accuracy_interval": interval,
        "intervals": {
            "accuracy": interval,
            "macro_f1": (0.75, 0.8),
            "per_class": {label: (0.5, 0.95) for label in per_class},
        },
    }


@pytest.fixture
def metrics() -> dict[str, Any]:
    """Of a model that there is nothing to say against."""
    gain = {"difference": 0.1, "interval": (0.07, 0.13), "p_adjusted": 0.001}
    step = {
        "confidence": 0.7,
        "n": 600,
        "coverage": 0.6,
        "accuracy": 0.93,
        "accuracy_interval": (0.91, 0.95),
    }
    whole = step | {"confidence": 0.3, "n": 1000, "coverage": 1.0, "accuracy": 0.8}
    return scores(0.8, (0.78, 0.82)) | {
        "baselines": {"tfidf": {"method": "TF-IDF"} | scores(0.7, (0.68, 0.72))},
        "against_baselines": [
            {"first": "model", "second": "tfidf", "accuracy": gain, "verdict": "better"}
        ],
        "modalities": {
            view: {
                "score": 0.7,
                "score_interval": (0.68, 0.72),
                "accuracy": gain,
                "verdict": "better",
            }
            for view in ("text_alone", "image_alone")
        },
        "abstention": {
            "target": 0.9,
            "trusted": step | {"accuracy_below": 0.6},
            "claimed": {
                "confidence": 0.9,
                "n": 400,
                "accuracy": 0.95,
                "accuracy_interval": (0.93, 0.97),
                "least_sure": {"below": 0.95, "n": 60, "accuracy": 0.85},
            },
            "curve": [step, whole],
        },
        "calibration": {
            "temperature": 1.5,
            "before": {"expected_calibration_error": 0.2, "bins": []},
            "after": {
                "expected_calibration_error": 0.01,
                "bins": [{"low": 0.5, "high": 1, "n": 9, "confidence": 0.8, "accuracy": 0.75}],
            },
        },
        "protocol": {
            "model": {
                "version": "2026-01-01T00.00.00.000Z",
                "epoch": 3,
                "tuning_posts": 400,
                "encoders": {"text": {"name": "encoders/bert"}},
            },
            "posts": {"training": 4000, "validation": 1000},
            "split": {"seed": 0},
            "validation_sha256": "ab" * 32,
            "manifest_sha256": "cd" * 32,
            "confidence_level": 0.95,
            "judged": "validation posts chose nothing",
        },
    }


@pytest.fixture
def ingestion() -> dict[str, Any]:
    """Of posts that there is nothing to say against."""
    return {
        "posts": 5000,
        "encodings": {"ascii": 4000, "gb18030": 1000},
        "flagged_encodings": {"posts": 0},
        "problems": {
            "no_image": {"title": "no image", "subject": "image", "posts": 2, "first": ["7", "8"]}
        },
        "chardet_alone": {"posts_asked": 1000, "another text": 300, "no text": 4},
        "twins": {
            "posts": 10,
            "groups": 5,
            "groups_with_several_tags": 0,
            "random_split": {"validation_posts": 1000, "with_a_twin_in_training": 0},
        },
    }


@pytest.fixture
def config() -> dict[str, Any]:
    """Of a trained model, as its `config.json` has it."""
    return {
        "model_type": "multimodal_sentiment",
        "modality": "both",
        "id2label": {"0": "negative", "1": "neutral", "2": "positive"},
        "text_config": {
            "model_type": "bert",
            "num_hidden_layers": 12,
            "hidden_size": 768,
            "vocab_size": 30522,
        },
        "max_tokens": 64,
        "image_config": {"architecture": "resnet50", "size": 224},
        "calibration_temperature": 1.25,
        "training": {
            "learning_posts": 2304,
            "tuning_posts": 256,
            "epoch": 4,
            "tuning": {"accuracy": 0.75, "macro_f1": 0.5},
            "device": "cuda in bf16",
            "seed": 0,
            "posts_sha256": "ef" * 32,
            "fingerprint": "0123456789abcdef",
            "encoders": {"text": {"name": "encoders/bert-base-uncased"}},
        },
    }

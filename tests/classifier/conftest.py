"""The small model in two versions, and as it is used from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

from multimodal_sentiment import load_classifier

from ..small_model import make_model, model, photos

__all__ = ["make_model", "model", "photos"]

OLDER, NEWER = "2026-01-01T00.00.00.000Z", "2026-01-02T00.00.00.000Z"


@pytest.fixture
def folder(model, tmp_path) -> Path:
    """The folder of its versions."""
    folder = tmp_path / "fusion_model"
    for version in (OLDER, NEWER):
        (folder / version / "fusion_model").mkdir(parents=True)
        model.save_pretrained(folder / version / "fusion_model")
    return folder


@pytest.fixture
def classifier(model):
    return load_classifier(model, "cpu", "fp32")

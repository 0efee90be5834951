from __future__ import annotations

import pytest
from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel

from ..tiny_encoders import save_bert


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The folders of a tiny text encoder and a tiny image encoder of 64 px, by modality."""
    text, image = (tmp_path_factory.mktemp(name) for name in ("text", "image"))
    save_bert(text)
    CLIPVisionModel(
        CLIPVisionConfig(
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=1,
            num_attention_heads=2,
            image_size=64,
            patch_size=16,
        )
    ).save_pretrained(image)
    CLIPImageProcessor(
        size={"shortest_edge": 64}, crop_size={"height": 64, "width": 64}
    ).save_pretrained(image)
    return {"text": str(text), "image": str(image)}


@pytest.fixture(scope="session")
def freezing(pretrained: dict[str, str]) -> dict[str, dict[str, object]]:
    """By modality, the parameters of `tiny` that make its encoder the pretrained one, frozen."""
    return {
        name: {f"model__{name}__encoder": folder, f"training__learning_rate__{name}": 0}
        for name, folder in pretrained.items()
    }

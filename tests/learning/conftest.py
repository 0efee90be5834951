from __future__ import annotations

import pytest
import torch
from transformers import (
    BertConfig,
    BertModel,
    BertTokenizerFast,
    CLIPImageProcessor,
    CLIPVisionConfig,
    CLIPVisionModel,
)


@pytest.fixture(scope="session")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The folders of a tiny text encoder and a tiny image encoder of 64 px, by modality."""
    torch.manual_seed(0)
    text, image = (tmp_path_factory.mktemp(name) for name in ("text", "image"))
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{x}" for x in letters)]
    BertTokenizerFast(vocab={piece: i for i, piece in enumerate(pieces)}).save_pretrained(text)
    BertModel(
        BertConfig(
            vocab_size=len(pieces),
            hidden_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            intermediate_size=32,
            max_position_embeddings=32,
        )
    ).save_pretrained(text)
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

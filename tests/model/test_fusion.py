from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from multimodal_sentiment.model import SentimentConfig
from multimodal_sentiment.model.fusion import ConcatFusion, GatedFusion, LateFusion, PoolFusion

torch.manual_seed(0)
FEATURES = {"text": torch.randn(5, 3), "image": torch.randn(5, 4)}
SCORES = {"text": torch.randn(5, 2), "image": torch.randn(5, 2)}


def config(**options: Any) -> SentimentConfig:
    return SentimentConfig(hidden_size=6, dropout=0.5, num_labels=2, **options)


def linear(layer: torch.nn.Linear, values: np.ndarray) -> np.ndarray:
    return values @ layer.weight.detach().numpy().T + layer.bias.detach().numpy()


@pytest.mark.parametrize("visible", [True, False])
def test_concatenation_is_a_perceptron_over_all_that_is_seen(visible: bool) -> None:
    torch.manual_seed(0)  # a score near zero would have no close relative
    fusion = ConcatFusion(config(visible_scores=visible), [3, 4]).eval()
    parts = [*FEATURES.values(), *(SCORES.values() if visible else [])]
    seen = np.concatenate([part.numpy() for part in parts], axis=1)

    expected = linear(fusion.layers[3], np.maximum(linear(fusion.layers[0], seen), 0))
    np.testing.assert_allclose(fusion(FEATURES, SCORES, {}).detach().numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize("visible", [True, False])
def test_the_gate_weighs_one_modality_against_the_other(visible: bool) -> None:
    fusion = GatedFusion(config(visible_scores=visible), [3, 4]).eval()
    text, image = (FEATURES[name].numpy() for name in ("text", "image"))
    gate = 1 / (1 + np.exp(-linear(fusion.gate, np.concatenate([text, image], axis=1))))
    joined = gate * np.tanh(linear(fusion.projections[0], text)) + (1 - gate) * np.tanh(
        linear(fusion.projections[1], image)
    )
    if visible:
        joined = np.concatenate([joined, *(score.numpy() for score in SCORES.values())], axis=1)

    expected = linear(fusion.classifier, joined)
    np.testing.assert_allclose(
        fusion(FEATURES, SCORES, {}).detach().numpy(), expected, rtol=1e-4, atol=1e-6
    )


def test_late_fusion_adds_the_votes() -> None:
    torch.testing.assert_close(LateFusion()(FEATURES, SCORES, {}), SCORES["text"] + SCORES["image"])


def test_a_pool_weighs_the_voices_by_what_a_post_has() -> None:
    pool = PoolFusion(config(counted_terms=9))
    with torch.no_grad():
        pool.weights.copy_(torch.tensor([[0, 0, 0], [1, 2, 0], [0, 0, 3], [0.5, 1, 2.0]]))
        pool.bias.copy_(torch.tensor([[7, 8], [0, 1], [0, 0], [1, 0.0]]))
    voices = {name: torch.tensor([[1.0, 2.0]] * 4) for name in ("text", "words", "image")}
    present = {
        "text": torch.tensor([False, True, False, True]),
        "image": torch.tensor([False, False, True, True]),
    }
    features = {"text": voices["text"], "image": voices["image"]}
    rows = pool(features, voices, present)
    # By hand: the weights' sum times (1, 2), plus the bias.
    expected = [[7, 8], [3, 7], [3, 6], [4.5, 7]]
    torch.testing.assert_close(rows, torch.tensor(expected))
    whole = pool(features, voices, dict.fromkeys(present))
    torch.testing.assert_close(whole, torch.tensor([expected[3]] * 4))

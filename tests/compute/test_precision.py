"""What speed does to results: one step against the plain fp32 computation."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from multimodal_sentiment.compute.device import choose_device
from multimodal_sentiment.model import SentimentModel, build_model
from multimodal_sentiment.parameters import Parameters


def step(model: SentimentModel, batch: dict[str, torch.Tensor]) -> tuple[float, torch.Tensor]:
    loss = model(**batch).loss
    loss.backward()
    gradients = torch.cat([w.grad.flatten() for w in model.parameters() if w.grad is not None])
    model.zero_grad()
    return loss.item(), gradients


# Relative errors of the loss and of all gradients together. Those of a ResNet's random weights pass
# through the batch statistics of eighteen layers, each of which enlarges bf16's rounding.
@pytest.mark.parametrize(
    ("precision", "modality", "of_loss", "of_gradients"),
    [
        ("fp32", "both", 1e-5, 1e-4),
        ("bf16", "text", 1e-2, 3e-2),
        ("bf16", "image", 3e-2, 0.5),
    ],
)
def test_a_step_is_the_plain_computation_to_within_its_precision(
    tiny: Callable[..., Parameters],
    precision: str,
    modality: str,
    of_loss: float,
    of_gradients: float,
) -> None:
    parameters = tiny(
        model__modality=modality,
        compute__precision=precision,
        model__fusion__modality_dropout=0.0,
        model__fusion__dropout=0.0,
        training__label_smoothing=0.0,
    )
    torch.manual_seed(0)
    model, _ = build_model(parameters.model, ["a", "b", "c"], ["good day"], {})
    model.train()
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    batch = {
        "input_ids": torch.randint(0, 8, (8, 9)),
        "attention_mask": torch.ones(8, 9, dtype=torch.long),
        "pixels": torch.randint(0, 256, (8, 64, 64, 3), dtype=torch.uint8),
        "labels": torch.arange(8) % 3,
    }
    loss, gradients = step(model, batch)  # fp32, weights as they are built

    device = choose_device(parameters.compute)
    with device.autocast():
        fast_loss, fast_gradients = step(device.prepare_model(model), batch)

    assert fast_loss == pytest.approx(loss, rel=of_loss)
    error = (fast_gradients - gradients).norm() / gradients.norm()
    assert error < of_gradients

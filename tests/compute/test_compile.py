from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
import torch

from multimodal_sentiment.compute import compile as compilation
from multimodal_sentiment.compute.compile import compiled, worth_compiling
from multimodal_sentiment.model import SentimentModel, build_model
from multimodal_sentiment.parameters import Parameters


@pytest.fixture
def model(tiny: Callable[..., Parameters]) -> SentimentModel:
    torch.manual_seed(0)
    parameters = tiny(model__modality="text", model__fusion__modality_dropout=0.0).model
    model, _ = build_model(parameters, ["a", "b"], ["good day"], {})
    for part in model.modules():
        if isinstance(part, torch.nn.Dropout):
            part.p = 0.0
    return model.train()


def batch(posts: int, tokens: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(posts)
    ids = torch.randint(0, 8, (posts, tokens), generator=generator)
    mask = torch.ones_like(ids)
    mask[0, tokens // 2 :] = 0
    labels = torch.arange(posts) % 2
    return {"input_ids": ids, "attention_mask": mask, "labels": labels}


def step(model: SentimentModel, given: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    model.zero_grad()
    loss = model(**given).loss
    loss.backward()
    return [loss, *(weight.grad for weight in model.parameters() if weight.grad is not None)]


@pytest.mark.slow
def test_compiled_steps_are_the_plain_ones_for_batches_of_any_shape(model: SentimentModel) -> None:
    shapes = [(4, 7), (3, 9), (5, 12), (1, 6)]
    plain = [step(model, batch(*shape)) for shape in shapes]
    with compiled(model, "cpu"):
        fast = [step(model, batch(*shape)) for shape in shapes]

    for one, other in zip(plain, fast, strict=True):
        for value, again in zip(one, other, strict=True):
            torch.testing.assert_close(again, value, rtol=1e-4, atol=1e-6)
    assert "forward" not in vars(model.branches["text"].encoder)


def test_without_a_compiler_training_goes_on_and_the_log_says_so(
    model: SentimentModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def compile_nothing(*_: Any) -> Any:
        raise RuntimeError("no C++ compiler\nand a long story")

    monkeypatch.setattr(compilation, "_trial", compile_nothing)
    with caplog.at_level(logging.WARNING), compiled(model, "cpu"):
        loss = step(model, batch(4, 7))[0]

    assert torch.isfinite(loss)
    assert "training goes on without, as compiling failed: no C++ compiler" in caplog.text
    assert "long story" not in caplog.text


def test_only_long_trainings_are_compiled_unless_asked_for(
    model: SentimentModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    weights = sum(weight.numel() for weight in model.parameters())
    long = int(1e12 / weights) + 1

    monkeypatch.setattr(compilation, "has_amx", lambda: True)
    assert not worth_compiling("auto", model, "cpu", 100)
    assert worth_compiling("auto", model, "cpu", long)
    monkeypatch.setattr(compilation, "has_amx", lambda: False)
    assert not worth_compiling("auto", model, "cpu", long)
    assert worth_compiling("auto", model, "cuda", 100 * long)
    assert not worth_compiling("auto", model, "mps", 10**15)
    assert worth_compiling(True, model, "cpu", 1)
    assert not worth_compiling(False, model, "cpu", 10**15)

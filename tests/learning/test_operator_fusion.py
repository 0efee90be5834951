"""Predictions by fused kernels are those of the model as it is written, but for rounding."""

from __future__ import annotations

import platform
from types import SimpleNamespace

import pytest
import torch
import torchvision
from torch import nn
from transformers import (
    BertConfig,
    BertModel,
    CLIPVisionConfig,
    CLIPVisionModel,
    DistilBertConfig,
    DistilBertModel,
    RobertaConfig,
    RobertaModel,
)

from multimodal_sentiment.learning import operator_fusion as fusing
from multimodal_sentiment.learning.device import Device
from multimodal_sentiment.learning.predict import _prediction_mode

SMALL = {"hidden_size": 48, "num_hidden_layers": 2, "num_attention_heads": 3}
ENCODERS = {
    "bert": lambda: BertModel(BertConfig(**SMALL, intermediate_size=64)),
    "roberta": lambda: RobertaModel(RobertaConfig(**SMALL, intermediate_size=64)),
    "distilbert": lambda: DistilBertModel(
        DistilBertConfig(dim=48, n_layers=2, n_heads=3, hidden_dim=64)
    ),
    "clip": lambda: CLIPVisionModel(CLIPVisionConfig(**SMALL, intermediate_size=64, image_size=64)),
    "resnet18": lambda: torchvision.models.resnet18(weights=None),
    "resnet50": lambda: torchvision.models.resnet50(weights=None),
}


class Whole(nn.Module):
    """Holds an encoder, as a model does."""

    def __init__(self, name: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.encoder = ENCODERS[name]()
        for part in self.modules():
            if isinstance(part, nn.BatchNorm2d):  # as if it had seen pictures
                nn.init.normal_(part.running_mean, 0, 0.1)
                nn.init.uniform_(part.running_var, 0.5, 1.5)
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, 0, 0.1)
        self.eval()

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        output = self.encoder(inputs)
        return output if torch.is_tensor(output) else output[0]


def inputs_of(name: str) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    if name in ("bert", "roberta", "distilbert"):
        return torch.randint(5, 1000, (20, 7), generator=generator)
    # More than are computed at once.
    return torch.rand(20, 3, 64, 64, generator=generator).to(memory_format=torch.channels_last)


def needs(precision: torch.dtype) -> None:
    """Skip only where this processor cannot have the kernels, not where they are wrong."""
    there = torch.backends.mkldnn.is_available() and platform.machine() in ("x86_64", "AMD64")
    if precision == torch.bfloat16:
        there = there and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    if not there:
        pytest.skip(f"no fused kernels for {precision} here")
    assert fusing._supported(precision)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.float() - other.float()).norm() / other.float().norm())


@pytest.mark.parametrize("name", ENCODERS)
def test_in_fp32_the_results_are_equal_to_rounding(name: str) -> None:
    needs(torch.float32)
    model, inputs = Whole(name), inputs_of(name)
    with torch.inference_mode():
        written = model(inputs)
        with fusing.fused(model, torch.float32):
            answers = [model(inputs) for _ in range(2)]
        assert torch.equal(model(inputs), written), "the model is what it was"

    assert distance(answers[0], written) < 1e-5
    assert torch.equal(*answers), "nothing that is computed with is written over"


@pytest.mark.parametrize("name", ENCODERS)
def test_in_bf16_they_are_as_near_to_fp32_as_before(name: str) -> None:
    needs(torch.bfloat16)
    model, inputs = Whole(name), inputs_of(name)
    before = dict(model.named_modules())
    with torch.inference_mode():
        exact = model(inputs)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            written = model(inputs)
            with fusing.fused(model, torch.bfloat16):
                assert dict(model.named_modules()) != before
                answer = model(inputs)

    assert distance(answer, exact) < 1.2 * distance(written, exact) + 1e-6


@pytest.mark.parametrize(
    ("precision", "posts", "kind", "is_fused"),
    [
        (torch.float32, 16, "cpu", True),
        (torch.bfloat16, 16, "cpu", True),
        (torch.float32, 15, "cpu", False),
        (torch.float32, 16, "meta", False),
    ],
)
def test_kernels_are_fused_on_a_cpu_where_it_pays(
    precision: torch.dtype, posts: int, kind: str, is_fused: bool
) -> None:
    needs(precision)
    model = Whole("resnet18")
    fusing._supported.cache_clear()  # so that it is found out where predictions find it out
    with _prediction_mode(model, Device(kind, bf16=precision == torch.bfloat16, workers=0), posts):
        fast = not isinstance(model.encoder, torchvision.models.ResNet)

    assert fast == is_fused
    assert isinstance(model.encoder, torchvision.models.ResNet)


def test_an_error_leaves_the_model_as_it_was() -> None:
    model = Whole("bert")
    before = dict(model.named_modules())
    with pytest.raises(KeyError), fusing.fused(model, torch.bfloat16):
        raise KeyError

    assert dict(model.named_modules()) == before


def test_without_the_kernels_the_model_answers_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fusing, "_kernels", SimpleNamespace())
    monkeypatch.setattr(fusing, "_supported", fusing._supported.__wrapped__)
    model, inputs = Whole("resnet18"), inputs_of("resnet18")
    with torch.inference_mode():
        written = model(inputs)
        with fusing.fused(model, torch.float32):
            assert torch.equal(model(inputs), written)


def test_kernels_that_compute_something_else_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    needs(torch.float32)
    honest = fusing._kernels._convolution_pointwise
    wrong = SimpleNamespace(
        _convolution_pointwise=lambda *given: honest(*given) + 1,
        _convolution_pointwise_=fusing._kernels._convolution_pointwise_,
        _reorder_convolution_weight=fusing._kernels._reorder_convolution_weight,
    )
    monkeypatch.setattr(fusing, "_kernels", wrong)

    assert not fusing._supported.__wrapped__(torch.float32)


def test_asking_for_the_kernels_draws_no_random_numbers() -> None:
    torch.manual_seed(0)
    expected = torch.rand(())
    torch.manual_seed(0)
    fusing._supported.__wrapped__(torch.float32)
    fusing._supported.__wrapped__(torch.bfloat16)

    assert torch.rand(()) == expected

"""Predictions with folded batch norms are those of the model as it is written, but for rounding."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from transformers import CLIPVisionConfig, ResNetConfig, TimmWrapperConfig

from multimodal_sentiment.compute.device import Device
from multimodal_sentiment.compute.folding import folded
from multimodal_sentiment.model.image import ImageEncoder
from multimodal_sentiment.predicting.predict import prediction_mode

HALF = [0.5, 0.5, 0.5]
VISION = {
    "resnet": ResNetConfig(embedding_size=8, hidden_sizes=[8, 16], depths=[2, 2]),
    "timm": TimmWrapperConfig(architecture="tf_efficientnet_lite0", do_pooling=True),
    "clip": CLIPVisionConfig(
        hidden_size=48, num_hidden_layers=1, num_attention_heads=3, image_size=64, patch_size=16
    ),
}
CONVOLUTIONAL = ["resnet18", "resnet50", "resnet", "timm"]


def build(name: str) -> ImageEncoder:
    """An encoder of random weights whose batch norms have statistics of their own."""
    torch.manual_seed(0)
    config = VISION.get(name)
    encoder = ImageEncoder(name, HALF, HALF, config and config.to_dict())
    for norm in norms(encoder):
        nn.init.normal_(norm.running_mean, 0, 0.1)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.normal_(norm.bias, 0, 0.1)
    return encoder.eval()


def norms(module: nn.Module) -> list[nn.BatchNorm2d]:
    return [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]


def images() -> torch.Tensor:
    """More than are encoded at a time."""
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (20, 64, 64, 3), dtype=torch.uint8, generator=generator)


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    return float((one.float() - other.float()).norm() / other.float().norm())


@pytest.mark.parametrize("name", [*CONVOLUTIONAL, "clip"])
def test_in_fp32_the_features_are_equal_to_rounding(name: str) -> None:
    encoder, pixels = build(name), images()
    with torch.inference_mode():
        written = encoder(pixels)
        with folded(nn.ModuleList([encoder])):
            left = norms(encoder)
            features = encoder(pixels)
        assert torch.equal(encoder(pixels), written), "the encoder is what it was"

    assert not left
    assert distance(features, written) < 1e-5


@pytest.mark.parametrize("name", CONVOLUTIONAL)
def test_in_bf16_they_are_as_near_to_fp32_as_before(name: str) -> None:
    encoder, pixels = build(name), images()
    with torch.inference_mode():
        exact = encoder(pixels)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            written = encoder(pixels)
            with folded(encoder):
                features = encoder(pixels)

    assert distance(features, exact) < 1.2 * distance(written, exact)


def test_few_images_are_encoded_at_a_time() -> None:
    encoder, batches = build("resnet18"), []
    watched = encoder.encoder.register_forward_hook(
        lambda part, inputs, output: batches.append(len(output))
    )
    with torch.inference_mode(), folded(encoder):
        batches.clear()
        encoder(images())
    watched.remove()

    assert batches == [16, 4]


class Skipping(nn.Module):
    """What its convolution writes is normalised, and read once more."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        maps = self.conv(pixels)
        return (self.norm(maps) + maps).mean((2, 3))


class Twice(nn.Module):
    """One normalisation serves two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.norm = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.BatchNorm2d(8)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.norm(self.two(self.norm(self.one(pixels)))).mean((2, 3))


class Crossed(nn.Module):
    """The norm that is written behind one convolution belongs to the other, of another width."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.norm, self.two = nn.Conv2d(4, 8, 3), nn.BatchNorm2d(4), nn.Conv2d(3, 4, 3)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.one(self.norm(self.two(pixels))).mean((2, 3))


@pytest.mark.parametrize("network", [Skipping, Twice, Crossed])
def test_a_norm_that_cannot_be_folded_stays(network: type[nn.Module]) -> None:
    encoder = build("resnet18")
    encoder.encoder = network()
    for norm in norms(encoder):
        nn.init.uniform_(norm.running_mean, 0.5, 1.5)
    encoder.eval()
    with torch.inference_mode():
        written = encoder(images())
        with folded(encoder):
            assert norms(encoder)
            features = encoder(images())

    assert distance(features, written) < 1e-5


@pytest.mark.parametrize(
    ("precision", "posts", "kind", "is_folded"),
    [
        (torch.float32, 16, "cpu", True),
        (torch.bfloat16, 16, "cpu", True),
        (torch.float32, 15, "cpu", False),
        (torch.float32, 16, "meta", False),
    ],
)
def test_norms_are_folded_on_a_cpu_where_it_pays(
    precision: torch.dtype, posts: int, kind: str, is_folded: bool
) -> None:
    encoder = build("resnet18")
    with prediction_mode(encoder, Device(kind, precision == torch.bfloat16, 0), posts):
        assert is_folded == (not norms(encoder))

    assert norms(encoder)


def test_a_context_within_another_changes_nothing() -> None:
    encoder = build("timm")
    model = nn.ModuleList([encoder])
    before = dict(encoder.named_modules())
    with folded(model):
        layers, forward = dict(encoder.named_modules()), vars(encoder)["forward"]
        with folded(model):
            assert dict(encoder.named_modules()) == layers
        assert dict(encoder.named_modules()) == layers
        assert vars(encoder)["forward"] is forward
    assert dict(encoder.named_modules()) == before
    assert "forward" not in vars(encoder)


def test_an_error_leaves_the_model_as_it_was() -> None:
    encoder = build("timm")
    before = dict(encoder.named_modules())
    with pytest.raises(KeyError), folded(encoder):
        raise KeyError

    assert dict(encoder.named_modules()) == before
    assert "forward" not in vars(encoder)

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torchvision.models import resnet18
from transformers import BertConfig, BertModel

from multimodal_sentiment.model import SentimentConfig, SentimentModel
from multimodal_sentiment.model.fusion import ConcatFusion, GatedFusion, LateFusion
from multimodal_sentiment.model.image import ImageEncoder, normalise
from multimodal_sentiment.model.text import TextEncoder

LABELS = {0: "negative", 1: "neutral", 2: "positive"}
BERT = {
    "model_type": "bert",
    "vocab_size": 50,
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 12,
}
RESNET = {
    "architecture": "resnet18",
    "size": 64,
    "resize": 72,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
}


def build(modality: str = "both", **options: object) -> SentimentModel:
    torch.manual_seed(0)
    config = SentimentConfig(
        modality=modality,
        text_config=None if modality == "image" else BERT,
        image_config=None if modality == "text" else RESNET,
        hidden_size=6,
        id2label=LABELS,
        label2id={label: index for index, label in LABELS.items()},
        **options,
    )
    return SentimentModel(config).eval()


@pytest.fixture
def batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    return {
        "input_ids": torch.randint(5, 50, (4, 7), generator=generator),
        "attention_mask": torch.ones(4, 7, dtype=torch.long),
        "pixels": torch.randint(0, 256, (4, 64, 64, 3), dtype=torch.uint8, generator=generator),
    }


@pytest.mark.parametrize(
    ("modality", "parts"), [("text", {"text"}), ("image", {"image"}), ("both", {"text", "image"})]
)
def test_only_the_encoders_of_the_modality_are_built(modality: str, parts: set[str]) -> None:
    model = build(modality)

    assert set(model.branches) == parts
    assert any("resnet" in type(m).__name__.lower() for m in model.modules()) == ("image" in parts)
    assert any(isinstance(m, BertModel) for m in model.modules()) == ("text" in parts)


@pytest.mark.parametrize("modality", ["text", "image", "both"])
def test_logits_have_one_score_a_post_and_label(
    modality: str, batch: dict[str, torch.Tensor]
) -> None:
    assert build(modality)(**batch).logits.shape == (4, 3)


@pytest.mark.parametrize(("modality", "ignored"), [("text", "pixels"), ("image", "input_ids")])
def test_a_single_modality_never_sees_the_other(
    modality: str, ignored: str, batch: dict[str, torch.Tensor]
) -> None:
    model = build(modality)
    other = batch | {ignored: batch[ignored].flip(0)}

    assert torch.equal(model(**batch).logits, model(**other).logits)


def test_both_modalities_reach_the_logits(batch: dict[str, torch.Tensor]) -> None:
    model = build()
    logits = model(**batch).logits

    for name in ("input_ids", "pixels"):
        changed = model(**batch | {name: batch[name].flip(0)}).logits
        assert not torch.allclose(logits, changed)


def test_a_missing_modality_is_its_embedding_whatever_stands_in_its_place(
    batch: dict[str, torch.Tensor],
) -> None:
    model = build()
    nn.init.normal_(model.branches["image"].missing)
    mask = np.array([True, False, True, True])
    blank = batch["pixels"].clone()
    blank[1] = 7

    logits = model(**batch, has_image=mask).logits
    assert torch.equal(logits, model(**batch | {"pixels": blank}, has_image=mask).logits)
    # The others are answered as if nobody lacked anything.
    torch.testing.assert_close(logits[[0, 2, 3]], model(**batch).logits[[0, 2, 3]])
    # By hand: the fusion of the text's features and the embedding.
    features = model.get_text_features(batch["input_ids"], batch["attention_mask"])
    text = model.branches["text"].norm(features)[1]
    expected = model.fusion.layers(torch.cat([text, model.branches["image"].missing]))
    torch.testing.assert_close(logits[1], expected)


def test_a_batch_that_lacks_everything_is_answered(batch: dict[str, torch.Tensor]) -> None:
    nothing = torch.zeros(4, dtype=torch.bool)
    logits = build()(**batch, has_text=nothing, has_image=nothing).logits

    assert torch.isfinite(logits).all()
    torch.testing.assert_close(logits, logits[:1].expand(4, 3))


def test_padding_changes_nothing(batch: dict[str, torch.Tensor]) -> None:
    for pooling in ("cls", "mean"):
        model = build("text", pooling=pooling)
        padded = torch.nn.functional.pad(batch["input_ids"], (0, 3))
        mask = torch.nn.functional.pad(batch["attention_mask"], (0, 3))

        torch.testing.assert_close(
            model(input_ids=padded, attention_mask=mask).logits,
            model(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).logits,
        )


def test_cls_and_mean_pooling_are_of_the_last_layer(batch: dict[str, torch.Tensor]) -> None:
    config = BertConfig(**{k: v for k, v in BERT.items() if k != "model_type"})
    mask = batch["attention_mask"].clone()
    mask[0, 4:] = 0
    for pooling in ("cls", "mean"):
        encoder = TextEncoder(config, pooling).eval()
        hidden = encoder.encoder(batch["input_ids"], mask)[0]
        expected = hidden[0, 0] if pooling == "cls" else hidden[0, :4].mean(0)

        torch.testing.assert_close(encoder(batch["input_ids"], mask)[0], expected)


def test_pictures_are_normalised_as_torchvision_does(batch: dict[str, torch.Tensor]) -> None:
    encoder = ImageEncoder("resnet18", RESNET["mean"], RESNET["std"]).eval()
    reference = resnet18(weights=None).eval()
    reference.fc = nn.Identity()
    reference.load_state_dict(encoder.encoder.state_dict())
    images = batch["pixels"].permute(0, 3, 1, 2).contiguous() / 255

    torch.testing.assert_close(
        encoder(batch["pixels"]), reference((images - 0.5) / 0.25), rtol=1e-4, atol=1e-4
    )


def test_normalising_leaves_the_pictures_as_they_are() -> None:
    pixels = torch.rand(5, 2, 4, 3).mul(255).transpose(0, 1)  # floats, as a device cuts them
    before = pixels.clone()
    images = normalise(pixels, [0.5, 0.4, 0.3], [0.1, 0.2, 0.4])

    assert torch.equal(pixels, before)
    assert images.is_contiguous(memory_format=torch.channels_last)
    expected = (before[..., 2] / 255 - 0.3) / 0.4
    torch.testing.assert_close(images[:, 2], expected)


def test_the_loss_is_the_weighted_sum_of_all_heads(batch: dict[str, torch.Tensor]) -> None:
    weights = [1.0, 2.0, 0.5]
    model = build(auxiliary_weight=0.3, class_weights=weights)
    labels = torch.tensor([0, 1, 2, 1])
    text = model.branches["text"](model.encode(**batch)["text"], None)
    image = model.branches["image"](model.encode(**batch)["image"], None)

    def loss(logits: torch.Tensor) -> float:
        scores = logits.detach().numpy().astype(float)
        chance = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        weight = np.array(weights)[labels]
        return float(-(weight * np.log(chance[range(4), labels])).sum() / weight.sum())

    expected = (
        loss(model.fusion.layers(torch.cat([text, image], dim=1)))
        + 0.3 * loss(model.branches["text"].head(text))
        + 0.3 * loss(model.branches["image"].head(image))
    )
    assert model(**batch, labels=labels).loss.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("fusion", "visible", "kind"),
    [
        ("concat", False, ConcatFusion),
        ("concat", True, ConcatFusion),
        ("gated", False, GatedFusion),
        ("gated", True, GatedFusion),
        ("late", False, LateFusion),
    ],
)
def test_every_fusion_learns_and_is_saved(
    fusion: str, visible: bool, kind: type, batch: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    model = build(fusion=fusion, visible_scores=visible)
    model.train()(**batch, labels=torch.tensor([0, 1, 2, 0])).loss.backward()
    learning = {name: weight.grad is not None for name, weight in model.named_parameters()}
    model.eval().save_pretrained(tmp_path)

    assert isinstance(model.fusion, kind)
    assert model.fusion.with_logits == visible if fusion != "late" else True
    assert all(learnt for name, learnt in learning.items() if not name.endswith("missing"))
    loaded = SentimentModel.from_pretrained(tmp_path).eval()
    torch.testing.assert_close(loaded(**batch).logits, model(**batch).logits)


@pytest.mark.parametrize("fusion", ["concat", "gated"])
def test_a_single_modality_is_classified_by_a_perceptron(fusion: str) -> None:
    model = build("text", fusion=fusion, visible_scores=True)

    assert isinstance(model.fusion, ConcatFusion)
    assert model.branches["text"].head is None


def test_a_single_modality_of_late_fusion_answers_by_its_own_scores(
    batch: dict[str, torch.Tensor],
) -> None:
    model = build("text", fusion="late", auxiliary_weight=0.3)
    text = model.branches["text"](model.encode(**batch)["text"], None)
    labels = torch.tensor([0, 1, 2, 1])
    output = model(**batch, labels=labels)

    torch.testing.assert_close(output.logits, model.branches["text"].head(text))
    torch.testing.assert_close(
        output.loss, torch.nn.functional.cross_entropy(output.logits, labels)
    )


def test_without_auxiliary_loss_there_are_no_heads() -> None:
    assert build(auxiliary_weight=0.0).branches["text"].head is None
    assert build("text", auxiliary_weight=0.3).branches["text"].head is None


def test_a_mask_may_be_an_array_or_a_tensor(batch: dict[str, torch.Tensor]) -> None:
    model, mask = build(), np.array([True, False, True, False])
    for name in ("has_text", "has_image"):
        array = model(**batch, **{name: mask}).logits
        tensor = model(**batch, **{name: torch.from_numpy(mask)}).logits
        torch.testing.assert_close(array, tensor)


def test_posts_that_lack_a_modality_are_not_encoded(batch: dict[str, torch.Tensor]) -> None:
    model, seen = build(), []
    model.branches["image"].encoder.register_forward_hook(
        lambda _, inputs, __: seen.append(inputs[0].shape[0])
    )
    features = model.encode(**batch, has_image=np.array([True, False, True, False]))

    assert seen == [2]
    assert not features["image"][[1, 3]].any()


def test_what_is_encoded_already_is_fused_as_it_is(batch: dict[str, torch.Tensor]) -> None:
    model = build(auxiliary_weight=0.3)
    features = model.encode(**batch)
    labels = torch.tensor([0, 1, 2, 0])

    whole = model(**batch, labels=labels)
    fused = model(features=features, labels=labels)
    torch.testing.assert_close(fused.logits, whole.logits)
    torch.testing.assert_close(fused.loss, whole.loss)
    half = model(batch["input_ids"], batch["attention_mask"], features=features)
    torch.testing.assert_close(half.logits, whole.logits)
    torch.testing.assert_close(model.get_image_features(batch["pixels"]), features["image"])


def test_gradients_reach_every_weight(batch: dict[str, torch.Tensor]) -> None:
    model = build(auxiliary_weight=0.3).train()
    present = torch.tensor([True, True, True, False])
    model(
        **batch, has_text=present, has_image=present, labels=torch.tensor([0, 1, 2, 0])
    ).loss.backward()

    without = [name for name, weight in model.named_parameters() if weight.grad is None]
    assert without == []


def test_a_frozen_encoder_does_not_change_while_training(batch: dict[str, torch.Tensor]) -> None:
    model = build()
    model.branches["image"].encoder.requires_grad_(False)
    before = {k: v.clone() for k, v in model.branches["image"].encoder.state_dict().items()}
    model.train()(**batch)

    after = model.branches["image"].encoder.state_dict()
    assert all(torch.equal(value, after[name]) for name, value in before.items())


@pytest.mark.parametrize("modality", ["text", "image", "both"])
def test_a_saved_model_answers_as_before(
    modality: str, batch: dict[str, torch.Tensor], tmp_path: Path
) -> None:
    model = build(modality, auxiliary_weight=0.3, class_weights=[1.0, 2.0, 3.0])
    model.train()(**batch)  # moves the batch statistics
    model.eval()
    for branch in model.branches.values():
        nn.init.normal_(branch.missing)
    model.save_pretrained(tmp_path)
    loaded = SentimentModel.from_pretrained(tmp_path).eval()

    labels = torch.tensor([0, 1, 2, 0])
    torch.testing.assert_close(
        loaded(**batch, labels=labels).loss, model(**batch, labels=labels).loss
    )
    torch.testing.assert_close(loaded(**batch).logits, model(**batch).logits, rtol=1e-5, atol=1e-5)
    assert loaded.config.labels == ["negative", "neutral", "positive"]
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".safetensors"}


def test_image_weights_start_as_torchvision_initialises_them() -> None:
    # He initialisation of the first layer: standard deviation sqrt(2 / (64 * 7 * 7)).
    weight = build("image").branches["image"].encoder.encoder.conv1.weight

    assert float(weight.std()) == pytest.approx(np.sqrt(2 / (64 * 49)), rel=0.1)

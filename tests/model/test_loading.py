"""Pretrained encoders, tiny and with random weights: what is read, and what is refused."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece
import timm
import torch
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import get_model
from transformers import (
    AutoModel,
    BartConfig,
    BartModel,
    BertForMaskedLM,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    CLIPVisionModel,
    DebertaV2Config,
    DebertaV2Model,
    DistilBertConfig,
    DistilBertForMaskedLM,
    GPT2Config,
    GPT2Model,
    MobileViTConfig,
    MobileViTModel,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaTokenizerFast,
    T5Config,
    T5Model,
    ViTMAEConfig,
    ViTMAEModel,
)

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.datasets import EncoderStoreDataset
from multimodal_sentiment.encoders import Encoder, EncoderError, EncoderStore, find_encoder
from multimodal_sentiment.encoders.references import PUBLISHED
from multimodal_sentiment.learning import fit_classifier
from multimodal_sentiment.model import (
    SentimentClassifier,
    SentimentConfig,
    build_model,
    validation,
)
from multimodal_sentiment.model.image import ImageEncoder, normalise
from multimodal_sentiment.model.loading import load_image_encoder, load_text_encoder
from multimodal_sentiment.model.networks import encoder_config
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.predicting import encode_examples, predict_examples
from multimodal_sentiment.runs.checks.encoders import check_encoders
from multimodal_sentiment.runs.checks.warnings import warn_of_enlarged_images

from ..tiny_encoders import save_bert

WORDS = "good bad day night see the sun rain a we http @user".split()
TINY = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}
CLIP_MEAN, CLIP_STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def save_small_bert(folder: Path, **changes: Any) -> None:
    sizes = {"hidden_size": 8, "num_hidden_layers": 2, "intermediate_size": 16}
    save_bert(folder, WORDS, **sizes | {"max_position_embeddings": 20} | changes)


def save_distilbert(folder: Path) -> None:
    save_small_bert(folder)
    sizes = {"dim": 8, "n_layers": 2, "n_heads": 2, "hidden_dim": 16}
    config = DistilBertConfig(vocab_size=len(WORDS) + 5, max_position_embeddings=20, **sizes)
    DistilBertForMaskedLM(config).save_pretrained(folder)


def save_roberta(folder: Path, tokens: list[str] | None = None) -> None:
    """Classified tweets, as the published tweet-trained ones are; or its vocabulary replaced."""
    pieces = tokens or ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *"abdeghinorstuw@:/.", "Ġ"]
    config = RobertaConfig(
        vocab_size=len(pieces),
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=20,
        num_labels=3,
    )
    RobertaForSequenceClassification(config).save_pretrained(folder)
    if tokens is None:
        vocabulary = {piece: index for index, piece in enumerate(pieces)}
        RobertaTokenizerFast(vocab=vocabulary, merges=[]).save_pretrained(folder)


def save_bertweet(folder: Path) -> None:
    """As vinai/bertweet-base lies on its hub: its tokenizer has files of its own kind."""
    words = ["good", "bad", "day", "HTTPURL", "@USER", "s@@", "un"]
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    save_roberta(folder, special + words)
    (folder / "vocab.txt").write_text("".join(f"{word} 9\n" for word in words))
    merges = ["g o", "go o", "goo d</w>", "b a", "ba d</w>", "d a", "da y</w>", "u n</w>"]
    (folder / "bpe.codes").write_text("".join(f"{merge} 9\n" for merge in merges))
    config = json.loads((folder / "config.json").read_text())
    config["tokenizer_class"] = "BertweetTokenizer"
    (folder / "config.json").write_text(json.dumps(config))


TEXTS = {
    "bert": save_small_bert,
    "distilbert": save_distilbert,
    "roberta": save_roberta,
    "bertweet": save_bertweet,
}


def save_resnet(folder: Path, name: str = "resnet18") -> None:
    """As timm publishes torchvision's weights."""
    folder.mkdir()
    network = get_model(name, weights=None)
    for key, value in network.named_buffers():
        if "running" in key:
            nn.init.uniform_(value, 0.5, 1.5)
    state = {k: v for k, v in network.state_dict().items() if "num_batches" not in k}
    save_file(state, folder / "model.safetensors")
    config = {
        "architecture": name,
        "pretrained_cfg": {"mean": [0.1, 0.2, 0.3], "std": [0.5, 0.6, 0.7]},
    }
    (folder / "config.json").write_text(json.dumps(config))


def save_clip(folder: Path) -> None:
    text = CLIPTextConfig(vocab_size=50, bos_token_id=1, eos_token_id=2, **TINY)
    vision = CLIPVisionConfig(image_size=64, patch_size=32, **TINY)
    config = CLIPConfig(text_config=text.to_dict(), vision_config=vision.to_dict())
    CLIPModel(config).half().save_pretrained(folder)
    statistics = {"image_mean": CLIP_MEAN, "image_std": CLIP_STD}
    (folder / "preprocessor_config.json").write_text(json.dumps(statistics))


IMAGES = {"resnet": save_resnet, "clip": save_clip}


@pytest.fixture
def folder(tmp_path: Path) -> Callable[[Callable[..., None]], Path]:
    """Where a function has saved an encoder."""

    def build(save: Callable[..., None], **changes: Any) -> Path:
        torch.manual_seed(0)
        path = tmp_path / "encoder"
        save(path, **changes)
        return path

    return build


def encoder_at(path: Path) -> Encoder:
    return Encoder(path.name, path, "the local folder")


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    rng = np.random.default_rng(0)
    tags = [("negative", "positive")[index % 2] for index in range(30)]
    texts = [f"a {'good' if tag == 'positive' else 'bad'} day @Ann http://x.y" for tag in tags]
    texts[3] = ""
    pictures = [rng.integers(0, 256, (70, 80, 3), dtype=np.uint8) for _ in tags]
    pictures[5] = None
    examples = make_examples(texts, tags, pictures)
    return LabelledPosts(examples, np.arange(30), np.array(tags, dtype=object), np.arange(30))


@pytest.mark.parametrize(
    ("text", "image"), [*((text, None) for text in TEXTS), *((None, image) for image in IMAGES)]
)
def test_each_family_is_trained_saved_loaded_and_answers_as_before(
    text: str | None,
    image: str | None,
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    folder: Callable[..., Path],
    tmp_path: Path,
) -> None:
    path = folder(TEXTS[text] if text else IMAGES[str(image)])
    modality = "text" if text else "image"
    parameters = tiny(
        model__modality=modality,
        **{f"model__{modality}__encoder": "encoder"},
        training__learning_rate__text=1e-3,
    )
    compute = parameters.compute
    store = EncoderStore(tmp_path / "store", tmp_path)
    classifier, _ = fit_classifier(
        posts,
        {"weights": {}},
        parameters.model,
        parameters.training,
        compute,
        tmp_path / "checkpoints",
        store,
        encode_examples(posts.examples, [], store, compute),
    )
    classifier.save_pretrained(tmp_path / "model")
    for file in sorted(path.iterdir()):
        file.unlink()  # the trained model carries all it needs
    loaded = SentimentClassifier.load(tmp_path / "model")

    columns = [f"p_{label}" for label in classifier.labels]
    before = predict_examples(classifier, posts.examples, posts.rows, compute)
    after = predict_examples(loaded, posts.examples, posts.rows, compute)
    np.testing.assert_allclose(after[columns], before[columns], atol=1e-5)
    origin = loaded.config.training["encoders"][modality]
    assert origin["name"] == "encoder"
    assert origin["source"] == "the local folder"
    assert len(origin["sha256"]) == 64


def test_bertweet_starts_as_it_was_published(folder: Callable[..., Path]) -> None:
    path = folder(save_bertweet)
    ours, tokenizer = load_text_encoder(encoder_at(path), 16)
    published = AutoModel.from_pretrained(path).eval()

    batch = tokenizer(["good day", "bad"], padding=True, return_tensors="pt")
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    expected = published(**inputs).last_hidden_state[:, 0]
    torch.testing.assert_close(ours(**inputs), expected)
    assert len(set(inputs["input_ids"].flatten().tolist())) > 4


def test_the_names_that_old_weights_give_are_understood(folder: Callable[..., Path]) -> None:
    path = folder(save_small_bert)
    current, _ = load_text_encoder(encoder_at(path), 16)
    file = path / "model.safetensors"
    old = {
        name.replace("LayerNorm.weight", "LayerNorm.gamma").replace(
            "LayerNorm.bias", "LayerNorm.beta"
        ): value
        for name, value in load_file(file).items()
    }
    assert any("gamma" in name for name in old)
    old["bert.embeddings.position_ids"] = torch.arange(20)
    save_file(old, file, {"format": "pt"})
    model, _ = load_text_encoder(encoder_at(path), 16)

    for name, value in current.state_dict().items():
        assert torch.equal(value, model.state_dict()[name])


def test_bertweet_without_the_library_for_emoji_says_that_they_are_lost(
    folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    validation._log_lost_emoji.cache_clear()
    encoder = encoder_at(folder(save_bertweet))
    monkeypatch.setitem(sys.modules, "emoji", SimpleNamespace(demojize=str))
    load_text_encoder(encoder, 16)
    assert "emoji" not in caplog.text
    monkeypatch.setitem(sys.modules, "emoji", None)
    load_text_encoder(encoder, 16)

    assert "which is not installed: they are lost: pip install emoji" in caplog.text


def test_bertweet_reads_links_and_users_as_it_was_taught(folder: Callable[..., Path]) -> None:
    _, tokenizer = load_text_encoder(encoder_at(folder(save_bertweet)), 16)

    pieces = tokenizer.tokenize("@user good day http")
    assert tokenizer.convert_tokens_to_string(pieces) == "@USER good day HTTPURL"


def image_encoder(
    path: Path, size: int | None = None, resize: int | None = None
) -> tuple[dict[str, Any], ImageEncoder]:
    """What defines an encoder, and the encoder as it sees."""
    config, weights = load_image_encoder(encoder_at(path), size, resize)
    encoder = ImageEncoder(**SentimentConfig(image_config=config).image_encoder).eval()
    encoder.encoder.load_state_dict(weights, strict=False)
    return config, encoder


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_resnet_in_the_hubs_naming_gives_the_features_of_the_same_weights_loaded_natively(
    folder: Callable[..., Path], name: str
) -> None:
    path = folder(save_resnet, name=name)
    _, ours = image_encoder(path, 64)
    native = get_model(name, weights=None).eval()
    counters = {k: v for k, v in native.state_dict().items() if "num_batches" in k}
    native.load_state_dict(load_file(path / "model.safetensors") | counters)
    native.fc = nn.Identity()

    pixels = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    images = pixels.permute(0, 3, 1, 2) / 255
    mean = torch.tensor([0.1, 0.2, 0.3]).view(3, 1, 1)
    std = torch.tensor([0.5, 0.6, 0.7]).view(3, 1, 1)
    torch.testing.assert_close(ours(pixels), native((images - mean) / std), rtol=1e-4, atol=1e-4)


def test_a_file_of_weights_is_recognised_and_normalised_as_imagenet(
    folder: Callable[..., Path],
) -> None:
    path = folder(save_resnet) / "model.safetensors"
    config, ours = image_encoder(path)

    assert config == {
        "architecture": "resnet18",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
        "interpolation": "bilinear",
        "size": 224,
        "resize": 256,
    }
    assert torch.equal(ours.encoder.conv1.weight, load_file(path)["conv1.weight"])


def test_of_a_pair_of_towers_the_one_that_sees_is_taken_with_its_own_statistics(
    folder: Callable[..., Path],
) -> None:
    path = folder(save_clip)  # in half precision
    _, ours = image_encoder(path, 64)
    whole = CLIPModel.from_pretrained(path, dtype=torch.float32).eval()

    pixels = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (CLIP_MEAN, CLIP_STD))
    images = (pixels.permute(0, 3, 1, 2) / 255 - mean) / std
    torch.testing.assert_close(ours(pixels), whole.vision_model(images).pooler_output)
    assert {weight.dtype for weight in ours.encoder.state_dict().values()} == {torch.float32}


def test_models_of_earlier_versions_load_as_before(
    folder: Callable[..., Path], tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    encoder = encoder_at(folder(save_clip))
    parameters = tiny(model__modality="image", model__image__encoder="encoder").model
    model, _ = build_model(parameters, ["a", "b"], [], {"image": encoder})
    SentimentClassifier(model, None, {}).save_pretrained(tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    config = json.loads(file.read_text())
    image = config["image_config"]
    del image["pooling"], image["interpolation"]
    image |= {"architecture": "clip", "vision": CLIPVisionConfig(**image["vision"]).to_dict()}
    file.write_text(json.dumps(config))

    loaded = SentimentClassifier.load(tmp_path / "model").model.eval()
    pixels = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    torch.testing.assert_close(loaded(pixels=pixels).logits, model.eval()(pixels=pixels).logits)


def change_weights(path: Path, *, drop: str = "", add: str = "", cut: str = "") -> None:
    file = path / "model.safetensors"
    weights = {k: v for k, v in load_file(file).items() if k != drop}
    weights |= {add: torch.zeros(1)} if add else {}
    weights |= {cut: weights[cut][1:].clone()} if cut else {}
    save_file(weights, file, {"format": "pt"})


def change_config(path: Path, file: str = "config.json", **changes: Any) -> None:
    content = json.loads((path / file).read_text())
    (path / file).write_text(json.dumps(content | changes))


RESNET_KEY, BERT_KEY = "layer2.0.conv1.weight", "bert.encoder.layer.1.output.dense.bias"
CLIP_KEY = "vision_model.encoder.layers.0.mlp.fc1.bias"
MORE = "bert.encoder.layer.2.output.dense.bias"


@pytest.mark.parametrize(
    ("save", "change", "words"),
    [
        (save_resnet, {"drop": RESNET_KEY}, f"timm_model.{RESNET_KEY} first"),
        (save_resnet, {"add": "layer5.0.bn1.bias"}, "timm_model.layer5.0.bn1.bias first"),
        (save_clip, {"drop": CLIP_KEY}, ": 1, encoder.layers.0.mlp.fc1.bias first"),
        (save_clip, {"add": "vision_model.x"}, ": 1, x first"),
        (save_small_bert, {"drop": BERT_KEY}, ": 1, encoder.layer.1.output.dense.bias first"),
        (save_small_bert, {"add": MORE}, f": 1, {MORE} first"),
    ],
)
def test_a_missing_or_superfluous_weight_is_named(
    folder: Callable[..., Path], save: Callable[..., None], change: dict[str, str], words: str
) -> None:
    path = folder(save)
    change_weights(path, **change)
    load = load_text_encoder if save is save_small_bert else load_image_encoder

    with pytest.raises(EncoderError) as caught:
        load(encoder_at(path), 16 if save is save_small_bert else 64)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"drop": RESNET_KEY}, RESNET_KEY),
        ({"add": "layer5.0.bn1.bias"}, "layer5.0.bn1.bias"),
        ({"cut": RESNET_KEY}, RESNET_KEY),
    ],
)
def test_so_it_is_in_a_file_of_weights(
    folder: Callable[..., Path], change: dict[str, str], key: str
) -> None:
    path = folder(save_resnet)
    change_weights(path, **change)

    with pytest.raises(EncoderError, match=f"resnet18: weights missing, .*: 1, {key} first"):
        load_image_encoder(encoder_at(path / "model.safetensors"), 64)


def test_weights_of_another_architecture_are_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_resnet)
    change_config(path, architecture="resnet50")

    with pytest.raises(EncoderError, match=r"model\.image\.encoder: .* ") as caught:
        load_image_encoder(encoder_at(path), 64)
    assert "\n" not in str(caught.value)


def test_weights_of_another_size_are_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_small_bert)
    change_config(path, hidden_size=16)

    with pytest.raises(EncoderError, match=r"model\.text\.encoder: cannot load .*encoder: ") as got:
        load_text_encoder(encoder_at(path), 16)
    assert "\n" not in str(got.value)


def test_a_foreign_tokenizer_is_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_small_bert, vocab_size=3000)
    with pytest.raises(EncoderError, match="has 17 tokens, the encoder 3000: they do not belong"):
        load_text_encoder(encoder_at(path), 16)
    (path / "config.json").unlink()
    save_roberta(path, ["token"] * 30)
    with pytest.raises(EncoderError, match="pads with token 0, the encoder with 1"):
        load_text_encoder(encoder_at(path), 16)


def test_a_tokenizer_without_a_mask_is_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_small_bert)
    settings = path / "tokenizer_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"mask_token": None}))
    with pytest.raises(EncoderError, match="has no mask token: put the encoder's own there"):
        load_text_encoder(encoder_at(path), 16)


def test_more_than_an_encoder_reads_is_refused(folder: Callable[..., Path]) -> None:
    path = encoder_at(folder(save_roberta))
    with pytest.raises(EncoderError, match="reads at most 18 tokens, not 19: set at most that"):
        load_text_encoder(path, 19)
    load_text_encoder(path, 18)


def test_an_encoder_whose_positions_can_be_interpolated_sees_other_sizes(
    folder: Callable[..., Path], caplog: pytest.LogCaptureFixture
) -> None:
    path = folder(save_clip)
    change_config(
        path,
        "preprocessor_config.json",
        size={"shortest_edge": 64},
        crop_size={"height": 64, "width": 64},
    )
    caplog.set_level("INFO")
    config, ours = image_encoder(path, 96)
    whole = CLIPModel.from_pretrained(path, dtype=torch.float32).eval()

    assert (config["size"], config["resize"]) == (96, 96)
    assert "was made for 64 px, and is given 96 px" in caplog.text
    pixels = torch.randint(0, 256, (2, 96, 96, 3), dtype=torch.uint8)
    images = normalise(pixels, CLIP_MEAN, CLIP_STD)
    expected = whole.vision_model(images, interpolate_pos_encoding=True).pooler_output
    torch.testing.assert_close(ours(pixels), expected)


def save_timm(folder: Path, name: str = "vit_tiny_patch16_224") -> None:
    """A ViT of fixed size, as timm saves it for a hub."""
    folder.mkdir()
    arguments = {"depth": 1, "embed_dim": 8, "num_heads": 2}
    network = timm.create_model(name, num_classes=2, **arguments)
    save_file(network.state_dict(), folder / "model.safetensors")
    about = {"architecture": name, "pretrained_cfg": network.pretrained_cfg}
    (folder / "config.json").write_text(json.dumps(about | {"model_args": arguments}))


def test_a_size_that_an_encoder_cannot_see_is_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_timm)
    with pytest.raises(
        EncoderError, match=r"made for 224 px, cannot be used at 96 px: .*size=null,model"
    ):
        load_image_encoder(encoder_at(path), 96)
    with pytest.raises(EncoderError, match=r"model\.image\.resize: encoder sees squares of 224 px"):
        load_image_encoder(encoder_at(path), None, 128)


def test_an_encoder_of_another_fixed_size_is_used_as_the_refusal_advises(
    folder: Callable[..., Path],
) -> None:
    encoder = encoder_at(folder(save_timm, name="vit_tiny_patch16_384"))
    with pytest.raises(EncoderError) as refused:
        load_image_encoder(encoder, 224, 224)
    said = str(refused.value)
    assert "made for 384 px, cannot be used at 224 px" in said
    assert ": set model.image.size=null,model.image.resize=null, or choose another" in said

    assert load_image_encoder(encoder)[0]["size"] == 384


def save_clip_of(folder: Path, size: int) -> None:
    save_clip(folder)
    vision = CLIPVisionConfig(image_size=size, patch_size=32, **TINY)
    CLIPVisionModel(vision).save_pretrained(folder)
    change_config(
        folder,
        "preprocessor_config.json",
        image_processor_type="CLIPImageProcessor",
        size={"shortest_edge": size + size // 8},
        crop_size={"height": size, "width": size},
    )


@pytest.mark.parametrize("size", [32, 1024])
def test_a_model_of_any_size_that_is_trained_can_be_loaded(
    size: int, folder: Callable[..., Path], tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    encoder = encoder_at(folder(save_clip_of, size=size))
    whole = {"model__image__size": None, "model__image__resize": None}
    named = {"model__modality": "image", "model__image__encoder": str(encoder.path)}
    model, _ = build_model(tiny(**named, **whole).model, ["a", "b"], [], {"image": encoder})
    SentimentClassifier(model, None, {}).save_pretrained(tmp_path / "model")
    config = SentimentClassifier.load(tmp_path / "model").config.image_config

    assert (config["size"], config["resize"]) == (size, size + size // 8)


def test_a_size_that_no_saved_model_may_have_is_refused(folder: Callable[..., Path]) -> None:
    encoder = encoder_at(folder(save_clip_of, size=64))
    change_config(encoder.path, "preprocessor_config.json", size={"shortest_edge": 192})
    with pytest.raises(EncoderError, match="cut out of 3072 px, and at most 2048 px are possible"):
        load_image_encoder(encoder, 1024)


def test_an_image_encoder_is_read_as_transformers_writes_it_with_its_tokenizer(
    folder: Callable[..., Path],
) -> None:
    path = folder(save_clip)
    settings = json.loads((path / "preprocessor_config.json").read_text())
    settings["image_processor_type"] = "CLIPImageProcessor"
    (path / "preprocessor_config.json").unlink()
    whole = {"processor_class": "CLIPProcessor", "image_processor": settings}
    (path / "processor_config.json").write_text(json.dumps(whole))
    identity = encoder_at(path).identify()["settings_sha256"]

    assert load_image_encoder(encoder_at(path), 64)[0]["mean"] == CLIP_MEAN
    whole["image_processor"]["image_mean"] = CLIP_STD
    (path / "processor_config.json").write_text(json.dumps(whole))
    assert encoder_at(path).identify()["settings_sha256"] != identity


@pytest.mark.parametrize(
    ("save", "family"),
    [
        (lambda at: GPT2Model(GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2)), "gpt2"),
        (lambda at: T5Model(T5Config(vocab_size=20, d_model=8, d_ff=8, num_layers=1)), "t5"),
        (lambda at: BartModel(BartConfig(vocab_size=20, d_model=16, encoder_layers=1)), "bart"),
    ],
)
def test_a_decoder_in_place_of_an_encoder_is_refused(
    folder: Callable[..., Path], save: Callable[..., Any], family: str
) -> None:
    path = folder(save_small_bert)
    save(path).save_pretrained(path)

    with pytest.raises(EncoderError, match=f"{family} is no encoder of texts") as caught:
        load_text_encoder(encoder_at(path), 16)
    assert "\n" not in str(caught.value)


def test_an_encoder_of_the_other_modality_is_refused(folder: Callable[..., Path]) -> None:
    path = encoder_at(folder(save_small_bert))
    with pytest.raises(EncoderError, match="bert is no encoder of images: choose one such as"):
        load_image_encoder(path)
    save_clip(path.path)
    with pytest.raises(EncoderError, match="clip is no encoder of texts"):
        load_text_encoder(path, 16)


def test_an_encoder_that_needs_more_than_pictures_or_draws_at_random_is_refused(
    folder: Callable[..., Path],
) -> None:
    config = ViTMAEConfig(image_size=96, decoder_hidden_size=8, decoder_num_hidden_layers=1, **TINY)
    path = folder(lambda at: ViTMAEModel(config).save_pretrained(at))
    size = {"image_processor_type": "ViTImageProcessor", "size": {"height": 96, "width": 96}}
    (path / "preprocessor_config.json").write_text(json.dumps(size))

    with pytest.raises(EncoderError, match=r"a vit_mae, .* cannot be used at 96 px: it draws at"):
        load_image_encoder(encoder_at(path))


def test_weights_in_several_files_are_read(folder: Callable[..., Path], tmp_path: Path) -> None:
    path = folder(save_small_bert)
    one, _ = load_text_encoder(encoder_at(path), 16)
    (path / "model.safetensors").unlink()
    torch.manual_seed(0)
    save_small_bert(path)
    BertForMaskedLM.from_pretrained(path).save_pretrained(path, max_shard_size=4000)
    (path / "model.safetensors").unlink(missing_ok=True)
    shards = sorted(path.glob("model-*.safetensors"))
    assert len(shards) > 1
    several, _ = load_text_encoder(encoder_at(path), 16)

    for name, value in one.state_dict().items():
        assert torch.equal(value, several.state_dict()[name])
    identity = find_encoder(
        EncoderStore(tmp_path / "store", tmp_path), "text", "encoder"
    ).identify()
    shards[0].write_bytes(shards[1].read_bytes())
    other = find_encoder(EncoderStore(tmp_path / "store", tmp_path), "text", "encoder").identify()
    assert identity["sha256"] != other["sha256"]
    shards[0].unlink()
    with pytest.raises(EncoderError, match=rf"has no {shards[0].name}, which .* lists"):
        find_encoder(EncoderStore(tmp_path / "store", tmp_path), "text", "encoder")
    index = {"weight_map": {"weight": "../other.safetensors"}}
    (path / "model.safetensors.index.json").write_text(json.dumps(index))
    with pytest.raises(EncoderError, match=r"names '\.\./other\.safetensors'"):
        find_encoder(EncoderStore(tmp_path / "store", tmp_path), "text", "encoder")


def test_a_vocabulary_of_sentencepiece_is_read(folder: Callable[..., Path], tmp_path: Path) -> None:
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["good day we see the sun", "bad rain a night"] * 50),
        model_prefix=str(tmp_path / "spm"),
        vocab_size=22,
        pad_id=0,
        bos_id=1,
        eos_id=2,
        unk_id=3,
        pad_piece="[PAD]",
        bos_piece="[CLS]",
        eos_piece="[SEP]",
        unk_piece="[UNK]",
        minloglevel=2,
    )
    config = DebertaV2Config(vocab_size=48, max_position_embeddings=20, **TINY)
    path = folder(lambda at: DebertaV2Model(config).save_pretrained(at))
    (tmp_path / "spm.model").rename(path / "spm.model")
    (path / "tokenizer_config.json").write_text('{"tokenizer_class": "DebertaV2Tokenizer"}')

    encoder = find_encoder(EncoderStore(tmp_path / "store", tmp_path), "text", "encoder")
    _, tokenizer = load_text_encoder(encoder, 16)
    ids = tokenizer("good day")["input_ids"]
    assert tokenizer.decode(ids, skip_special_tokens=True).strip() == "good day"
    assert (ids[0], ids[-1]) == (1, 2)
    assert 3 not in ids


def test_a_cache_without_the_file_that_says_how_to_pool_is_warned_of(
    folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    path, commit = folder(save_small_bert), "0" * 40
    repository = path.parent / "models--lab--tiny"
    (repository / "snapshots").mkdir(parents=True)
    path.rename(repository / "snapshots" / commit)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(commit)
    known = repository / ".no_exist" / commit / "1_Pooling" / "config.json"
    known.parent.mkdir(parents=True)
    known.touch()
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(path.parent))
    store = EncoderStore(path.parent / "store", path.parent)

    load_text_encoder(store.find("lab/tiny"), 16)
    assert not caplog.text  # its repository has no such file
    known.unlink()
    load_text_encoder(store.find("lab/tiny"), 16, "cls")
    assert not caplog.text
    load_text_encoder(store.find("lab/tiny"), 16)
    assert "lab/tiny may say that it was trained with the mean: its first token" in caplog.text
    assert store.find("lab/tiny").may_lack_pooling
    (repository / "snapshots" / commit / ".gitattributes").touch()  # it was fetched whole
    assert not store.find("lab/tiny").may_lack_pooling


@pytest.mark.parametrize(
    ("name", "warned"), [("bert-base-uncased", False), ("intfloat/multilingual-e5-base", True)]
)
def test_of_a_pinned_encoder_it_is_known_whether_a_cache_lacks_how_it_pools(
    name: str, warned: bool, folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder(save_small_bert)
    (known,) = (one for one in PUBLISHED if one.name == name)
    snapshots = path.parent / f"models--{known.repository.replace('/', '--')}" / "snapshots"
    snapshots.mkdir(parents=True)
    path.rename(snapshots / str(known.revision))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(path.parent))

    found = EncoderStore(path.parent / "store", path.parent).find(name)
    assert found.may_lack_pooling == warned


@pytest.mark.parametrize(
    ("content", "pooling"),
    [
        (None, "cls"),
        ({"pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}, "mean"),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}, "cls"),
        ({"pooling_mode": "mean"}, "mean"),
        ({"pooling_mode_max_tokens": True}, None),
        ({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}, None),
    ],
)
def test_a_text_encoder_is_pooled_as_sentence_transformers_says(
    folder: Callable[..., Path], content: dict[str, Any] | None, pooling: str | None
) -> None:
    encoder = encoder_at(folder(save_small_bert))
    if content is not None:
        (encoder.path / "1_Pooling").mkdir()
        (encoder.path / "1_Pooling" / "config.json").write_text(json.dumps(content))
    if pooling is None:
        with pytest.raises(EncoderError, match=r"model\.text\.pooling: .* set one of the two"):
            load_text_encoder(encoder, 16)
    else:
        assert load_text_encoder(encoder, 16)[0].pooling == pooling
    assert load_text_encoder(encoder, 16, "mean")[0].pooling == "mean"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architecture": "hf-hub:timm/test_vit"}, "has no hf-hub:timm/test_vit"),
        ({"architecture": "local-dir:/tmp"}, "has no local-dir:/tmp"),
        (
            {"model_args": {"checkpoint_path": "evil.pth"}},
            "wrong image_config.model_args: checkpoint_path",
        ),
        ({"model_args": {"pretrained": True}}, "wrong image_config.model_args: pretrained"),
        ({"model_args": {"depth": 10**9}}, "claims 1000000000 layers"),
    ],
)
def test_what_would_have_timm_look_elsewhere_is_refused(
    folder: Callable[..., Path], changes: dict[str, Any], words: str
) -> None:
    path = folder(save_timm)
    change_config(path, **changes)

    with pytest.raises(EncoderError, match=re.escape(words)):
        load_image_encoder(encoder_at(path))


def test_a_backbone_to_fetch_is_refused() -> None:
    backbone = {
        "model_type": "timm_backbone",
        "backbone": "resnet50",
        "use_pretrained_backbone": True,
    }
    with pytest.raises(ValueError, match="a detr that names a backbone to fetch"):
        encoder_config({"model_type": "detr", "backbone_config": backbone}, "image")


def test_statistics_that_are_broken_are_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_clip)
    for content, words in [
        ('{"image_mean": [0.4', "preprocessor_config.json is broken"),
        ('{"image_std": [0.4, "wide"]}', "has no three numbers as image_std"),
        ('{"image_std": [0.4, 0, 0.4]}', "has no three numbers as image_std"),
        ("[]", "preprocessor_config.json is broken"),
    ]:
        (path / "preprocessor_config.json").write_text(content)
        with pytest.raises(EncoderError, match=words):
            load_image_encoder(encoder_at(path), 64)
    (path / "preprocessor_config.json").unlink()
    with pytest.raises(EncoderError, match=r"has no preprocessor_config\.json, .*put the encoder"):
        load_image_encoder(encoder_at(path), 64)


def test_pictures_that_are_to_be_prepared_otherwise_are_refused(
    folder: Callable[..., Path],
) -> None:
    config = MobileViTConfig(
        image_size=64, hidden_sizes=[8, 8, 8], neck_hidden_sizes=[4, 4, 4, 8, 8, 8, 8],
        num_attention_heads=2,
    )  # fmt: skip
    path = folder(lambda at: MobileViTModel(config).save_pretrained(at))
    said = {"size": {"shortest_edge": 72}, "crop_size": {"height": 64, "width": 64}}
    said |= {"image_mean": [0, 0, 0], "image_std": [1, 1, 1], "do_flip_channel_order": True}
    (path / "preprocessor_config.json").write_text(json.dumps(said))

    with pytest.raises(EncoderError, match="asks for more than to resize, cut out and normalise"):
        load_image_encoder(encoder_at(path))


@pytest.mark.parametrize(
    ("save", "break_it", "words"),
    [
        (save_small_bert, {"model__text__max_tokens": 21}, "reads at most 20 tokens, not 21"),
        (save_small_bert, {"vocab_size": 3000}, "they do not belong together"),
        (save_resnet, {"drop": RESNET_KEY}, f"timm_model.{RESNET_KEY} first"),
        (save_timm, {"model__image__resize": 96, "model__image__size": 96}, "for 224 px, cannot"),
    ],
)
def test_what_a_training_cannot_start_from_is_found_out_before_any_node_runs(
    save: Callable[..., None],
    break_it: dict[str, Any],
    words: str,
    folder: Callable[..., Path],
    tiny: Callable[..., Parameters],
    tmp_path: Path,
) -> None:
    path = folder(save, **{key: value for key, value in break_it.items() if key == "vocab_size"})
    if "drop" in break_it:
        change_weights(path, **break_it)
    modality = "text" if save is save_small_bert else "image"
    changes = {key: value for key, value in break_it.items() if key.startswith("model__")}
    parameters = tiny(
        model__modality=modality, **{f"model__{modality}__encoder": str(path)}, **changes
    )
    store = EncoderStoreDataset(path=str(tmp_path / "store"), project={"path": str(tmp_path)})
    train = Node(encoder_at, inputs="pretrained_encoders", outputs="model", name="train")
    catalog = DataCatalog({"pretrained_encoders": store})

    (fault,), _ = check_encoders(Pipeline([train]), catalog, parameters, {})
    assert words in fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("modality", "break_it", "words"),
    [
        ("text", "config.json", "has no config.json: name the folder of a transformers"),
        ("text", "model.safetensors", "has no model.safetensors"),
        ("text", "tokenizer.json", "has no tokenizer: put the encoder's own there"),
    ],
)
def test_a_folder_that_cannot_be_used_is_found_out_before_its_weights_are_read(
    folder: Callable[..., Path], tmp_path: Path, modality: str, break_it: str, words: str
) -> None:
    path = folder(save_small_bert)
    (path / break_it).unlink()

    with pytest.raises(EncoderError, match=rf"^model\.{modality}\.encoder: ") as caught:
        find_encoder(EncoderStore(tmp_path / "store", tmp_path), modality, "encoder")
    assert words in str(caught.value)


@pytest.mark.parametrize("stored", [72, 71])
def test_images_that_an_encoder_would_see_enlarged_are_said_before_any_node_runs(
    stored: int,
    folder: Callable[..., Path],
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    encoder = {
        "model__modality": "image",
        "model__image__encoder": str(folder(save_clip_of, size=64)),
    }
    sizes = {"model__image__size": None, "model__image__resize": None}
    parameters = tiny(**encoder, **sizes, preparation__short_side=stored)
    store = EncoderStoreDataset(path=str(tmp_path / "store"), project={"path": str(tmp_path)})
    train = Node(encoder_at, inputs="pretrained_encoders", outputs="model", name="train")
    catalog = DataCatalog({"pretrained_encoders": store})

    faults, seen = check_encoders(Pipeline([train]), catalog, parameters, {})
    assert not faults
    warn_of_enlarged_images(Pipeline([train]), parameters, seen)
    assert ("sees images of 72 px, but preparation.short_side keeps 71" in caplog.text) == (
        stored == 71
    )


def test_broken_weights_are_found_out_likewise(folder: Callable[..., Path], tmp_path: Path) -> None:
    path, store = folder(save_small_bert), EncoderStore(tmp_path / "store", tmp_path)
    weights = (path / "model.safetensors").read_bytes()
    broken = {
        weights[:-10]: "truncated, or no safetensors",
        b"PK\x03\x04 a pickle": "truncated, or no safetensors",
        b"version https://git-lfs.github.com/spec/v1\n": "a Git LFS pointer",
    }
    for content, words in broken.items():
        (path / "model.safetensors").write_bytes(content)
        with pytest.raises(EncoderError, match=words):
            find_encoder(store, "text", "encoder")
    (path / "model.safetensors").rename(path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="has only pickles"):
        find_encoder(store, "text", "encoder")

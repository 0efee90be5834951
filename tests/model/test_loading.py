"""Pretrained encoders of each supported family, tiny and with random weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from kedro.io import DataCatalog
from kedro.pipeline import Node, Pipeline
from safetensors.torch import load_file, save_file
from torch import nn
from torchvision.models import get_model
from transformers import (
    AutoModel,
    BertConfig,
    BertForMaskedLM,
    BertTokenizerFast,
    CLIPConfig,
    CLIPModel,
    CLIPTextConfig,
    CLIPVisionConfig,
    DistilBertConfig,
    DistilBertForMaskedLM,
    GPT2Config,
    GPT2Model,
    RobertaConfig,
    RobertaForSequenceClassification,
    RobertaTokenizerFast,
)

from multimodal_sentiment.datasets import EncoderStoreDataset
from multimodal_sentiment.encoders import Encoder, EncoderError, EncoderStore, find_encoder
from multimodal_sentiment.learning import LabelledPosts, fit_classifier, predict_examples
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.model.image import ImageEncoder
from multimodal_sentiment.model.loading import load_image_encoder, load_text_encoder
from multimodal_sentiment.model.text import TextEncoder
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.runs.checks import check_encoders

WORDS = "good bad day night see the sun rain a we http @user".split()
CLIP_MEAN, CLIP_STD = [0.4, 0.5, 0.6], [0.2, 0.25, 0.3]


def save_bert(folder: Path, **changes: Any) -> None:
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    sizes = {
        "vocab_size": len(pieces),
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 16,
        "max_position_embeddings": 20,
    }
    BertForMaskedLM(BertConfig(**sizes | changes)).save_pretrained(folder)
    BertTokenizerFast(vocab={p: i for i, p in enumerate(pieces)}).save_pretrained(folder)


def save_distilbert(folder: Path) -> None:
    save_bert(folder)
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
    "bert": save_bert,
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
    sizes = {
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
    text = CLIPTextConfig(vocab_size=50, bos_token_id=1, eos_token_id=2, **sizes)
    vision = CLIPVisionConfig(image_size=64, patch_size=32, **sizes)
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
    classifier, _ = fit_classifier(
        posts,
        {"weights": {}},
        parameters.model,
        parameters.training,
        compute,
        tmp_path / "checkpoints",
        EncoderStore(tmp_path / "store", tmp_path),
    )
    classifier.save(tmp_path / "model")
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


@pytest.mark.parametrize("family", TEXTS)
def test_a_text_encoder_starts_as_it_was_published(
    family: str, folder: Callable[..., Path]
) -> None:
    path = folder(TEXTS[family])
    model, tokenizer = load_text_encoder(encoder_at(path), 16)
    model.pooler = None
    ours = TextEncoder(model.config, "cls").eval()
    ours.encoder.load_state_dict(model.state_dict())
    published = AutoModel.from_pretrained(path).eval()

    batch = tokenizer(["good day", "bad"], padding=True, return_tensors="pt")
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    expected = published(**inputs).last_hidden_state[:, 0]
    torch.testing.assert_close(ours(**inputs), expected)
    assert len(set(inputs["input_ids"].flatten().tolist())) > 4


def test_the_names_that_old_weights_give_are_understood(folder: Callable[..., Path]) -> None:
    path = folder(save_bert)
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
        if not name.startswith("pooler."):
            assert torch.equal(value, model.state_dict()[name])


def test_bertweet_reads_links_and_users_as_it_was_taught(folder: Callable[..., Path]) -> None:
    _, tokenizer = load_text_encoder(encoder_at(folder(save_bertweet)), 16)

    pieces = tokenizer.tokenize("@user good day http")
    assert tokenizer.convert_tokens_to_string(pieces) == "@USER good day HTTPURL"


@pytest.mark.parametrize("name", ["resnet18", "resnet50"])
def test_a_resnet_in_the_hubs_naming_gives_the_features_of_the_same_weights_loaded_natively(
    folder: Callable[..., Path], name: str
) -> None:
    path = folder(save_resnet, name=name)
    defined, weights = load_image_encoder(encoder_at(path), 64)
    ours = ImageEncoder(**defined).eval()
    ours.encoder.load_state_dict(weights, strict=False)
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
    defined, _ = load_image_encoder(encoder_at(path), 64)

    assert defined == {
        "architecture": "resnet18",
        "mean": [0.485, 0.456, 0.406],
        "std": [0.229, 0.224, 0.225],
    }


def test_of_a_clip_its_vision_tower_is_taken_with_its_own_statistics(
    folder: Callable[..., Path],
) -> None:
    path = folder(save_clip)
    defined, weights = load_image_encoder(encoder_at(path), 64)
    ours = ImageEncoder(**defined).eval()
    ours.encoder.load_state_dict(weights)
    whole = CLIPModel.from_pretrained(path, dtype=torch.float32).eval()

    pixels = torch.randint(0, 256, (2, 64, 64, 3), dtype=torch.uint8)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (CLIP_MEAN, CLIP_STD))
    images = (pixels.permute(0, 3, 1, 2) / 255 - mean) / std
    torch.testing.assert_close(ours(pixels), whole.vision_model(images).pooler_output)
    assert {weight.dtype for weight in ours.encoder.state_dict().values()} == {torch.float32}


def change_weights(path: Path, *, drop: str = "", add: str = "", cut: str = "") -> None:
    file = path / "model.safetensors"
    weights = {k: v for k, v in load_file(file).items() if k != drop}
    weights |= {add: torch.zeros(1)} if add else {}
    weights |= {cut: weights[cut][1:].clone()} if cut else {}
    save_file(weights, file, {"format": "pt"})


RESNET_KEY, BERT_KEY = "layer2.0.conv1.weight", "bert.encoder.layer.1.output.dense.bias"
CLIP_KEY = "vision_model.encoder.layers.0.mlp.fc1.bias"
MORE = "bert.encoder.layer.2.output.dense.bias"


@pytest.mark.parametrize(
    ("save", "change", "words"),
    [
        (save_resnet, {"drop": RESNET_KEY}, f"missing {RESNET_KEY}"),
        (save_resnet, {"add": "layer5.0.bn1.bias"}, "superfluous layer5.0.bn1.bias"),
        (save_resnet, {"cut": RESNET_KEY}, f"of another shape {RESNET_KEY}"),
        (save_clip, {"drop": CLIP_KEY}, "missing encoder.layers.0.mlp.fc1.bias"),
        (save_clip, {"add": "vision_model.x"}, "superfluous x"),
        (save_bert, {"drop": BERT_KEY}, "missing encoder.layer.1.output.dense.bias"),
        (save_bert, {"add": MORE}, f"superfluous {MORE}"),
    ],
)
def test_a_missing_or_superfluous_weight_is_named(
    folder: Callable[..., Path], save: Callable[..., None], change: dict[str, str], words: str
) -> None:
    path = folder(save)
    change_weights(path, **change)
    load = load_text_encoder if save is save_bert else load_image_encoder

    with pytest.raises(EncoderError) as caught:
        load(encoder_at(path), 16 if save is save_bert else 64)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_another_architecture_are_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_resnet)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"architecture": "resnet50"}))

    with pytest.raises(EncoderError, match="does not hold torchvision's resnet50: missing"):
        load_image_encoder(encoder_at(path), 64)


def test_weights_of_another_size_are_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_bert)
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps(config | {"hidden_size": 16}))

    with pytest.raises(EncoderError, match=r"model\.text\.encoder: cannot load .*encoder: ") as got:
        load_text_encoder(encoder_at(path), 16)
    assert "\n" not in str(got.value)


def test_a_foreign_tokenizer_is_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_bert, vocab_size=3000)
    with pytest.raises(EncoderError, match="has 17 tokens, the encoder 3000: they do not belong"):
        load_text_encoder(encoder_at(path), 16)
    (path / "config.json").unlink()
    save_roberta(path, ["token"] * 30)
    with pytest.raises(EncoderError, match="pads with token 0, the encoder with 1"):
        load_text_encoder(encoder_at(path), 16)


def test_a_tokenizer_without_a_mask_is_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_bert)
    settings = path / "tokenizer_config.json"
    settings.write_text(json.dumps(json.loads(settings.read_text()) | {"mask_token": None}))
    with pytest.raises(EncoderError, match="has no mask token: put the encoder's own there"):
        load_text_encoder(encoder_at(path), 16)


def test_more_than_an_encoder_reads_or_sees_is_refused(folder: Callable[..., Path]) -> None:
    path = encoder_at(folder(save_roberta))
    with pytest.raises(EncoderError, match="reads at most 18 tokens, not 19: set at most that"):
        load_text_encoder(path, 19)
    load_text_encoder(path, 18)
    save_clip(path.path)
    with pytest.raises(EncoderError, match="sees squares of 64 px, not 96"):
        load_image_encoder(path, 96)


def test_statistics_that_are_broken_are_refused(folder: Callable[..., Path]) -> None:
    path = folder(save_clip)
    for content, words in [
        ('{"image_mean": [0.4', "preprocessor_config.json is broken"),
        ('{"image_std": [0.4, "wide"]}', "has no three numbers as image_std"),
        ("[]", "has no three numbers as image_mean"),
    ]:
        (path / "preprocessor_config.json").write_text(content)
        with pytest.raises(EncoderError, match=words):
            load_image_encoder(encoder_at(path), 64)


REQUEST = {"env": None, "runtime_params": {}}


@pytest.mark.parametrize(
    ("save", "break_it", "words"),
    [
        (save_bert, {"model__text__max_tokens": 21}, "reads at most 20 tokens, not 21"),
        (save_bert, {"vocab_size": 3000}, "they do not belong together"),
        (save_resnet, {"drop": "layer2.0.conv1.weight"}, "missing layer2.0.conv1.weight"),
        (save_clip, {"model__image__resize": 96, "model__image__size": 96}, "of 64 px, not 96"),
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
    modality = "text" if save is save_bert else "image"
    changes = {key: value for key, value in break_it.items() if key.startswith("model__")}
    parameters = tiny(
        model__modality=modality, **{f"model__{modality}__encoder": str(path)}, **changes
    ).model_dump()
    store = EncoderStoreDataset(path=str(tmp_path / "store"), project={"path": str(tmp_path)})
    train = Node(encoder_at, inputs="pretrained_encoders", outputs="model", name="train")
    catalog = DataCatalog({"pretrained_encoders": store})

    (fault,) = check_encoders(Pipeline([train]), catalog, REQUEST, parameters)
    assert words in fault
    assert "\n" not in fault


@pytest.mark.parametrize(
    ("modality", "break_it", "words"),
    [
        ("text", "config.json", "has no config.json: name the folder of a transformers"),
        ("text", "model.safetensors", "has no model.safetensors"),
        ("text", "tokenizer.json", "has no tokenizer: put the encoder's own there"),
        ("image", "", "holds a bert: as image encoder choose a CLIP, or one of resnet18"),
    ],
)
def test_a_folder_that_cannot_be_used_is_found_out_before_its_weights_are_read(
    folder: Callable[..., Path], tmp_path: Path, modality: str, break_it: str, words: str
) -> None:
    path = folder(save_bert)
    if break_it:
        (path / break_it).unlink()

    with pytest.raises(EncoderError, match=rf"^model\.{modality}\.encoder: ") as caught:
        find_encoder(EncoderStore(tmp_path / "store", tmp_path), modality, "encoder")
    assert words in str(caught.value)


def test_another_family_and_broken_weights_are_found_out_likewise(
    folder: Callable[..., Path], tmp_path: Path
) -> None:
    path, store = folder(save_bert), EncoderStore(tmp_path / "store", tmp_path)
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
    GPT2Model(GPT2Config(vocab_size=20, n_embd=8, n_layer=1, n_head=2)).save_pretrained(path)
    with pytest.raises(EncoderError, match="holds a gpt2: as text encoder choose one of bert"):
        find_encoder(store, "text", "encoder")
    (path / "model.safetensors").rename(path / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="has only pickles"):
        find_encoder(store, "text", "encoder")

"""The nodes that fit a model to the training posts, and those before it that find its encoders."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import digest
from multimodal_sentiment.pipelines.encoders.nodes import choose_encoders
from multimodal_sentiment.pipelines.encoding.nodes import encode_posts, encode_variants
from multimodal_sentiment.pipelines.fitting.nodes import plot_learning_curves, train_model

from ..tiny_encoders import save_bert

TEXTS = [f"{'dull rain' if number % 2 else 'lovely sun'} on day {number}" for number in range(50)]
TAGS = ["bad" if number % 2 else "good" for number in range(50)]


@pytest.fixture
def examples(make_examples):
    return make_examples(TEXTS, TAGS, [None] * 50)


@pytest.fixture
def store(tmp_path) -> EncoderStore:
    return EncoderStore(tmp_path / "encoders", tmp_path)


@pytest.fixture
def bert(tmp_path) -> str:
    save_bert(tmp_path / "bert")
    return str(tmp_path / "bert")


def test_the_model_learns_from_the_training_posts_alone(examples, store, tiny, tmp_path):
    parameters = tiny(model__modality="text", training__epochs=2)
    given = parameters.model, parameters.training, parameters.compute
    guids = examples["guid"].to_pylist()
    train = pd.DataFrame({"guid": guids[:40][::-1], "tag": TAGS[:40][::-1]})
    groups = pd.DataFrame({"guid": guids, "group": np.arange(50) // 2})
    table = encode_posts(examples, None, store, *given).read_all()

    profile = {"posts": {"ascii": 50}}
    classifier, history = train_model(
        train, examples, groups, profile, tmp_path / "checkpoints", store, table, *given
    )

    record = classifier.config.training
    assert record["posts_sha256"] == digest(sorted(guids[:40]))
    assert record["learning_posts"] + record["tuning_posts"] == 40
    assert record["tuning_posts"] % 2 == 0  # twins are two by two, and never parted
    assert list(classifier.labels) == ["bad", "good"]
    assert classifier.encoding_profile == profile
    assert "dull" in classifier.tokenizer.get_vocab()
    assert "49" not in classifier.tokenizer.get_vocab()
    assert history["epoch"].tolist() == [1, 2]
    assert plot_learning_curves(history).data


def test_the_encoders_of_the_models_own_modalities_are_fetched(tiny):
    both = tiny(model__text__encoder="a/text", model__image__encoder="an/image")
    text = tiny(
        model__modality="text", model__text__encoder="a/text", model__image__encoder="an/image"
    )
    mirror = tiny(encoders__endpoint="https://mirror.example").encoders

    assert choose_encoders(both.model, mirror) == {
        "names": ["a/text", "an/image"],
        "endpoint": "https://mirror.example",
    }
    assert choose_encoders(text.model, mirror)["names"] == ["a/text"]


def test_a_model_from_scratch_needs_no_encoders(tiny):
    parameters = tiny()

    with pytest.raises(ValueError, match="nothing to fetch") as caught:
        choose_encoders(parameters.model, parameters.encoders)

    assert "--env=pretrained" in str(caught.value)


def test_features_are_computed_for_frozen_encoders_alone(examples, store, bert, tiny):
    options = {"model__modality": "text", "model__text__encoder": bert}
    frozen = tiny(**options, training__learning_rate__text=0)
    trained = tiny(**options, training__learning_rate__text=1e-3)

    def encode(parameters, earlier=None) -> pa.Table:
        given = parameters.model, parameters.training, parameters.compute
        return encode_posts(examples, earlier, store, *given).read_all()

    first = encode(frozen)
    (name,) = (each for each in first.column_names if each.startswith("text-"))
    assert first["guid"].to_pylist() == examples["guid"].to_pylist()
    assert np.isfinite(first[name].combine_chunks().flatten().to_numpy()).all()
    assert not any(each.startswith("text-") for each in encode(trained).column_names)
    assert encode(frozen, first)[name].equals(first[name])


def test_variants_of_a_comparison_share_features(examples, store, bert, tiny):
    frozen = {"training": {"learning_rate": {"text": 0}}, "model": {"modality": "text"}}
    variants = {"text": frozen, "again": frozen, "image": None, "both": None}
    parameters = tiny(
        model__text__encoder=bert, comparison__variants=variants, comparison__pairs=[]
    )

    table = encode_variants(
        examples,
        None,
        store,
        parameters.comparison,
        parameters.model,
        parameters.training,
        parameters.compute,
    ).read_all()

    kinds = [name.partition("-")[0] for name in table.column_names]
    assert kinds == ["guid", "text_digest", "image_digest", "text"]

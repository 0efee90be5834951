"""The nodes that fit a model to the training posts, and those before it that find its encoders."""

from __future__ import annotations

import re
from itertools import count

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.fingerprint import digest
from multimodal_sentiment.pipelines.encoders.nodes import choose_encoders
from multimodal_sentiment.pipelines.encoding.nodes import (
    encode_posts,
    encode_settings,
    encode_variants,
)
from multimodal_sentiment.pipelines.fitting.nodes import plot_learning_curves, train_model

from ..tiny_encoders import save_bert

TEXTS = [f"{'dull rain' if number % 2 else 'lovely sun'} on day {number}" for number in range(50)]
TAGS = ["bad" if number % 2 else "good" for number in range(50)]


@pytest.fixture
def examples(make_examples):
    return make_examples(TEXTS, TAGS, [None] * 50)


@pytest.fixture
def learnt(examples):
    """The training posts, and the groups of all: no twins."""
    guids = examples["guid"].to_pylist()
    groups = pd.DataFrame({"guid": guids, "group": range(50)})
    return pd.DataFrame({"guid": guids[:40], "tag": TAGS[:40]}), groups


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
    features = tmp_path / "features"
    table = encode_posts(
        examples, groups, None, features, store, parameters.ingestion, *given
    ).read_all()

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


def test_features_are_computed_for_frozen_encoders_alone(
    examples, learnt, store, bert, tiny, tmp_path
):
    options = {"model__modality": "text", "model__text__encoder": bert}
    frozen = tiny(**options, training__learning_rate__text=0)
    trained = tiny(**options, training__learning_rate__text=1e-3)
    runs = count()

    def encode(parameters, earlier=None) -> pa.Table:
        given = parameters.model, parameters.training, parameters.compute
        unfinished = tmp_path / f"unfinished{next(runs)}"
        shared = examples, learnt[1], earlier, unfinished, store, parameters.ingestion
        return encode_posts(*shared, *given).read_all()

    first = encode(frozen)
    (name,) = (each for each in first.column_names if each.startswith("text-"))
    assert first["guid"].to_pylist() == examples["guid"].to_pylist()
    assert np.isfinite(first[name].combine_chunks().flatten().to_numpy()).all()
    assert not any(each.startswith("text-") for each in encode(trained).column_names)
    assert encode(frozen, first)[name].equals(first[name])


def test_variants_of_a_comparison_share_features(examples, learnt, store, bert, tiny, tmp_path):
    frozen = {"training": {"learning_rate": {"text": 0}}, "model": {"modality": "text"}}
    variants = {"text": frozen, "again": frozen, "image": None, "both": None}
    parameters = tiny(
        model__text__encoder=bert,
        comparison__variants=variants,
        comparison__pairs=[],
    )

    table = encode_variants(
        examples,
        learnt[1],
        None,
        tmp_path / "unfinished",
        store,
        parameters.ingestion,
        parameters.comparison,
        parameters.model,
        parameters.training,
        parameters.compute,
    ).read_all()

    kinds = [name.partition("-")[0] for name in table.column_names]
    assert kinds == ["guid", "text_digest", "image_digest", "text"]


def test_features_of_an_unfinished_run_are_used_again(
    examples, learnt, store, bert, tiny, tmp_path, caplog
):
    """By their fingerprint: of another encoding, and of other posts, they are computed anew."""
    caplog.set_level("INFO")
    options = {"model__modality": "text", "model__text__encoder": bert}

    def encode(posts=examples, **changes) -> str:
        parameters = tiny(**options, training__learning_rate__text=0, **changes)
        given = parameters.model, parameters.training, parameters.compute
        shared = posts, learnt[1], None, tmp_path / "unfinished", store, parameters.ingestion
        encode_posts(*shared, *given).read_all()
        return caplog.messages[-1]

    assert ": 50 computed in" in encode()
    assert ": 0 computed in" in encode()  # the first one's output is lost
    other = encode(model__text__max_tokens=8)
    assert ": 50 computed in" in other and " at 8 tokens " in other
    assert ": 0 computed in" in encode()  # and still there
    texts = pa.array(["another", *TEXTS[1:]])
    column = examples.column_names.index("text")
    assert ": 1 computed in" in encode(examples.set_column(column, "text", texts))


@pytest.mark.parametrize(("folds", "needed"), [(None, 2), (5, 5)])
def test_too_few_posts_of_a_tag_are_said_before_any_is_encoded(
    examples, learnt, store, bert, tiny, tmp_path, folds, needed
):
    _, groups = learnt
    groups.loc[groups.index % 2 == 1, "group"] = 1  # the bad ones are all twins
    parameters = tiny(model__text__encoder=bert, comparison__folds=folds)
    given = parameters.model, parameters.training, parameters.compute
    shared = examples, groups, None, tmp_path / "unfinished", store, parameters.ingestion
    expected = f"too few posts tagged 'bad' for {needed} parts .*: 1 after counting twins once"

    with pytest.raises(ValueError, match=expected):
        encode_variants(*shared, parameters.comparison, *given)
    if folds:
        search = parameters.search.model_copy(update={"folds": folds})
        with pytest.raises(ValueError, match=expected):
            encode_settings(*shared, search, *given)
    else:
        with pytest.raises(ValueError, match=expected):
            encode_posts(*shared, *given)


BROKEN = "image_broken(truncated)"


@pytest.mark.parametrize(
    ("modality", "texts", "images", "allowed", "told"),
    [
        ("both", 6, 3, False, "7 of 10 posts have no image that can be used (image broken: "
         "truncated), and the model reads it; ingestion.allow_missing=true goes on with what is "
         "there"),
        ("both", 6, 3, True, None),
        ("both", 6, 5, False, None),
        ("text", 4, 0, False, "6 of 10 posts have no text that can be used (empty text), and "
         "the model reads it; ingestion.allow_missing=true goes on with what is there"),
        ("text", 10, 0, False, None),
        ("image", 10, 0, True, "10 of 10 posts have no image that can be used (image broken: "
         "truncated), and the model reads it"),
        ("both", 0, 0, True, "10 of 10 posts have no text that can be used (empty text), and "
         "the model reads it"),
    ],
)  # fmt: skip
def test_posts_of_which_most_have_no_usable_text_or_image_are_refused_before_any_is_encoded(
    make_examples, store, tiny, tmp_path, modality, texts, images, allowed, told
):
    image = np.zeros((20, 20, 3), np.uint8)
    examples = make_examples(
        TEXTS[:texts] + [" "] * (10 - texts), TAGS[:10], [image] * images + [None] * (10 - images)
    )
    problems = [
        "; ".join(["empty_text"] * (row >= texts) + [BROKEN] * (row >= images)) for row in range(10)
    ]
    place = examples.column_names.index("problems")
    examples = examples.set_column(place, "problems", pa.array(problems))
    groups = pd.DataFrame({"guid": examples["guid"].to_pylist(), "group": range(10)})
    parameters = tiny(model__modality=modality, ingestion__allow_missing=allowed)
    given = parameters.model, parameters.training, parameters.compute
    shared = examples, groups, None, tmp_path, store, parameters.ingestion

    if told is None:
        encode_posts(*shared, *given)
        return
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        encode_posts(*shared, *given)

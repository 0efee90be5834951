"""A frozen encoder's features are computed once, and the heads learn from them alone."""

from __future__ import annotations

import logging
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from kedro.io import DatasetError

from multimodal_sentiment import fingerprint, progress
from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.datasets import ArrowStreamDataset
from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.learning import fit_classifier
from multimodal_sentiment.model import SentimentClassifier, SentimentModel, build_model
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.predicting import encode as encode_module
from multimodal_sentiment.predicting import encode_examples, feature_table, predict_logits
from multimodal_sentiment.predicting.feature_table import (
    content_digests,
    feature_columns,
    select_features,
    take_features,
    take_vectors,
)

from .fitting import fit, same_weights

Freezing = dict[str, dict[str, Any]]
BOTH = ["text", "image"]


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    """Posts of which some lack a modality, or both."""
    rng = np.random.default_rng(0)
    tags = [["negative", "positive"][index % 2] for index in range(36)]
    texts = [f"{'good' if tag == 'positive' else 'bad'} thing {i}" for i, tag in enumerate(tags)]
    pictures: list[Any] = [rng.integers(0, 256, (64, 70, 3), dtype=np.uint8) for _ in tags]
    texts[1] = texts[2] = ""
    pictures[2] = pictures[3] = None
    examples = make_examples(texts, tags, pictures)
    return LabelledPosts(examples, np.arange(36), np.array(tags, dtype=object), np.arange(36))


@pytest.fixture
def store(tmp_path: Path) -> EncoderStore:
    return EncoderStore(tmp_path / "encoders", tmp_path)


def parameters_of(tiny: Any, freezing: Freezing, modalities: list[str], **changes: Any) -> Any:
    frozen = {key: value for name in modalities for key, value in freezing[name].items()}
    return tiny(**frozen, model__text__max_tokens=24, **changes)


def encode(
    posts: LabelledPosts, parameters: Parameters, store: EncoderStore, *earlier: pa.Table
) -> pa.Table:
    variants = [(parameters.model, parameters.training)]
    return encode_examples(posts.examples, variants, store, parameters.compute, earlier)


@pytest.mark.parametrize("modalities", [["text"], ["image"], BOTH])
def test_features_are_what_the_encoders_make_of_the_posts(
    modalities: list[str],
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    store: EncoderStore,
) -> None:
    parameters = parameters_of(tiny, freezing, modalities)
    pretrained = {
        name: find_encoder(store, name, encoder)
        for name, encoder in parameters.model.encoders.items()
    }
    torch.manual_seed(0)
    model, tokenizer = build_model(
        parameters.model, ["negative", "positive"], posts.texts, pretrained
    )
    classifier = SentimentClassifier(model.eval(), tokenizer, {})
    table = encode(posts, parameters, store)
    columns = feature_columns(parameters.model, parameters.training, store, table)
    features = take_features(table, posts.examples, posts.rows, columns)

    np.testing.assert_allclose(
        predict_logits(classifier, posts.as_dataset(classifier, features), parameters.compute),
        predict_logits(classifier, posts.as_dataset(classifier), parameters.compute),
        atol=1e-5,
    )
    gaps = {name: set(np.flatnonzero(np.isnan(rows).any(1))) for name, rows in features.items()}
    assert gaps == {name: {"text": {1, 2}, "image": {2, 3}}[name] for name in modalities}


def test_the_log_says_that_posts_are_encoded_and_which_were_not_computed(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    store: EncoderStore,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    parameters = parameters_of(tiny, freezing, ["text"])
    small = parameters.compute.model_copy(update={"prediction_batch_size": 16})
    parameters = parameters.model_copy(update={"compute": small})
    with caplog.at_level(logging.INFO):
        first = encode(posts, parameters, store)
        encode(posts, parameters, store, first)

    assert [line for line in caplog.messages if line.startswith("Encoding texts: 1 of 3 batches, ")]
    assert not [line for line in caplog.messages if line.startswith("Predicting")]
    first_line, again = (line for line in caplog.messages if line.startswith("Text features of 36"))
    assert ": 35 computed in " in first_line and first_line.endswith(
        " s (1 equal to others or missing)"
    )
    assert ": 0 computed in " in again and again.endswith(" s (36 known from before)")


def test_a_training_beside_a_frozen_encoder_names_both(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        fit(posts, parameters_of(tiny, freezing, ["text"]), tmp_path)
    said = next(line for line in caplog.messages if line.startswith("Training "))
    assert re.match(r"Training .* weights: a fusion, bert of .*, frozen\), resnet\S* at ", said)


def test_features_stored_in_parts_are_taken_in_the_order_asked_for() -> None:
    parts = [
        pa.table({"text-1": pa.FixedSizeListArray.from_arrays(pa.array(values, pa.float32()), 2)})
        for values in ([0, 1, 2, 3], [4, 5], [], [6, 7, 8, 9])
    ]
    table = pa.concat_tables(parts).slice(1)  # of the vectors [2, 3], [4, 5], [6, 7], [8, 9]

    taken = select_features(table, np.array([3, 0, 1, 0, 2]), {"text": "text-1"})["text"]
    assert taken.tolist() == [[8, 9], [2, 3], [4, 5], [2, 3], [6, 7]]


def other_text(table: pa.Table) -> pa.Table:
    return table.set_column(1, "text", pa.array(["another", *table["text"].to_pylist()[1:]]))


def other_storage(table: pa.Table) -> pa.Table:
    return table.replace_schema_metadata({"storage": "jpeg"})


def other_files(table: pa.Table) -> pa.Table:
    column = table.column_names.index("image_sha256")
    digests = ["another", *table["image_sha256"].to_pylist()[1:]]
    return table.set_column(column, "image_sha256", pa.array(digests))


def other_pixels(table: pa.Table) -> pa.Table:
    """The same posts; the first image has other pixels."""
    column = table.column_names.index("image")
    images = table["image"].to_pylist()
    images[0] = bytes(255 - byte for byte in images[0])
    return table.set_column(column, "image", pa.array(images, table["image"].type))


@pytest.mark.parametrize(
    ("change", "computed"),  # of 36 posts, two without text and two without image count once
    [(None, []), (other_text, [1]), ("tokens", [35]), ("code", [35, 35]), ("library", [35, 35])],
)
def test_features_are_used_again_only_where_nothing_has_changed(
    change: Any,
    computed: list[int],
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    store: EncoderStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = parameters_of(tiny, freezing, BOTH)
    first = encode(posts, parameters, store)
    seen: list[int] = []

    def count(model: Any, some: Any, *rest: Any) -> Any:
        seen.append(len(some))
        return predict(model, some, *rest)

    predict = encode_module.predict_batches
    monkeypatch.setattr(encode_module, "predict_batches", count)
    if change is other_text:
        posts = LabelledPosts(other_text(posts.examples), posts.rows, posts.tags, posts.groups)
    elif change == "tokens":
        shorter = parameters.model.text.model_copy(update={"max_tokens": 8})
        model = parameters.model.model_copy(update={"text": shorter})
        parameters = parameters.model_copy(update={"model": model})
    elif change == "code":
        monkeypatch.setattr(fingerprint, "digest_code", lambda: "edited")
    elif change == "library":
        monkeypatch.setattr(fingerprint, "version", lambda name: "0")
        monkeypatch.setattr(fingerprint, "digest_code", fingerprint.digest_code.__wrapped__)
    again = encode(posts, parameters, store, first)

    assert seen == computed
    whole = encode(posts, parameters, store)
    assert again.column_names[: whole.num_columns] == whole.column_names
    for name in whole.column_names[3:]:
        vectors = (table[name].combine_chunks().flatten() for table in (again, whole))
        np.testing.assert_allclose(*vectors, atol=1e-5)


def test_images_that_are_stored_otherwise_are_encoded_anew(
    posts: LabelledPosts,
) -> None:
    one, other = posts.examples, other_storage(posts.examples)
    digests = [fingerprint.digest_images(table) for table in (one, other)]

    assert digests[0][0] != digests[1][0]
    assert digests[0][2] == digests[1][2] == ""  # which has no image


def test_what_was_hashed_for_the_features_is_not_hashed_again(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    store: EncoderStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    examples, rows = posts.examples, np.array([3, 1])
    expected = (
        fingerprint.digest_texts(examples, rows),
        fingerprint.digest_images(examples, rows),
    )
    table = encode(posts, parameters_of(tiny, freezing, ["text"]), store)
    hashed = []
    monkeypatch.setattr(
        feature_table, "digest_images", lambda *given: hashed.append(given) or ["new"]
    )

    assert content_digests(table, examples, rows) == expected
    assert not hashed
    for other in (other_files(examples), other_text(examples), other_storage(examples)):
        assert content_digests(table, other, rows)[1] == ["new"]


def test_where_all_features_are_known_nothing_is_hashed_and_no_encoder_is_built(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    store: EncoderStore,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = parameters_of(tiny, freezing, BOTH)
    first = encode(posts, parameters, store)
    monkeypatch.delattr(feature_table, "digest_images")
    monkeypatch.delattr(encode_module, "build_model")

    again = encode(posts, parameters, store, first)

    assert again.column_names == first.column_names
    assert again.select([0, 1, 2]).equals(first.select([0, 1, 2]))
    for name in first.column_names[3:]:
        vectors = (table[name].combine_chunks().flatten() for table in (again, first))
        np.testing.assert_array_equal(*vectors)


def test_features_of_other_posts_or_encoders_are_refused(
    posts: LabelledPosts, tiny: Callable[..., Parameters], freezing: Freezing, store: EncoderStore
) -> None:
    parameters = parameters_of(tiny, freezing, ["text"])
    table = encode(posts, parameters, store)
    columns = feature_columns(parameters.model, parameters.training, store, table)
    words = "features are of other posts or encoders than this run's"

    with pytest.raises(ValueError, match=words):
        take_features(table, other_text(posts.examples), posts.rows, columns)
    with pytest.raises(ValueError, match=words):
        take_features(table, other_storage(posts.examples), posts.rows, columns)
    with pytest.raises(ValueError, match=words):
        take_features(table, posts.examples, posts.rows, {"text": "text-another"})


def test_what_a_run_does_not_need_is_carried_on_for_the_next_one(
    posts: LabelledPosts, tiny: Callable[..., Parameters], freezing: Freezing, store: EncoderStore
) -> None:
    both = parameters_of(tiny, freezing, BOTH)
    whole = encode(posts, both, store)
    text = both.model.model_copy(update={"modality": "text"})
    half = encode_examples(posts.examples, [(text, both.training)], store, both.compute, [whole])
    other = encode_examples(
        other_text(posts.examples), [(text, both.training)], store, both.compute, [whole]
    )

    assert set(half.column_names) == set(whole.column_names)
    assert half.column_names[-1].startswith("image-")
    assert not any(name.startswith("image-") for name in other.column_names)
    # An image that has changed, but for its size and what its hash tells.
    changed = other_files(other_pixels(posts.examples))
    after = encode_examples(changed, [(text, both.training)], store, both.compute, [whole])
    assert not any(name.startswith("image-") for name in after.column_names)
    columns = feature_columns(both.model, both.training, store, whole)
    with pytest.raises(ValueError, match="features are of other posts"):
        take_features(whole, changed, posts.rows, columns)


def test_each_encoder_takes_what_an_unfinished_run_has_computed_or_an_earlier_one(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    store: EncoderStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    both = parameters_of(tiny, freezing, BOTH)
    whole = encode(posts, both, store)
    text = both.model.model_copy(update={"modality": "text"})
    changed = other_text(posts.examples)
    unfinished = encode_examples(changed, [(text, both.training)], store, both.compute, [whole])
    assert not any(name.startswith("image-") for name in unfinished.column_names)
    caplog.set_level("INFO")
    caplog.clear()

    after = encode_examples(
        changed, [(both.model, both.training)], store, both.compute, [unfinished, whole]
    )

    said = [message for message in caplog.messages if "features of" in message]
    assert [message.partition(" ")[0] for message in said] == ["Text", "Image"]
    assert all(": 0 computed in" in message for message in said)
    assert after.num_rows == len(changed)


def test_features_that_a_dead_worker_owes_are_tried_again_by_workers(
    posts: LabelledPosts, tiny: Callable[..., Parameters], freezing: Freezing, store: EncoderStore
) -> None:
    whole = encode(posts, parameters_of(tiny, freezing, ["image"]), store)
    name = whole.column_names[-1]
    vectors = take_vectors(whole, name, np.arange(36))
    assert np.flatnonzero(np.isnan(vectors[:, 0])).tolist() == [2, 3]  # which have no image
    vectors[7] = np.nan
    column = pa.FixedSizeListArray.from_arrays(vectors.ravel(), vectors.shape[1])
    table = whole.set_column(whole.num_columns - 1, name, column)
    digests = table["image_digest"].to_pylist()

    lacks = np.isin(np.arange(36), [2, 3])
    _, by_workers = encode_module._known_features([table], name, digests, lacks)
    _, here = encode_module._known_features([table], name, digests, None)

    assert np.flatnonzero(~by_workers).tolist() == [7]
    assert here.all()


def test_variants_share_the_features_of_their_encoders(
    posts: LabelledPosts, tiny: Callable[..., Parameters], freezing: Freezing, store: EncoderStore
) -> None:
    both = parameters_of(tiny, freezing, BOTH)
    single = both.model.model_copy(update={"modality": "image"})
    variants = [(both.model, both.training), (single, both.training)]
    table = encode_examples(posts.examples, variants, store, both.compute)

    kinds = [name.partition("-")[0] for name in table.column_names]
    assert kinds == ["guid", "text_digest", "image_digest", "text", "image"]


def test_while_heads_are_trained_the_encoders_are_not_run(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    store: EncoderStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parameters = parameters_of(tiny, freezing, BOTH, training__epochs=3)
    table = encode(posts, parameters, store)
    encoded = []

    def look(self: SentimentModel, *inputs: Any, **named: Any) -> Any:
        encoded.append([value for value in named if value in ("input_ids", "pixels")])
        assert all(value is None for value in inputs[:2])
        return encode_batch(self, *inputs, **named)

    encode_batch = SentimentModel.encode
    monkeypatch.setattr(SentimentModel, "encode", look)
    classifier, history = fit_classifier(
        posts,
        {},
        parameters.model,
        parameters.training,
        parameters.compute,
        tmp_path / "run",
        store,
        table,
    )

    assert encoded
    assert not any(encoded)
    assert len(history) == 3
    assert classifier.config.training["frozen"] == BOTH


def test_a_training_on_features_goes_on_as_if_it_had_never_stopped(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: Freezing,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    options = {"training__epochs": 3, "training__patience": 3}
    whole, _ = fit(posts, parameters_of(tiny, freezing, ["image"], **options), tmp_path)
    steps = sorted(
        tmp_path.rglob("checkpoint-*"), key=lambda path: int(path.name.partition("-")[2])
    )
    shutil.rmtree(steps[-1])
    options["training__resume"] = True
    resumed, _ = fit(posts, parameters_of(tiny, freezing, ["image"], **options), tmp_path)

    assert "Going on from checkpoint-" in caplog.text
    assert same_weights(whole, resumed)


@pytest.mark.fault("run", "a disk that is full for a frozen encoder's features", "one line")
def test_features_that_the_disk_cannot_hold_are_refused(small_disk: Path) -> None:
    vectors = pa.FixedSizeListArray.from_arrays(np.zeros(600 * 384, dtype=np.float32), 384)
    table = pa.table({"guid": [str(row) for row in range(600)], "text-1": vectors})

    with pytest.raises(DatasetError, match="No space left on device"):
        ArrowStreamDataset(filepath=str(small_disk / "features.arrow")).save(table.to_reader())

    assert not list(small_disk.iterdir())

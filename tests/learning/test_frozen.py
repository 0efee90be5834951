"""A frozen encoder's features are computed once, and the heads learn from them alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import (
    TrainingPosts,
    fit_classifier,
    frozen,
    predict_examples,
    predict_logits,
)
from multimodal_sentiment.learning.frozen import compute_features, encoders_aside
from multimodal_sentiment.learning.trainer import SentimentTrainer
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import Parameters


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> TrainingPosts:
    """Posts of which some lack a modality, or both."""
    rng = np.random.default_rng(0)
    tags = [["negative", "positive"][index % 2] for index in range(36)]
    texts = [f"{'good' if tag == 'positive' else 'bad'} thing {i}" for i, tag in enumerate(tags)]
    pictures: list[Any] = [rng.integers(0, 256, (64, 70, 3), dtype=np.uint8) for _ in tags]
    texts[1] = texts[2] = ""
    pictures[2] = pictures[3] = None
    examples = make_examples(texts, tags, pictures)
    return TrainingPosts(examples, np.arange(36), np.array(tags, dtype=object), np.arange(36))


@pytest.fixture
def classifier(posts: TrainingPosts, tiny: Callable[..., Parameters]) -> SentimentClassifier:
    torch.manual_seed(0)
    model, tokenizer = build_model(tiny().model, ["negative", "positive"], posts.texts, {})
    return SentimentClassifier(model.eval(), tokenizer, {})


def fit(
    posts: TrainingPosts, parameters: Parameters, folder: Path
) -> tuple[SentimentClassifier, Any]:
    return fit_classifier(
        posts,
        {"weights": {}},
        parameters.model,
        parameters.training,
        parameters.compute,
        folder,
        EncoderStore(folder, folder),
    )


@pytest.mark.parametrize("frozen", [["text"], ["image"], ["text", "image"]])
def test_with_computed_features_the_model_answers_as_with_its_encoders(
    frozen: list[str],
    posts: TrainingPosts,
    classifier: SentimentClassifier,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
) -> None:
    compute = tiny().compute
    expected = predict_logits(classifier, posts.as_dataset(classifier), compute)
    before = {name: branch.encoder for name, branch in classifier.model.branches.items()}
    computed = compute_features(classifier, frozen, posts, compute, tmp_path)
    with encoders_aside(classifier.model, frozen):
        dataset = posts.with_features(classifier, computed)
        answered = predict_logits(classifier, dataset, compute)

    np.testing.assert_allclose(answered, expected, atol=1e-5)
    for name, branch in classifier.model.branches.items():
        assert branch.encoder is before[name]
    gaps = {name: set(np.flatnonzero(np.isnan(rows).any(1))) for name, rows in computed.items()}
    assert gaps == {name: {"text": {1, 2}, "image": {2, 3}}[name] for name in frozen}


def test_features_are_computed_once_for_the_same_posts_and_encoder(
    posts: TrainingPosts,
    classifier: SentimentClassifier,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compute = tiny().compute

    def files() -> set[str]:
        return {path.name for path in tmp_path.iterdir()}

    compute_features(classifier, ["text"], posts, compute, tmp_path)
    (first,) = files()
    time = (tmp_path / first).stat().st_mtime_ns
    compute_features(classifier, ["text"], posts, compute, tmp_path)
    assert files() == {first}
    assert (tmp_path / first).stat().st_mtime_ns == time
    # Of other posts, of an encoder that has changed, and by other code, they are others.
    compute_features(classifier, ["text"], posts.take(np.arange(30)), compute, tmp_path)
    assert len(files()) == 2
    with torch.no_grad():
        next(classifier.model.branches["text"].encoder.parameters()).add_(1e-3)
    compute_features(classifier, ["text"], posts, compute, tmp_path)
    assert len(files()) == 3
    monkeypatch.setattr(frozen, "digest_of_code", lambda: "other")
    compute_features(classifier, ["text"], posts, compute, tmp_path)
    assert len(files()) == 4


def test_broken_off_features_are_not_taken_for_whole(
    posts: TrainingPosts,
    classifier: SentimentClassifier,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Killed(Exception):
        pass

    def stop(*_: Any) -> Any:
        yield [0, 1], {"pixels": torch.zeros(2, 64, 64, 3, dtype=torch.uint8)}
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(frozen, "in_batches", stop)
        compute_features(classifier, ["image"], posts, tiny().compute, tmp_path)
    rows = compute_features(classifier, ["image"], posts, tiny().compute, tmp_path)["image"]
    assert np.isfinite(rows[10:]).all()


def test_while_heads_are_trained_the_encoders_are_not_run(
    posts: TrainingPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = []

    def look(self: SentimentTrainer, inputs: dict[str, Any]) -> dict[str, Any]:
        prepared = prepare(self, inputs)
        seen.append((set(prepared), sum(p.numel() for p in self.model.parameters())))
        return prepared

    prepare = SentimentTrainer._prepare_inputs
    monkeypatch.setattr(SentimentTrainer, "_prepare_inputs", look)
    rates = {"training__learning_rate__text": 0, "training__learning_rate__image": 0}
    parameters = tiny(**rates, training__epochs=3)
    classifier, history = fit(posts, parameters, tmp_path / "run")

    names, sizes = [names for names, _ in seen], {size for _, size in seen}
    assert not any({"input_ids", "pixels"} & keys for keys in names)
    assert all({"text_features", "image_features"} <= keys for keys in names)
    whole = sum(weight.numel() for weight in classifier.model.parameters())
    assert max(sizes) < whole / 100
    assert len(history) == 3
    assert classifier.config.training["frozen"] == ["text", "image"]

    # The whole model is kept, and answers from texts and pictures.
    classifier.save(tmp_path / "model")
    loaded = SentimentClassifier.load(tmp_path / "model")
    columns = ["p_negative", "p_positive"]
    answers = [
        predict_examples(one, posts.examples, posts.rows, parameters.compute)[columns]
        for one in (classifier, loaded)
    ]
    np.testing.assert_allclose(answers[0], answers[1], atol=1e-5)


def test_a_training_on_features_goes_on_as_if_it_had_never_stopped(
    posts: TrainingPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    options = {"training__learning_rate__image": 0, "training__epochs": 3, "training__patience": 3}
    whole, _ = fit(posts, tiny(**options), tmp_path)
    steps = sorted(
        tmp_path.glob("*/checkpoint-*"), key=lambda path: int(path.name.partition("-")[2])
    )
    shutil.rmtree(steps[-1])
    resumed, _ = fit(posts, tiny(**options, training__resume=True), tmp_path)

    pairs = zip(whole.model.state_dict().values(), resumed.model.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)


@pytest.mark.fault("run", "a disk that is full for a frozen encoder's features", "one line")
def test_features_that_the_disk_cannot_hold_are_refused(
    classifier: SentimentClassifier,
    posts: TrainingPosts,
    tiny: Callable[..., Parameters],
    small_disk: Path,
) -> None:
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(480_000))

    with pytest.raises(OSError, match="No space left on device"):
        compute_features(classifier, ["image"], posts, tiny().compute, small_disk)

    assert list(small_disk.iterdir()) == [ballast]

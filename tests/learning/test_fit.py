from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainingArguments

from multimodal_sentiment.batches import LabelledPosts
from multimodal_sentiment.compute import device as device_module
from multimodal_sentiment.compute.device import choose_device
from multimodal_sentiment.learning.gradient_descent import optimize
from multimodal_sentiment.learning.gradient_descent import train as gradient
from multimodal_sentiment.learning.gradient_descent.checkpoints import newest_checkpoint
from multimodal_sentiment.learning.gradient_descent.trainer import (
    OneDeviceArguments,
    learning_rate_of,
)
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import LearningRates, Parameters
from multimodal_sentiment.predicting import predict_examples

from .fitting import fit, same_weights


@pytest.fixture
def posts(make_examples: Callable[..., pa.Table]) -> LabelledPosts:
    """Forty posts whose words and brightness tell their tags."""
    rng = np.random.default_rng(0)
    words = {"negative": "awful", "neutral": "table", "positive": "lovely"}
    light = {"negative": 30, "neutral": 120, "positive": 220}
    tags = [list(words)[index % 3] for index in range(42)]
    texts = [f"{words[tag]} thing number{index}" for index, tag in enumerate(tags)]
    pictures = [
        np.clip(rng.normal(light[tag], 20, (72, 80, 3)), 0, 255).astype(np.uint8) for tag in tags
    ]
    examples = make_examples(texts, tags, pictures)
    return LabelledPosts(examples, np.arange(42), np.array(tags, dtype=object), np.arange(42))


def test_what_is_taught_is_learnt(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = tiny(
        model__modality="text",
        model__text__pooling="mean",
        training__epochs=20,
        training__patience=20,
        training__learning_rate__text=5e-3,
        training__learning_rate__heads=5e-3,
    )
    classifier, history = fit(posts, parameters, tmp_path)
    predictions = predict_examples(classifier, posts.examples, posts.rows, parameters.compute)

    assert (predictions["predicted"] == predictions["tag"]).mean() > 0.95
    assert history["train_loss"].iloc[-1] < history["train_loss"].iloc[0]
    assert history["chosen"].sum() == 1
    assert list(history["epoch"]) == list(range(1, len(history) + 1))
    shares = predictions[[f"p_{label}" for label in classifier.labels]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(1)
    assert shares.max(axis=1).to_numpy() == pytest.approx(predictions["confidence"])


def test_the_same_seed_gives_the_same_weights(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    one, _ = fit(posts, tiny(), tmp_path / "one")
    two, _ = fit(posts, tiny(), tmp_path / "two")
    other, _ = fit(posts, tiny(training__seed=1), tmp_path / "other")

    assert same_weights(one, two)
    assert not same_weights(one, other)


def test_how_many_processes_read_changes_nothing(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"training__epochs": 3, "training__patience": 3}
    alone, two = (
        fit(posts, tiny(compute__workers=workers, **options), tmp_path / str(workers))
        for workers in (0, 2)
    )

    assert same_weights(alone[0], two[0])
    assert alone[1]["train_loss"].equals(two[1]["train_loss"])
    assert not multiprocessing.active_children()


@pytest.mark.fault(
    "run", "learning rates with which training diverges", "stopped, and told what to change"
)
def test_a_training_that_diverges_is_stopped(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    rates = {f"training__learning_rate__{part}": 1e12 for part in ("text", "image", "heads")}

    with pytest.raises(ValueError, match=r"diverged.*smaller training\.learning_rate"):
        fit(posts, tiny(training__epochs=3, **rates), tmp_path)


def test_words_are_hidden_from_training_as_asked(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    all_seen, some_hidden = (
        fit(posts, tiny(model__modality="text", training__word_dropout=share), tmp_path / name)[0]
        for share, name in [(0.0, "all"), (0.5, "some")]
    )
    mask = all_seen.tokenizer.mask_token_id  # which no text holds: only hiding teaches it
    taught, untaught = (
        model.model.branches["text"].encoder.encoder.embeddings.word_embeddings.weight[mask]
        for model in (some_hidden, all_seen)
    )

    assert (taught - untaught).abs().max() > 1e-4


def test_an_interrupted_training_ends_as_if_it_had_never_stopped(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    options: dict[str, Any] = {"training__epochs": 4, "training__patience": 4}
    whole, whole_history = fit(posts, tiny(**options), tmp_path / "whole")

    class Killed(Exception):
        pass

    class Stopping(optimize.ProgressLog):
        def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
            super().on_epoch_begin(args, state, control, **kwargs)
            if round(state.epoch) == 2:
                raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(optimize, "ProgressLog", Stopping)
        fit(posts, tiny(**options), tmp_path / "half")
    resumed, history = fit(posts, tiny(**options, training__resume=True), tmp_path / "half")

    assert "Going on from checkpoint-" in caplog.text
    assert same_weights(whole, resumed)
    timeless = history.columns.difference(["posts_per_second"])
    pd.testing.assert_frame_equal(history[timeless], whole_history[timeless])


def test_a_training_killed_while_it_removes_a_checkpoint_goes_on_from_a_whole_one(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    options: dict[str, Any] = {"model__modality": "text", "training__epochs": 4}
    options["training__patience"] = 4
    judge, judged = optimize.judge_tuning, []

    def worse_each_time(outcome: Any) -> dict[str, float]:
        judged.append(outcome)
        return judge(outcome) | {"selection": -len(judged)}

    # The first epoch is the best, whose checkpoint is kept: the newest before the last goes.
    monkeypatch.setattr(optimize, "judge_tuning", worse_each_time)
    whole, _ = fit(posts, tiny(**options), tmp_path / "whole")
    remove = shutil.rmtree

    class Killed(Exception):
        pass

    def remove_half(folder: Path, **rest: Any) -> None:
        if "checkpoint-" not in Path(folder).name:
            return remove(folder, **rest)
        for path in Path(folder).iterdir():
            if path.name != "whole":
                path.unlink()
        raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(shutil, "rmtree", remove_half)
        fit(posts, tiny(**options), tmp_path / "half")
    resumed, _ = fit(posts, tiny(**options, training__resume=True), tmp_path / "half")

    assert "Going on from checkpoint-" in caplog.text
    assert same_weights(whole, resumed)


def test_how_far_a_training_on_all_posts_is_counts_the_epochs_that_it_takes(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    monkeypatch.setattr(optimize.ProgressLog, "PATIENCE", -1.0)
    options: dict[str, Any] = {"training__epochs": 8, "training__patience": 1}
    options |= {"training__refit": True, "training__learning_rate__heads": 0.5}
    _, history = fit(posts, tiny(model__modality="text", **options), tmp_path)

    assert len(history) < 8
    assert [line for line in caplog.messages if line.startswith("Training: ")][-1].startswith(
        "Training: 100% done"
    )


@pytest.mark.parametrize("refit", [True, False])
def test_a_training_that_had_ended_early_is_not_trained_further(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path, refit: bool
) -> None:
    options: dict[str, Any] = {"training__epochs": 8, "training__patience": 1}
    options |= {"training__refit": refit, "training__learning_rate__heads": 0.5}
    ended, history = fit(posts, tiny(**options), tmp_path)  # what came after it has failed, say
    assert len(history) < 8
    resumed, again = fit(posts, tiny(**options, training__resume=True), tmp_path)

    assert same_weights(ended, resumed)
    pd.testing.assert_frame_equal(again, history)


def test_the_best_epoch_is_found_after_the_data_folder_has_moved(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    options: dict[str, Any] = {"training__epochs": 8, "training__patience": 1}
    options["training__learning_rate__heads"] = 0.5
    ended, history = fit(posts, tiny(**options), tmp_path / "here")
    assert not history["chosen"].iloc[-1]
    (tmp_path / "here").rename(tmp_path / "there")
    resumed, _ = fit(posts, tiny(**options, training__resume=True), tmp_path / "there")

    assert same_weights(ended, resumed)


def test_a_checkpoint_of_other_posts_is_not_gone_on_from(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fit(posts, tiny(), tmp_path)
    parameters = tiny(training__resume=True)
    fresh, _ = fit(posts.take(np.arange(36)), tiny(), tmp_path / "fresh")
    resumed, _ = fit(posts.take(np.arange(36)), parameters, tmp_path)

    assert "starting anew" in caplog.text
    assert same_weights(fresh, resumed)


def test_a_half_written_checkpoint_is_passed_over(tmp_path: Path) -> None:
    for step, whole in [(10, True), (20, True), (30, False)]:
        folder = tmp_path / "print" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "model.safetensors").touch()
        if whole:
            (folder / "whole").touch()

    assert newest_checkpoint(tmp_path / "print") == str(tmp_path / "print" / "checkpoint-20")


@pytest.mark.fault("run", "a disk that is full for a checkpoint", "one line")
def test_a_checkpoint_that_cannot_be_written_is_told(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    longest_file: Callable[[int], AbstractContextManager[None]],
) -> None:
    parameters = tiny(model__modality="text")
    weights = 4 * fit(posts, parameters, tmp_path / "whole")[0].num_parameters
    told = pytest.raises(
        OSError, match=r"half/\w+/tuning: a checkpoint .* is the disk full\? free some"
    )

    with told, longest_file(3 * weights // 2):  # enough for its weights, not for the optimiser's
        fit(posts, parameters, tmp_path / "half")


def test_posts_that_lack_a_modality_are_learnt_from_and_answered(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    tmp_path: Path,
    make_examples: Callable[..., pa.Table],
) -> None:
    texts = [text if index % 5 else "" for index, text in enumerate(posts.texts)]
    pictures: list[Any] = [np.full((64, 64, 3), 9 * (i % 20), np.uint8) for i in range(42)]
    pictures[::4] = [None] * len(pictures[::4])
    examples = make_examples(texts, list(posts.tags), pictures)
    lacking = LabelledPosts(examples, posts.rows, posts.tags, posts.groups)
    parameters = tiny()
    classifier, _ = fit(lacking, parameters, tmp_path)
    predictions = predict_examples(classifier, examples, lacking.rows, parameters.compute)

    assert len(predictions) == 42
    assert predictions["confidence"].between(1 / 3, 1).all()
    assert predictions["problems"][0] == "no_image"


def test_a_saved_classifier_answers_as_before(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = tiny()
    classifier, _ = fit(posts, parameters, tmp_path / "checkpoints")
    classifier.save_pretrained(tmp_path / "model")
    loaded = SentimentClassifier.load(tmp_path / "model", "V")

    rows = posts.rows[::-1].copy()
    pd.testing.assert_frame_equal(
        predict_examples(loaded, posts.examples, rows, parameters.compute),
        predict_examples(classifier, posts.examples, rows, parameters.compute),
    )
    assert loaded.version == "V"
    assert loaded.encoding_profile == {"weights": {}}
    assert loaded.config.calibration_temperature == classifier.config.calibration_temperature
    assert not list((tmp_path / "model").glob("*.bin"))


def test_predictions_do_not_depend_on_their_batch(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    parameters = tiny()
    classifier, _ = fit(posts, parameters, tmp_path)
    one_by_one = parameters.compute.model_copy(update={"prediction_batch_size": 1})
    probabilities = [f"p_{label}" for label in classifier.labels]

    np.testing.assert_allclose(
        predict_examples(classifier, posts.examples, posts.rows, one_by_one)[probabilities],
        predict_examples(classifier, posts.examples, posts.rows, parameters.compute)[probabilities],
        atol=1e-5,
    )


def test_each_part_has_its_own_learning_rate() -> None:
    rates = LearningRates(text=1e-5, image=1e-4, heads=1e-3)

    assert learning_rate_of("branches.text.encoder.encoder.embeddings.weight", rates) == 1e-5
    assert learning_rate_of("branches.image.encoder.encoder.conv1.weight", rates) == 1e-4
    for name in ("branches.text.missing", "branches.image.head.weight", "fusion.0.weight"):
        assert learning_rate_of(name, rates) == 1e-3


def test_a_rate_of_zero_freezes_an_encoder(
    posts: LabelledPosts,
    tiny: Callable[..., Parameters],
    freezing: dict[str, dict[str, Any]],
    tmp_path: Path,
) -> None:
    one, other = (
        fit(posts, tiny(**freezing["image"], training__epochs=epochs), tmp_path / str(epochs))[0]
        for epochs in (1, 2)
    )

    def part(which: SentimentClassifier, name: str) -> dict[str, torch.Tensor]:
        return which.model.branches[name].encoder.state_dict()

    image = zip(part(one, "image").values(), part(other, "image").values(), strict=True)
    assert all(torch.equal(a, b) for a, b in image)
    text = zip(part(one, "text").values(), part(other, "text").values(), strict=True)
    assert not all(torch.equal(a, b) for a, b in text)


def test_what_has_learnt_nothing_cannot_be_frozen(tiny: Callable[..., Parameters]) -> None:
    with pytest.raises(ValueError, match=r"learning_rate\.image is 0.*trained from scratch"):
        tiny(training__learning_rate__image=0)


def test_a_refitted_model_has_learnt_from_all_posts(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    options = {"model__modality": "text", "training__epochs": 2}
    tuned, history = fit(posts, tiny(**options), tmp_path / "tuned")
    refitted, same_history = fit(posts, tiny(**options, training__refit=True), tmp_path / "refit")

    counts = [one.config.training["learning_posts"] for one in (tuned, refitted)]
    assert [one.config.training["refit"] for one in (tuned, refitted)] == [False, True]
    assert counts == [39, 42]
    timeless = history.columns.difference(["posts_per_second"])
    pd.testing.assert_frame_equal(history[timeless], same_history[timeless])
    assert not same_weights(tuned, refitted)


def test_class_weights_follow_their_definition() -> None:
    tags = np.array(["a"] * 8 + ["b"] * 2)

    assert gradient.class_weights(tags, ["a", "b"], "none") is None
    # Inverse frequency, so that posts weigh 1 on average: 10 / (2 * 8), 10 / (2 * 2).
    assert gradient.class_weights(tags, ["a", "b"], "balanced") == pytest.approx([0.625, 2.5])
    assert gradient.class_weights(tags, ["a", "b"], "sqrt") == pytest.approx([0.625**0.5, 2.5**0.5])


def test_a_device_that_is_not_there_is_refused(tiny: Callable[..., Parameters]) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    with pytest.raises(ValueError, match=r"no cuda on this machine: choose one of .*cpu"):
        choose_device(tiny(compute__device="cuda").compute)


def test_one_gpu_of_several_trains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    arguments = OneDeviceArguments(output_dir=str(tmp_path), per_device_train_batch_size=8)

    assert TrainingArguments(output_dir=str(tmp_path)).n_gpu == 4
    assert arguments.n_gpu == 1
    assert arguments.train_batch_size == 8


@pytest.mark.parametrize(
    ("capabilities", "gain", "chosen"),
    [
        ({"amx_bf16": True}, 0.5, True),
        ({"avx512_bf16": True}, 2.0, True),
        ({"avx512_bf16": True}, 0.7, False),
        ({"avx2": True}, 2.0, False),
    ],
)
def test_bf16_is_chosen_where_it_is_faster(
    tiny: Callable[..., Parameters],
    monkeypatch: pytest.MonkeyPatch,
    capabilities: dict[str, bool],
    gain: float,
    chosen: bool,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    monkeypatch.setattr(
        device_module,
        "_least_seconds",
        lambda work: 1.0 if torch.is_autocast_enabled("cpu") else gain,
    )
    device_module._cpu_gains_by_bf16.cache_clear()
    try:
        assert choose_device(tiny(compute__precision="auto").compute).bf16 is chosen
        assert choose_device(tiny(compute__precision="bf16").compute).bf16
    finally:
        device_module._cpu_gains_by_bf16.cache_clear()


def test_weights_are_kept_whole_in_float32(
    posts: LabelledPosts, tiny: Callable[..., Parameters], tmp_path: Path
) -> None:
    classifier, _ = fit(posts, tiny(compute__precision="bf16"), tmp_path / "checkpoints")
    classifier.save_pretrained(tmp_path / "model")

    kinds = {value.dtype for value in load_file(tmp_path / "model" / "model.safetensors").values()}
    assert kinds == {torch.float32, torch.int64}  # BatchNorm counts its batches

"""What a space holds, and what is wrong with it, in a line each."""

from __future__ import annotations

from typing import Any

import optuna
import pytest

from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.searching import Space, SpaceError

from ..commands import PROJECT
from .conftest import load

SOFT = {"when": {"model.fusion.kind": ["concat", "late"]}}


def read(tree: dict[str, Any], parameters: Parameters) -> Space:
    return Space.read(tree, parameters.model, parameters.training)


@pytest.mark.parametrize(
    ("tree", "fault"),
    [
        (
            {"model": {"text": {"encodr": ["a"]}}},
            "unknown parameter model.text.encodr: did you mean model.text.encoder?",
        ),
        (
            {"class_weights": ["none"]},
            "unknown parameter class_weights: did you mean training.class_weights?",
        ),
        (
            {"training": {"weight_decay": {"lo": 0.1}}},
            "training.weight_decay: low: has no value",
        ),
        ({"compute": {"device": ["cpu"]}}, "unknown parameter compute: choose of model, training"),
        (
            {"training": {"weight_decay": {"low": 0.3, "high": 0.1}}},
            "training.weight_decay: `low <= high` must hold, but got (low=0.3, high=0.1)",
        ),
        (
            {"training": {"class_weights": []}},
            "training.class_weights: choices: must have at least 1 item, not []",
        ),
        (
            {"training": {"class_weights": ["none", "cubic"]}},
            "training.class_weights: must be 'none', 'sqrt' or 'balanced', not 'cubic'",
        ),
        (
            {"model": {"text": {"max_tokens": {"low": 4, "high": 64}}}},
            "model.text.max_tokens: must be greater than or equal to 8, not 4",
        ),
        ({"training": {"epochs": {"low": 1}}}, "training.epochs: high: has no value"),
        (
            {"training": {"weight_decay": {"low": 0, "high": 1, "log": True}}},
            "training.weight_decay: `low > 0` must hold for `log=True`, but got (low=0.0,",
        ),
        (
            {"training": {"epochs": {"low": 1, "high": 9, "step": 1.5}}},
            "training.epochs: must be a valid integer, got a number with a fractional part",
        ),
        (
            {"training": {"epochs": {"low": 1, "high": 9, "by": 2}}},
            "training.epochs: unknown parameter by: choose of low, high, log, step, when",
        ),
        (
            {"training": {"epochs": {"low": 2, "high": 9, "step": 3}}},
            "training.epochs: steps of 3 from 2 do not end at 9: set high to 8",
        ),
        (
            {"training": {"weight_decay": {"low": 0, "high": 1, "step": 0.3}}},
            "training.weight_decay: steps of 0.3 from 0 do not end at 1: set high to 0.9",
        ),
        (
            {"training": {"weight_decay": {"low": 0, "high": 1, "step": float("inf")}}},
            "training.weight_decay: step: must be a finite number, not inf",
        ),
        (
            {"training": {"weight_decay": {"low": 0, "high": float("inf")}}},
            "training.weight_decay: 0.0 to inf are no numbers: name choices, not a range",
        ),
        (
            {"training": {"epochs": {"choices": [1], "when": 3}}},
            "training.epochs: when: must name values of others, not 3",
        ),
        ({"model": {"text": ["a"]}}, "model.text is a group: choose of model.text.encoder"),
        ({"training": {"epochs": 3}}, "training.epochs: choices: must be a valid list, not 3"),
        ({"training": {"seed": [0, 1]}}, "training.seed cannot be tried: the best of several"),
        ({"training": {"epochs": None}}, "it is empty: name a parameter"),
        (
            {"training": {"epochs": {"choices": [1], "when": {"model.fusion.knd": ["pool"]}}}},
            "unknown parameter model.fusion.knd: did you mean model.fusion.kind?",
        ),
        (
            {"training": {"learning_rate": {"text": [0, 2e-5]}}},
            "model.fusion.kind 'pool' needs frozen encoders, but training.learning_rate.text is "
            '2e-05: set it to 0, or choose concat, gated or late; or say with "when" where',
        ),
        (
            {"model": {"image": {"size": [256]}}},
            "model.image: resize (224 px) must be at least size (256 px)",
        ),
        (
            {"model": {"text": {"max_tokens": {"low": 16, "high": 64}}}},
            "model.text.max_tokens: the features of a frozen encoder are computed for each value",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    tree: dict[str, Any], fault: str, configured: Parameters
) -> None:
    with pytest.raises(SpaceError) as caught:
        read(tree, configured)

    (line,) = str(caught.value).splitlines()
    assert line.startswith(f"search.space: {fault}")


def test_each_fault_has_its_line(configured: Parameters) -> None:
    with pytest.raises(SpaceError) as caught:
        read({"training": {"epoch": [1], "class_weights": []}, "model": {"x": [1]}}, configured)

    assert len(str(caught.value).splitlines()) == 3


def test_conditions_that_go_in_a_circle_are_refused(configured: Parameters) -> None:
    tree = {
        "epochs": {"choices": [1, 2], "when": {"training.patience": [1]}},
        "patience": {"choices": [1, 2], "when": {"training.epochs": [1]}},
    }

    with pytest.raises(SpaceError, match=r'"when" of .*training.epochs.* goes in a circle'):
        read({"training": tree}, configured)


@pytest.mark.parametrize("env", ["base", "pretrained", "scratch", "strong"])
def test_spaces_of_every_environment_are_whole(env: str) -> None:
    parameters = load(env)

    assert read(parameters.search.space, parameters).dimensions
    assert (PROJECT / "conf" / env).is_dir()


def test_from_scratch_both_ways_of_pooling_are_tried() -> None:
    parameters = load("scratch")
    (pooling,) = (
        dimension.ends
        for dimension in read(parameters.search.space, parameters).dimensions
        if dimension.name == "model.text.pooling"
    )

    assert set(pooling) == {"cls", "mean"}  # auto is cls where there is no encoder to follow


def test_a_parameter_is_drawn_only_under_its_condition(configured: Parameters) -> None:
    space = read(
        {
            "training": {"epochs": {"low": 2, "high": 9, **SOFT}, "class_weights": ["none"]},
            "model": {"fusion": {"kind": ["pool", "late"]}},
        },
        configured,
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [space.draw(study.ask()) for _ in range(30)]

    for values in drawn:
        assert ("training.epochs" in values) == (values["model.fusion.kind"] == "late")
    epochs = {values["training.epochs"] for values in drawn if "training.epochs" in values}
    assert len(epochs) > 3 and epochs <= set(range(2, 10))
    assert {values["model.fusion.kind"] for values in drawn} == {"pool", "late"}


def test_of_the_default_only_what_is_tried_beside_it_is_listed(configured: Parameters) -> None:
    space = Space.read(configured.search.space, configured.model, configured.training)

    listed = space.tried_defaults()

    assert listed["model.fusion.kind"] == "pool"
    assert listed["model.text.count_words"] == "auto"
    for name in ("model.fusion.hidden_size", "training.learning_rate.heads"):  # not of a pool
        assert name not in listed


def test_a_space_of_the_default_alone_is_refused(configured: Parameters) -> None:
    with pytest.raises(SpaceError, match="it holds the default alone"):
        read({"training": {"class_weights": [configured.training.class_weights]}}, configured)


def test_a_condition_on_what_is_not_tried_looks_at_what_is_configured(
    configured: Parameters,
) -> None:
    tree = {"training": {"epochs": {"choices": [3], **SOFT}, "class_weights": ["none"]}}
    study = optuna.create_study()

    drawn = read(tree, configured).draw(study.ask())

    assert drawn == {"training.class_weights": "none"}  # the default is a pool


def test_a_condition_may_be_that_a_parameter_is_null(configured: Parameters) -> None:
    scratch = {"choices": [64], "when": {"model.text.encoder": None}}
    tree = {
        "model": {"text": {"scratch": {"hidden_size": scratch}}},
        "training": {"class_weights": ["none"]},
    }
    space = read(tree, configured)

    assert configured.model.text.encoder is not None
    assert space.samples() == [{"training.class_weights": "none"}]
    assert space.dimensions[0].describe() == "64, where model.text.encoder is null"


def test_parameters_of_a_modality_are_tried_where_the_model_looks_at_it(
    configured: Parameters,
) -> None:
    tree = {
        "model": {
            "text": {"max_tokens": [32]},
            "image": {"size": [192]},
            "modality": ["both", "text", "image"],
        },
        "training": {"learning_rate": {"heads": [0.1]}},
    }
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    space = read(tree, configured)

    for values in (space.draw(study.ask()) for _ in range(20)):
        assert ("model.text.max_tokens" in values) == (values["model.modality"] != "image")
        assert ("model.image.size" in values) == (values["model.modality"] != "text")
        assert values["training.learning_rate.heads"] == 0.1


def test_values_take_the_place_of_the_configured_ones(configured: Parameters) -> None:
    space = read({"training": {"class_weights": ["none"]}}, configured)

    variant = space.apply({"training.class_weights": "none", "model.image.size": 128})

    assert variant.training.class_weights == "none"
    assert variant.model.image.size == 128
    assert variant.model.text == configured.model.text
    assert variant.training.epochs == configured.training.epochs


def test_posts_are_encoded_once_for_each_way_to_encode_them(configured: Parameters) -> None:
    space = read(
        {
            "model": {
                "text": {"max_tokens": [32, 64], "count_words": [True, False]},
                "image": {"resize": [224, 256]},
            },
            "training": {"class_weights": ["none", "sqrt"]},
        },
        configured,
    )
    settings = space.encoder_settings()

    found = [(one.model.text.max_tokens, one.model.image.resize) for one in settings]
    assert found[0] == (configured.model.text.max_tokens, configured.model.image.resize)
    assert sorted(found) == [(32, 224), (32, 256), (64, 224), (64, 256)]


def test_a_range_is_of_the_kind_of_its_parameter(configured: Parameters) -> None:
    space = read(
        {
            "training": {
                "patience": {"low": 2, "high": 8, "step": 3},
                "weight_decay": {"low": 0, "high": 1},
            }
        },
        configured,
    )
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    drawn = [space.draw(study.ask()) for _ in range(20)]

    assert {values["training.patience"] for values in drawn} == {2, 5, 8}
    assert len({values["training.weight_decay"] for values in drawn}) == 20
    assert [one.describe() for one in space.dimensions] == ["2 to 8 in steps of 3", "0 to 1"]

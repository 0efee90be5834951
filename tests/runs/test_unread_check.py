"""Parameters that a run was given, and its model does not read, are said before the first node."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.pipelines.comparing import pipeline as comparing
from multimodal_sentiment.pipelines.fitting import pipeline as fitting
from multimodal_sentiment.pipelines.prediction import pipeline as prediction
from multimodal_sentiment.pipelines.searching import pipeline as searching
from multimodal_sentiment.runs.checks.warnings import warn_of_unread

EPOCHS = {"training": {"epochs": 5}}


def frozen(settings: dict[str, Any], kind: str) -> dict[str, Any]:
    """Parameters of a model of pretrained encoders that stay as they are."""
    named = {
        part: settings["model"][part] | {"encoder": f"some/{part}"} for part in ("text", "image")
    }
    fusion = settings["model"]["fusion"] | {"kind": kind}
    training = settings["training"] | {"learning_rate": {"text": 0, "image": 0, "heads": 0.001}}
    model = settings["model"] | named | {"fusion": fusion}
    return settings | {"model": model, "training": training}


@pytest.mark.parametrize(
    ("pipeline", "kind", "given", "told"),
    [
        (fitting, "pool", EPOCHS, ["training.epochs: not read, "]),
        (
            fitting,
            "pool",
            {"model": {"fusion": {"dropout": 0.2}}, "training": {"seed": 1, "patience": 2}},
            ["model.fusion.dropout, training.patience: not read, "],
        ),
        (fitting, "pool", {"training": {"seed": 1, "class_weights": "none"}, "raw": "x"}, []),
        (fitting, "pool", None, []),
        (fitting, "concat", EPOCHS, []),
        (prediction, "pool", EPOCHS, []),
    ],
)
def test_what_solved_heads_do_not_read_is_said(
    settings: dict[str, Any],
    pipeline: ModuleType,
    kind: str,
    given: dict[str, Any] | None,
    told: list[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    changed = frozen(settings, kind)

    warn_of_unread(pipeline.create_pipeline(), Parameters.model_validate(changed), given)

    assert len(caplog.messages) == len(told)
    assert all(line.startswith(part) for line, part in zip(caplog.messages, told, strict=True))


@pytest.mark.parametrize(("kind", "told"), [("pool", 1), ("concat", 0)])
def test_a_comparison_reads_them_if_one_of_its_variants_does(
    settings: dict[str, Any], kind: str, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    variants = {"one": {}, "other": {"model": {"fusion": {"kind": kind}}}}
    compared = settings["comparison"] | {"variants": variants, "pairs": [["one", "other"]]}
    changed = frozen(settings, "pool") | {"comparison": compared}

    warn_of_unread(comparing.create_pipeline(), Parameters.model_validate(changed), EPOCHS)

    assert len(caplog.messages) == told


@pytest.mark.parametrize(("kinds", "told"), [(["pool"], 1), (["pool", "concat"], 0)])
def test_a_search_reads_them_if_one_of_its_settings_does(
    settings: dict[str, Any], kinds: list[str], told: int, caplog: pytest.LogCaptureFixture
) -> None:
    space = {"model": {"fusion": {"kind": kinds}, "text": {"pooling": ["cls", "mean"]}}}
    changed = frozen(settings, "pool") | {"search": settings["search"] | {"space": space}}

    warn_of_unread(searching.create_pipeline(), Parameters.model_validate(changed), EPOCHS)

    assert len(caplog.messages) == told

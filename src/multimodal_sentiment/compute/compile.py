"""Compiles encoders for training, where that pays."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal

import torch
from torch import nn

from multimodal_sentiment.model import SentimentModel
from multimodal_sentiment.wording import first_line

from .device import has_amx

logger = logging.getLogger(__name__)

# Compiling BERT-base and ResNet-50 takes one to three minutes and then saves a third of each step.
# It pays from about so many weights times posts times epochs, fewer on slow devices. On a CPU it
# was seen to pay with AMX alone: without it, compiled steps were a tenth slower.
_WORTH = {"cpu": 1e12, "cuda": 1e14}


def worth_compiling(
    wanted: Literal["auto"] | bool, model: SentimentModel, kind: str, posts: int
) -> bool:
    """Return whether a training should be compiled.

    By rule rather than by trial, so that equal trainings are computed equally.

    Args:
        wanted: The value of the parameter `compile`.
        model: The model to be trained.
        kind: The kind of device.
        posts: The number of posts it is trained on, summed over the epochs.
    """
    if wanted != "auto":
        return wanted
    weights = sum(weight.numel() for weight in model.parameters() if weight.requires_grad)
    pays = kind in _WORTH and (kind != "cpu" or has_amx())
    return pays and weights * posts >= _WORTH[kind]


@contextmanager
def compiled(model: SentimentModel, kind: str) -> Iterator[None]:
    """Train the model's encoders with compiled code inside this context.

    Prediction is not changed. If compiling is not possible, for example without a C++ compiler, the
    usual code runs, and the log says so.
    """
    try:
        torch.compile(_trial)(torch.ones(64, device=kind))
    except Exception as error:  # whatever a compiler may complain of
        _say(error)
        yield
        return
    logger.info("Compiling the encoders, a matter of minutes before the first steps")
    with ExitStack() as restored:
        for branch in model.branches.values():
            if not any(weight.requires_grad for weight in branch.encoder.parameters()):
                continue
            restored.enter_context(_trained_compiled(branch.encoder))
        yield


@contextmanager
def _trained_compiled(encoder: nn.Module) -> Iterator[None]:
    as_written, fast = encoder.forward, torch.compile(encoder.forward)
    broken = False

    def forward(*inputs: torch.Tensor) -> Any:
        nonlocal broken
        # A batch of one would be compiled anew, as its dimensions may mean something else.
        if broken or not encoder.training or inputs[0].shape[0] == 1:
            return as_written(*inputs)
        try:
            return fast(*inputs)
        except RuntimeError as error:  # an error of the encoder's own comes again below
            broken = True
            _say(error)
            return as_written(*inputs)

    encoder.forward = forward
    try:
        yield
    finally:
        del encoder.forward


def _trial(values: torch.Tensor) -> torch.Tensor:
    return values.relu() * 2


def _say(error: Exception) -> None:
    logger.warning(
        "compute.compile: training goes on without, as compiling failed: %s", first_line(error)
    )

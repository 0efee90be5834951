"""That a GPU is kept busy: what is asked of it while training needs none of its answers.

There need not be a GPU: what would make the host wait for one shows in the operations themselves.
What reads a number does so on any device; copies are seen on one that is feigned, forward only.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode

from multimodal_sentiment.batches import Batch, LabelledPosts
from multimodal_sentiment.batches.augmentation import mask_tokens, random_crops
from multimodal_sentiment.compute.device import Device
from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.learning import fit_classifier
from multimodal_sentiment.model import build_model
from multimodal_sentiment.model.modeling import _to_device
from multimodal_sentiment.parameters import Parameters
from multimodal_sentiment.predicting import encode_examples


class Waits(TorchDispatchMode):
    """Records the operations for which a host waits until its GPU has done all it was asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def __torch_dispatch__(
        self, operation: Any, types: Any, arguments: tuple[Any, ...] = (), options: Any = None
    ) -> Any:
        options = options or {}
        name = operation.name().removeprefix("aten::")
        tensors = [value for value in arguments if isinstance(value, torch.Tensor)]
        if name == "_local_scalar_dense":  # a number is read, as `item()`, `bool()` and `if` do
            self.seen.append(name)
        if name == "_to_copy" and not options.get("non_blocking"):
            target = torch.device(options.get("device") or tensors[0].device)
            if target.type != tensors[0].device.type:
                self.seen.append(name)
        if name == "copy_" and tensors[0].device.type != tensors[1].device.type:
            self.seen.append(name)
        return operation(*arguments, **options)


def posts(device: str) -> Batch:
    lengths = torch.tensor([9, 4, 9, 7], device="cpu")
    return {
        "input_ids": torch.ones(4, 9, dtype=torch.long, device=device),
        "attention_mask": (torch.arange(9) < lengths[:, None]).long().to(device),
        "pixels": torch.zeros(4, 72, 72, 3, dtype=torch.uint8, device=device),
        "labels": torch.tensor([0, 1, 2, 0]).to(device),
    }


def waits_of_a_step(parameters: Parameters, device: str) -> list[str]:
    with torch.device(device):
        model, tokenizer = build_model(
            parameters.model,
            ["a", "b", "c"],
            ["good day"],
            {},
            label_smoothing=0.1,
            class_weights=[1.0, 2.0, 3.0],
        )
    model.train()
    batch = posts(device)
    with Waits() as waits:
        batch["input_ids"] = mask_tokens(batch["input_ids"], 0.5, tokenizer)
        if device != "cpu":  # a CPU cuts one view after the other
            batch["pixels"] = random_crops(batch["pixels"], 64, 0.6)
        model(**batch)
    return waits.seen


@pytest.mark.parametrize("fusion", ["late", "concat", "gated"])
def test_a_training_step_reads_nothing_back(tiny: Callable[..., Parameters], fusion: str) -> None:
    torch.manual_seed(0)
    parameters = tiny(
        model__fusion__kind=fusion,
        model__fusion__auxiliary_weight=0.3,
        model__fusion__modality_dropout=0.5,
    )

    assert not waits_of_a_step(parameters, "cpu")


@pytest.mark.parametrize("fusion", ["late", "concat", "gated"])
def test_a_training_step_copies_nothing_from_the_host(
    tiny: Callable[..., Parameters], fusion: str
) -> None:
    parameters = tiny(
        model__fusion__kind=fusion,
        model__fusion__auxiliary_weight=0.3,
        model__fusion__modality_dropout=0.0,  # what is hidden is drawn, and nothing is real here
    )

    with FakeTensorMode(allow_non_fake_inputs=True):
        assert not waits_of_a_step(parameters, "cuda")


def test_which_posts_are_shown_is_copied_without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: tensor)  # cannot be feigned
    with FakeTensorMode(), Waits() as waits:
        _to_device(torch.ones(3, dtype=torch.long), torch.device("cuda"))

    assert not waits.seen


def test_a_batch_is_copied_without_waiting_but_for_what_is_counted() -> None:
    batch = {"pixels": torch.ones(3, 2), "has_image": np.ones(3, dtype=bool)}
    with FakeTensorMode(allow_non_fake_inputs=True), Waits() as waits:
        taken = Device("cuda", bf16=False, workers=0).to_device(batch)

    assert taken["pixels"].device.type == "cuda"
    assert isinstance(taken["has_image"], np.ndarray)
    assert not waits.seen


def test_a_training_reads_nothing_back_from_step_to_step(
    tiny: Callable[..., Parameters], make_examples: Callable[..., pa.Table], tmp_path: Path
) -> None:
    tags = ["a", "b", "c"] * 16
    examples = make_examples(
        [f"word{row} {tag}" for row, tag in enumerate(tags)], tags, [None] * 48
    )
    posts = LabelledPosts(examples, np.arange(48), np.array(tags, dtype=object), np.arange(48))

    def reads(batch_size: int) -> int:
        parameters = tiny(model__modality="text", training__batch_size=batch_size)
        folder = tmp_path / str(batch_size)
        features = encode_examples(examples, [], EncoderStore(folder, folder), parameters.compute)
        with Waits() as waits:
            fit_classifier(
                posts,
                {},
                parameters.model,
                parameters.training,
                parameters.compute,
                folder,
                EncoderStore(folder, folder),
                features,
            )
        return len(waits.seen)

    reads(16)  # what is used first is looked at first
    assert reads(16) == reads(4)


def test_what_would_wait_is_noticed() -> None:
    with Waits() as waits:
        if torch.ones(2).sum() > 1:
            pass
    assert waits.seen == ["_local_scalar_dense"]

    with FakeTensorMode(), Waits() as waits:
        torch.ones(2).to("cuda", non_blocking=True)
        torch.ones(2, device="cuda").new_tensor([1.0])
        torch.ones(2).to("cuda")
    assert waits.seen == ["_to_copy", "_to_copy"]

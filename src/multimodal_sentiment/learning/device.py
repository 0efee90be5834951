"""What the model runs on, and how precisely."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import torch
from torch import nn

from multimodal_sentiment.malloc import keep_freed_memory
from multimodal_sentiment.parameters import ComputeParameters

Model = TypeVar("Model", bound=nn.Module)


@dataclass(frozen=True)
class Device:
    """A kind of device, how precisely it computes, and who reads for it.

    Attributes:
        kind: cuda, mps or cpu.
        bf16: Whether matrices are multiplied in bfloat16.
        workers: Processes that read examples; 0 reads in the process that computes.
    """

    kind: str
    bf16: bool
    workers: int

    def __str__(self) -> str:
        return f"{self.kind} in {'bf16' if self.bf16 else 'fp32'}"

    @property
    def precision(self) -> torch.dtype:
        """In which matrices are multiplied."""
        return torch.bfloat16 if self.bf16 else torch.float32

    def autocast(self) -> AbstractContextManager[object]:
        """A context in which a forward pass runs at this device's precision."""
        if not self.bf16:
            return nullcontext()
        return torch.autocast(self.kind, dtype=self.precision)

    def wait(self) -> None:
        """Return when all that the device was asked for is done, so that a clock can be read."""
        if self.kind != "cpu":
            torch.accelerator.synchronize()

    def to_device(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Return a batch with its tensors on this device; what is no tensor stays as it is."""
        pinned = self.kind == "cuda"  # mps might read a batch after it is gone
        return {
            name: value.to(self.kind, non_blocking=pinned)
            if torch.is_tensor(value)
            else self.to_device(value)
            if isinstance(value, Mapping)
            else value
            for name, value in batch.items()
        }

    def prepare_model(self, model: Model) -> Model:
        """Return the model on this device, its weights laid out as convolutions like them best."""
        placed: Model = model.to(self.kind, memory_format=torch.channels_last)
        return placed


def choose_device(parameters: ComputeParameters) -> Device:
    """The device that the parameters ask for, or the best there is.

    Raises:
        ValueError: If the device is not there, or cannot do bf16.
    """
    available = [kind for kind, there in _DEVICES.items() if there()]
    kind = available[0] if parameters.device == "auto" else parameters.device
    if kind not in available:
        raise ValueError(
            f"compute.device: no {kind} on this machine: choose one of {', '.join(available)}, "
            "or auto"
        )
    bf16 = _computes_bf16(kind)
    if parameters.precision == "bf16" and kind == "mps":
        raise ValueError("compute.precision: bf16 is not supported on mps: choose fp32, or auto")
    if parameters.precision != "auto":
        bf16 = parameters.precision == "bf16"
    workers = _readers(kind) if parameters.workers == "auto" else parameters.workers
    if kind == "cpu":
        keep_freed_memory()
    return Device(kind, bf16, workers)


_DEVICES = {
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}


def _computes_bf16(kind: str) -> bool:
    """Whether the hardware multiplies bf16 itself, and faster than fp32."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "cpu":
        # AVX-512's own bf16 instruction, without tiles, is no faster than fp32 on the processors
        # that have it: a ResNet-50 trained at 0.7 of fp32's speed.
        return bool(getattr(torch.cpu, "_is_amx_tile_supported", bool)())
    return False


def _readers(kind: str) -> int:
    """Enough to keep a GPU busy; a CPU has no core to spare.

    One reads 7,000 posts a second for training, or 1,000 that are stored as JPEG.
    """
    return min(4, (os.cpu_count() or 1) // 2) if kind == "cuda" else 0

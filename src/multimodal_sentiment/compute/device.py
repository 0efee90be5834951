"""The device that the model runs on, and its precision."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, TypeVar

import torch
from torch import nn
from torch.nn import functional

from multimodal_sentiment.cluster import map_parts
from multimodal_sentiment.parameters import ClusterParameters, ComputeParameters

from .memory import keep_freed_memory

Model = TypeVar("Model", bound=nn.Module)

_CLEAR_GAIN = 1.25


@dataclass(frozen=True)
class Device:
    """A kind of device, how precisely it computes, and who reads for it.

    Attributes:
        kind: cuda, mps or cpu.
        bf16: Whether matrices are multiplied in bfloat16.
        workers: The number of processes that read examples; 0 reads in the process that computes.
    """

    kind: str
    bf16: bool
    workers: int

    def __str__(self) -> str:
        return f"{self.kind} in {'bf16' if self.bf16 else 'fp32'}"

    @property
    def precision(self) -> torch.dtype:
        """The data type in which matrices are multiplied."""
        return torch.bfloat16 if self.bf16 else torch.float32

    def ask_for(self, parameters: ComputeParameters) -> ComputeParameters:
        """Return parameters by which every process chooses this kind and precision, or fails."""
        precision = "bf16" if self.bf16 else "fp32"
        return parameters.model_copy(update={"device": self.kind, "precision": precision})

    def autocast(self) -> AbstractContextManager[object]:
        """Return a context in which a forward pass runs at this device's precision."""
        if not self.bf16:
            return nullcontext()
        return torch.autocast(self.kind, dtype=self.precision)

    def wait(self) -> None:
        """Wait until the device has finished its work, so that a clock can be read."""
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
        """Return the model on this device, its weights in the layout that is fastest there.

        The process is prepared, too: this may be another one than that which chose the device.
        """
        if self.kind == "cpu":
            keep_freed_memory()
        elif self.kind == "cuda":
            # On a Hopper GPU, cuDNN's attention builds a plan for each new shape of a batch, which
            # takes up to a second, and texts have many lengths. PyTorch's own kernels need none.
            torch.backends.cuda.enable_cudnn_sdp(False)
        placed: Model = model.to(self.kind, memory_format=torch.channels_last)
        return placed


def choose_device(parameters: ComputeParameters) -> Device:
    """Return the device that the parameters ask for, or the best there is.

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
    workers = _count_workers(kind) if parameters.workers == "auto" else parameters.workers
    return Device(kind, bf16, workers)


def choose_worker_device(parameters: ComputeParameters, cluster: ClusterParameters) -> Device:
    """Return the device that the workers of a cluster compute on; without workers, this process's.

    One worker chooses for all, as hosts may differ: send the others `Device.ask_for`.

    Raises:
        ValueError: If the device is not there, or cannot do bf16.
    """
    if not cluster.workers:
        return choose_device(parameters)
    try:
        (device,) = map_parts(choose_device, [parameters], cluster, "Choosing the device")
    except ValueError as error:
        raise ValueError(f"a worker with {cluster.gpus_per_worker:g} GPUs: {error}") from error
    return device


_DEVICES = {
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}


def _computes_bf16(kind: str) -> bool:
    """Return whether the hardware multiplies bf16 itself, and faster than fp32."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return kind == "cpu" and _cpu_gains_by_bf16()


def has_amx() -> bool:
    """Return whether this processor multiplies bf16 matrices in tiles (Intel's AMX)."""
    return bool(_cpu_capabilities().get("amx_bf16"))


def _cpu_capabilities() -> Mapping[str, Any]:
    known = getattr(torch.cpu, "get_capabilities", None)  # older torch has none
    return {} if known is None else known()


@cache
def _cpu_gains_by_bf16() -> bool:
    """Return whether this processor is clearly faster in bf16.

    With AMX it is; without any instruction for bf16 it is not. In between it depends on the
    processor (from 0.7 to 2 times the speed), so that a matrix product and a convolution are timed,
    a tenth of a second in all. The gains seen are far from the threshold: the answer is the same
    each time.
    """
    capabilities = _cpu_capabilities()
    if has_amx():
        return True
    if not (capabilities.get("avx512_bf16") or capabilities.get("bf16")):
        return False
    rows, image = torch.ones(512, 384), torch.ones(2, 64, 56, 56)
    work: list[Callable[[], torch.Tensor]] = [
        partial(functional.linear, rows, torch.ones(1536, 384)),
        partial(
            functional.conv2d,
            image.to(memory_format=torch.channels_last),
            torch.ones(64, 64, 3, 3),
            padding=1,
        ),
    ]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # one that waits for others would be timed as one that works
    try:
        with torch.inference_mode():
            plain = sum(map(_least_seconds, work))
            with torch.autocast("cpu", dtype=torch.bfloat16):
                halved = sum(map(_least_seconds, work))
    finally:
        torch.set_num_threads(threads)
    return plain > _CLEAR_GAIN * halved


def _least_seconds(work: Callable[[], torch.Tensor]) -> float:
    """Return the least processor time of a few calls, s; what else runs hardly shows in it."""
    seconds = []
    for _ in range(6):
        began = time.thread_time()
        work()
        seconds.append(time.thread_time() - began)
    return min(seconds)


def _count_workers(kind: str) -> int:
    """Return how many processes keep a GPU busy; a CPU has no core to spare.

    One reads 7,000 posts a second for training, or 1,000 that are stored as JPEG.
    """
    return min(4, (os.cpu_count() or 1) // 2) if kind == "cuda" else 0

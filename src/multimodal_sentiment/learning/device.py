"""What the model runs on, and how precisely."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch

from multimodal_sentiment.parameters import ComputeParameters


@dataclass(frozen=True)
class Device:
    """A kind of device and whether its matrices are multiplied in bfloat16."""

    kind: str
    bf16: bool

    def __str__(self) -> str:
        return f"{self.kind} in {'bf16' if self.bf16 else 'fp32'}"

    def autocast(self) -> AbstractContextManager[object]:
        """A context in which a forward pass runs at this device's precision."""
        if not self.bf16:
            return nullcontext()
        return torch.autocast(self.kind, dtype=torch.bfloat16)


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
    return Device(kind, bf16 if parameters.precision == "auto" else parameters.precision == "bf16")


_DEVICES = {
    "cuda": torch.cuda.is_available,
    "mps": torch.backends.mps.is_available,
    "cpu": lambda: True,
}


def _computes_bf16(kind: str) -> bool:
    """Whether the hardware multiplies bf16 itself; where it is emulated, fp32 is faster."""
    if kind == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if kind == "cpu":
        supported = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")
        return any(getattr(torch.cpu, name, bool)() for name in supported)
    return False

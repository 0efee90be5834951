"""What a device sets up in the process that computes on it."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from multimodal_sentiment.compute.device import Device

# Allocates and frees the tensors of a batch of 256 MB, and tells how much of it the process keeps.
FREE_A_BATCH = """
import psutil, torch
from torch import nn
from multimodal_sentiment.compute.device import Device
if {prepared}:
    Device("cpu", bf16=False, workers=0).prepare_model(nn.Linear(1, 1))
before = psutil.Process().memory_info().rss
batch = [torch.ones(4_000_000) for _ in range(16)]
del batch
print(psutil.Process().memory_info().rss - before)
"""


class Placeless(nn.Module):
    """A model that is nowhere, so that no GPU is needed to put it there."""

    def to(self, *_: object, **__: object) -> Placeless:
        return self


def test_texts_of_new_lengths_need_no_plans_on_a_gpu() -> None:
    cudnn = torch.backends.cuda
    before = cudnn.cudnn_sdp_enabled()
    try:
        cudnn.enable_cudnn_sdp(True)
        Device("cpu", bf16=False, workers=0).prepare_model(Placeless())
        assert cudnn.cudnn_sdp_enabled()
        Device("cuda", bf16=False, workers=0).prepare_model(Placeless())
        assert not cudnn.cudnn_sdp_enabled()
    finally:
        cudnn.enable_cudnn_sdp(before)


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of Linux gives memory back")
@pytest.mark.parametrize("prepared", [True, False])
def test_a_process_that_has_a_model_keeps_the_memory_of_a_batch_for_the_next(
    prepared: bool,
) -> None:
    program = FREE_A_BATCH.format(prepared=prepared)
    told = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    kept = int(told.stdout)

    assert (kept > 200e6) if prepared else (kept < 50e6)

"""What choosing a device sets up."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from multimodal_sentiment.compute import device
from multimodal_sentiment.compute.device import choose_device
from multimodal_sentiment.parameters import Parameters


def test_texts_of_new_lengths_need_no_plans_on_a_gpu(
    tiny: Callable[..., Parameters], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(device._DEVICES, "cuda", lambda: True)  # whatever this machine has
    cudnn = torch.backends.cuda
    before = cudnn.cudnn_sdp_enabled()
    try:
        cudnn.enable_cudnn_sdp(True)
        choose_device(tiny(compute__device="cpu").compute)
        assert cudnn.cudnn_sdp_enabled()
        choose_device(tiny(compute__device="cuda").compute)
        assert not cudnn.cudnn_sdp_enabled()
    finally:
        cudnn.enable_cudnn_sdp(before)

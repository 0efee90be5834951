"""What processes of a group run in tests: they import it from here."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
import torch.distributed as dist

from multimodal_sentiment.learning.gradient_descent.distributed import check_equal
from multimodal_sentiment.learning.gradient_descent.optimize import AverageStatistics


def compare_weights(rank: int, folder: Path) -> None:
    """Write what is said of equal weights and of different ones, and statistics of batch norms."""
    dist.init_process_group("gloo", f"file://{folder}/meeting", rank=rank, world_size=2)
    model = torch.nn.Linear(2, 1)
    said = []
    for weight in (1.0, float(rank)):
        torch.nn.init.constant_(model.weight, weight)
        torch.nn.init.constant_(model.bias, 0)
        try:
            check_equal(model)
            said.append("equal")
        except ValueError as error:
            said.append(str(error))
    trained, frozen = torch.nn.BatchNorm1d(1), torch.nn.BatchNorm1d(1)
    frozen.eval()
    for norm in (trained, frozen):
        norm.running_mean.fill_(rank)
        norm.running_var.fill_(1 + 2 * rank)
        arguments: Any = SimpleNamespace(world_size=2)
        AverageStatistics().on_epoch_end(arguments, None, None, model=norm)
        said.append(f"{norm.running_mean.item()} {norm.running_var.item()}")
    (folder / f"{rank}.txt").write_text("\n".join(said))
    dist.destroy_process_group()

"""What processes of a group run in tests: they import it from here."""

from __future__ import annotations

from pathlib import Path

import torch
import torch.distributed as dist

from multimodal_sentiment.learning.distributed import check_equal


def compare_weights(rank: int, folder: Path) -> None:
    """Write what is said of equal weights, and of weights that differ from process to process."""
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
    (folder / f"{rank}.txt").write_text("\n".join(said))
    dist.destroy_process_group()

"""What an interrupted training goes on from."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch.distributed as dist
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from transformers.trainer import TRAINER_STATE_NAME

_WHOLE = "whole"  # the file that marks a checkpoint as complete


def newest_checkpoint(folder: Path) -> str | None:
    """Return the newest whole checkpoint in a folder, if there is one."""
    whole = [path.parent for path in folder.glob(f"checkpoint-*/{_WHOLE}")]
    if not whole:
        return None
    return str(max(whole, key=lambda path: int(path.name.rpartition("-")[2])))


def epoch_of_end(checkpoint: str) -> int | None:
    """Return the epoch of a checkpoint if the training had ended with it; else None."""
    state = TrainerState.load_from_json(str(Path(checkpoint) / TRAINER_STATE_NAME))
    control = state.stateful_callbacks.get(TrainerControl.__name__, {})
    is_end = control.get("args", {}).get("should_training_stop", False)
    return round(state.epoch or 0) if is_end else None


class KeepNewestAndBest(TrainerCallback):
    """Marks each checkpoint when all processes have written their part of it.

    Earlier ones, but the best, are removed after that, each with its mark first: however a training
    ends, there is one to go on from, and none that is marked has lost a file.
    """

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Look for the best one where the others are now: the folder may have moved."""
        best = Path(args.output_dir) / f"checkpoint-{state.best_global_step}"
        if state.best_global_step and best.is_dir():
            state.best_model_checkpoint = str(best)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        """Wait for the others, write the mark, and remove what is needed no more."""
        if args.world_size > 1:
            dist.barrier()
        if args.process_index:
            return
        newest = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        (newest / _WHOLE).touch()
        for folder in newest.parent.glob("checkpoint-*"):
            if folder.name not in (newest.name, Path(state.best_model_checkpoint or "").name):
                (folder / _WHOLE).unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def full_disk_explained(folder: Path) -> Iterator[None]:
    """Say that the disk is full where torch's writer gives no reason."""
    try:
        yield
    except RuntimeError as error:
        if "inline_container" not in str(error):
            raise
        raise OSError(
            f"{folder}: a checkpoint cannot be written whole: is the disk full? free some space, "
            "or write elsewhere with --params data=FOLDER"
        ) from error

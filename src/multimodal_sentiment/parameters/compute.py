"""The parameters of what work runs on: the device of a process, and the processes of a cluster."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field

from .kinds import Count, Group, NotNegative


class ComputeParameters(Group):
    """What the model runs on; all but `processes`, which share a training, change only rounding."""

    device: Literal["auto", "cpu", "cuda", "mps"]
    precision: Literal["auto", "fp32", "bf16"]
    prediction_batch_size: Count
    compile: Literal["auto"] | bool
    workers: Literal["auto"] | Annotated[int, Field(ge=0)]
    processes: Count


class ClusterParameters(Group):
    """The workers that share heavy work.

    They change results only by rounding; a training by gradient descent comes out as another one
    of about the same accuracy.
    """

    workers: Annotated[int, Field(ge=0)]
    cpus_per_worker: Count
    gpus_per_worker: NotNegative


IN_THIS_PROCESS = ClusterParameters(workers=0, cpus_per_worker=1, gpus_per_worker=0)


def compute_to_predict(device: str = "auto", precision: str = "auto") -> ComputeParameters:
    """Return what a model runs on that only predicts, where no configuration says it.

    Raises:
        ValueError: If there is no such device or precision.
    """
    asked = {"device": device, "precision": precision}
    for name, value in asked.items():
        choices = get_args(ComputeParameters.model_fields[name].annotation)
        if value not in choices:
            raise ValueError(f"{name} {value!r}: choose one of {', '.join(choices)}")
    beside = {"prediction_batch_size": 128, "compile": False, "workers": 0, "processes": 1}
    return ComputeParameters.model_validate(asked | beside)


def count_processes(compute: ComputeParameters, cluster: ClusterParameters) -> int:
    """Return how many processes share a training by gradient descent."""
    return cluster.workers or compute.processes


def share_of_batch(batch_size: int, processes: int) -> int:
    """Return how many posts of a batch each process takes.

    Raises:
        ValueError: If they do not divide it.
    """
    share, rest = divmod(batch_size, processes)
    if rest:
        less, more = batch_size - rest, batch_size - rest + processes
        raise ValueError(
            f"training.batch_size: {processes} processes cannot share {batch_size} posts evenly: "
            f"choose {f'{less} or {more}' if less else more}"
        )
    return share

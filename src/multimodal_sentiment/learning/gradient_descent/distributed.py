"""Fits the weights of a model in several processes that share each batch, here or on a cluster.

The process that asks writes the model into a folder that all processes see. Each of them runs
`work`, whoever launched it; the first writes the fitted weights there, and what it logs. When a
process ends before its time, all start again from the last checkpoint, and come to the weights of a
training that nothing disturbed.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_model, save_model
from torch import nn
from transformers import TrainerState

from multimodal_sentiment.cluster import ClusterError, open_cluster
from multimodal_sentiment.compute.device import choose_device
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ClusterParameters

from .optimize import Task, optimize

logger = logging.getLogger(__name__)

_RESTARTS = 3
_ENDED = "a process of the training has ended {} times: {}"
_SECONDS = 0.5  # between two looks at what the first process has logged
_MODEL, _LOG, _ERROR = "model", "log.txt", "error.txt"
_WEIGHTS, _STATE = "fitted.safetensors", "state.json"


def optimize_together(task: Task, classifier: SentimentClassifier) -> TrainerState:
    """Do what `optimize` does, in as many processes as the plan says.

    Raises:
        ChildProcessError: If processes have ended too often.
        ValueError: If the training has failed in a way that would come again.
    """
    plan, folder = task.plan, task.folder.resolve()
    shared = replace(task, plan=replace(plan, encoders={}, features={}), folder=folder)
    files = _files_of(shared)
    shutil.rmtree(files, ignore_errors=True)
    files.mkdir(parents=True)
    classifier.save_pretrained(files / _MODEL)
    relay = _relay(files / _LOG)
    if plan.cluster.workers:
        _launch_on_cluster(shared, plan.cluster, relay)
    else:
        _launch_here(shared, plan.compute.processes, relay)
    if (files / _ERROR).exists():
        raise ValueError((files / _ERROR).read_text(encoding="utf-8"))
    load_model(classifier.model, files / _WEIGHTS)
    state = TrainerState.load_from_json(str(files / _STATE))
    shutil.rmtree(files)
    return state


def work(task: Task) -> None:
    """Take part in a training, as one of the processes of a group that is there already."""
    files = _files_of(task)
    warnings.simplefilter("ignore", FutureWarning)  # libraries to each other
    first = dist.get_rank() == 0
    if first:
        _log_into(files / _LOG)
    else:
        logging.disable()  # one voice
    classifier = SentimentClassifier.load(files / _MODEL)
    try:
        state = optimize(task, classifier)
        check_equal(classifier.model)
    except ValueError as error:  # which all processes meet, and would meet again
        (files / _ERROR).write_text(str(error), encoding="utf-8")
        return
    if first:
        save_model(classifier.model, str(files / _WEIGHTS))
        state.save_to_json(str(files / _STATE))


def check_equal(model: nn.Module) -> None:
    """Check that all processes of the group have the same weights.

    Raises:
        ValueError: If they have not.
    """
    own = sha256()
    for weight in model.state_dict().values():
        if weight.is_floating_point():
            own.update(weight.cpu().contiguous().numpy().tobytes())
    digests = [""] * dist.get_world_size()
    dist.all_gather_object(digests, own.hexdigest())
    if len(set(digests)) > 1:
        raise ValueError(
            "the processes of the training have ended with different weights: take a data folder "
            "that all hosts see"
        )


def _files_of(task: Task) -> Path:
    """Return the folder where the classifier lies, and what comes of it will."""
    return task.folder / "task"


def _launch_here(task: Task, processes: int, relay: Callable[[], None]) -> None:
    """Run `work` in processes on this machine, which start again when one of them ends."""
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")  # it warns of parameters without use
    for restart in range(_RESTARTS + 1):
        with TemporaryDirectory() as meeting:
            group = mp.spawn(
                _join_and_work,
                (processes, f"file://{meeting}/processes", task),
                nprocs=processes,
                join=False,
            )
            try:
                while not group.join(timeout=_SECONDS):
                    relay()
            except (mp.ProcessExitedException, mp.ProcessRaisedException) as error:
                reason = str(error).strip().splitlines()[-1]
                if restart == _RESTARTS:
                    raise ChildProcessError(_ENDED.format(_RESTARTS + 1, reason)) from error
                logger.warning(
                    "A process of the training has ended: %s: starting all again from the last "
                    "checkpoint",
                    reason,
                )
            else:
                return
            finally:
                for process in group.processes:
                    process.kill()
                relay()


def _join_and_work(rank: int, processes: int, meeting: str, task: Task) -> None:
    os.environ |= {"RANK": str(rank), "LOCAL_RANK": str(rank)}
    os.environ |= {"WORLD_SIZE": str(processes), "LOCAL_WORLD_SIZE": str(processes)}
    torch.set_num_threads(max(1, torch.get_num_threads() // processes))
    backend = "gloo"
    if task.plan.device.kind == "cuda":
        devices = torch.cuda.device_count()
        torch.cuda.set_device(rank % devices)
        backend = "nccl" if processes <= devices else "gloo"  # NCCL wants a GPU for each process
    dist.init_process_group(backend, meeting, rank=rank, world_size=processes)
    work(task)
    dist.destroy_process_group()


def _launch_on_cluster(task: Task, cluster: ClusterParameters, relay: Callable[[], None]) -> None:
    """Run `work` in workers of a Ray cluster, which start again when one of them ends."""
    with open_cluster(cluster):
        from ray.train import (
            FailureConfig,
            RunConfig,
            ScalingConfig,
            TrainingFailedError,
            WorkerGroupError,
        )
        from ray.train.torch import TorchConfig, TorchTrainer

        _check_room(cluster)
        gpus = cluster.gpus_per_worker
        trainer = TorchTrainer(
            _work_on_cluster,
            train_loop_config={"task": task},
            torch_config=TorchConfig(backend="nccl" if gpus >= 1 else "gloo"),
            scaling_config=ScalingConfig(
                num_workers=cluster.workers,
                use_gpu=gpus > 0,
                resources_per_worker={"CPU": cluster.cpus_per_worker, "GPU": gpus},
            ),
            run_config=RunConfig(
                storage_path=str(_files_of(task) / "ray"),
                failure_config=FailureConfig(max_failures=_RESTARTS),
            ),
        )
        try:
            running = _begin(trainer.fit)
            while not running.done():
                wait([running], timeout=_SECONDS)
                relay()
            running.result()
        except TrainingFailedError as error:
            failures = error.worker_failures if isinstance(error, WorkerGroupError) else {}
            reason = str(next(iter(failures.values()), error)).strip().splitlines()[-1]
            raise ChildProcessError(_ENDED.format(_RESTARTS + 1, reason)) from error


def _begin(function: Callable[[], Any]) -> Future[Any]:
    """Call a function in a thread for which the process does not wait when it ends.

    After Ctrl-C Ray is shut down, and a thread that still waits for Ray never ends.
    """
    outcome: Future[Any] = Future()

    def call() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=call, daemon=True).start()
    return outcome


def _check_room(cluster: ClusterParameters) -> None:
    """Refuse workers that a cluster cannot hold all at once: they would wait for ever.

    Raises:
        ClusterError: If that is so.
    """
    import ray

    there = ray.cluster_resources()
    for kind, each in (("CPU", cluster.cpus_per_worker), ("GPU", cluster.gpus_per_worker)):
        if there.get(kind, 0) < cluster.workers * each:
            raise ClusterError(
                f"cluster.workers: {cluster.workers} workers share a training, and need "
                f"{cluster.workers * each:g} {kind}s, but the cluster has {there.get(kind, 0):g}: "
                "set it to fewer"
            )


def _work_on_cluster(config: dict[str, Any]) -> None:
    task: Task = config["task"]
    plan = task.plan
    device = choose_device(plan.device.ask_for(plan.compute))  # here, as all others do
    work(replace(task, plan=replace(plan, device=device)))


def _log_into(path: Path) -> None:
    """Write what this process logs into a file, for `_relay`."""
    handler = logging.FileHandler(path, encoding="utf-8")
    handler.setFormatter(_JsonLine())
    logging.basicConfig(handlers=[handler], level=logging.INFO, force=True)


class _JsonLine(logging.Formatter):
    """Writes level, name and message of a record."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps([record.levelno, record.name, record.getMessage()])


def _relay(path: Path) -> Callable[[], None]:
    """Return a function that logs here what another process has logged since the last call."""
    position = 0

    def relay() -> None:
        nonlocal position
        if not path.exists():
            return
        with path.open(encoding="utf-8") as file:
            file.seek(position)
            while (line := file.readline()).endswith("\n"):
                level, name, message = json.loads(line)
                logging.getLogger(name).log(level, "%s", message)
                position = file.tell()

    return relay

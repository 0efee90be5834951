"""Workers killed at random moments of whole commands, whose results must not change for it.

    python tests/benchmarks/cluster_kills.py [--kills 20] [--posts 300] [--workers 2] [--seed 0]

Each command runs once undisturbed: training and inference with the default encoders, and a training
that the workers share (`--env=scratch`, small). Then it runs again and again from the same folder,
and each time one busy worker is killed (SIGKILL) at a moment drawn at random. Tables must be
equal, numbers of the default model to 1e-4, weights of the shared training to the bit. The first
deviation ends it with an error.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from itertools import cycle, islice
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from cluster import KEDRO, draw_posts
from project import PROJECT, newest
from safetensors.numpy import load_file

TABLES = (
    "02_intermediate/labelled/posts.csv",
    "05_model_input/train_posts.csv",
    "05_model_input/validation_posts.csv",
    "07_model_output/validation_predictions.csv",
    "07_model_output/unlabelled/predictions.csv",
)
WEIGHTS = "06_models/fusion_model"
SMALL = {
    "model.text.scratch.hidden_size": 16,
    "model.text.scratch.layers": 1,
    "model.text.scratch.heads": 2,
    "model.fusion.hidden_size": 16,
    "preparation.short_side": 64,
    "model.image.resize": 64,
    "model.image.size": 64,
    "training.epochs": 2,
}
TOLERANCE = 1e-4  # of probabilities: workers' batches are others when a part is done again
# What Ray itself runs beside the workers.
KEEPERS = (
    b"IDLE",
    b"TrainController",
    b"DatasetManager",
    b"Actor",
    b"PlacementGroupCleaner",
    b"DashboardAgent",
    b"RuntimeEnvAgent",
)


class Command(NamedTuple):
    """A pipeline in an environment, and the data folder that it starts from; None: an empty one."""

    pipeline: str
    env: str
    start: Path | None
    parameters: dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--posts", type=int, default=300)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        raw = draw_posts(folder, asked.posts)
        shared = {"raw": raw, "cluster.workers": asked.workers, "explaining.posts": 0}
        trained = folder / "calm-0"
        commands = [
            Command("training", "base", None, shared),
            Command("inference", "base", trained, shared),
            Command("training", "scratch", None, shared | SMALL),
        ]
        calm = [folder / f"calm-{number}" for number in range(len(commands))]
        seconds = []
        for command, data in zip(commands, calm, strict=True):
            began = time.monotonic()
            complete(start(command, data))
            seconds.append(time.monotonic() - began)
            print(f"{command.pipeline}, {command.env}: {seconds[-1]:.0f} s undisturbed", flush=True)
        struck: Counter[str] = Counter()
        for number in islice(cycle(range(len(commands))), asked.kills):
            command, data = commands[number], folder / "killed"
            while (worker := run_and_kill(command, data, seconds[number], rng)) is None:
                pass  # it had ended, or its workers had, before the moment came
            compare(data, calm[number], exact=command.env == "scratch")
            struck[f"{command.pipeline}, {command.env}: {worker}"] += 1
            print(f"kill {struck.total()}: {command.pipeline}, {command.env}: {worker}", flush=True)
    print(f"{struck.total()} kills, the same results each time: {dict(sorted(struck.items()))}")


def start(command: Command, data: Path) -> subprocess.Popen[str]:
    """Start a command in a fresh copy of the folder that it starts from."""
    shutil.rmtree(data, ignore_errors=True)
    if command.start:
        shutil.copytree(command.start, data)
    given = command.parameters | {"data": data}
    params = ",".join(f"{name}={value}" for name, value in given.items())
    options = [f"--pipeline={command.pipeline}", f"--env={command.env}", "--params", params]
    return subprocess.Popen(
        [*KEDRO, "run", *options],
        cwd=PROJECT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def complete(process: subprocess.Popen[str], struck: str | None = None) -> None:
    _, said = process.communicate()
    if process.returncode:
        killed = f" ({struck} was killed)" if struck else ""
        sys.exit(f"a command has failed with status {process.returncode}{killed}:\n{said}")


def run_and_kill(command: Command, data: Path, seconds: float, rng: random.Random) -> str | None:
    """Run a command, and kill a busy worker on the way; return what it was at, if one was."""
    process = start(command, data)
    wait_until(process, time.monotonic() + rng.uniform(0, seconds))
    struck = None
    while struck is None and process.poll() is None:
        if workers := busy_workers():
            pid, struck = rng.choice(workers)
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                struck = None
        wait_until(process, time.monotonic() + 0.05)
    complete(process, struck)
    return struck


def wait_until(process: subprocess.Popen[str], moment: float) -> None:
    while process.poll() is None and time.monotonic() < moment:
        time.sleep(0.02)


def busy_workers() -> list[tuple[int, str]]:
    """The workers of Ray that are at a task, and what Ray calls it."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            name = place.read_bytes().partition(b"\0")[0]
        except OSError:
            continue
        if name.startswith(b"ray::") and not any(keeper in name for keeper in KEEPERS):
            found.append((int(place.parent.name), name.removeprefix(b"ray::").decode()))
    return sorted(found)


def compare(found: Path, expected: Path, *, exact: bool) -> None:
    """End everything unless two data folders hold the same results."""
    for name in TABLES:
        if not (expected / name).exists():
            continue
        tables = [pd.read_csv(newest(data, name)) for data in (found, expected)]
        pd.testing.assert_frame_equal(*tables, check_exact=exact, rtol=0, atol=TOLERANCE)
    if exact:
        ours, theirs = (
            load_file(next(newest(data, WEIGHTS).glob("*.safetensors")))
            for data in (found, expected)
        )
        unequal = [name for name, values in theirs.items() if (ours[name] != values).any()]
        if unequal or ours.keys() != theirs.keys():
            sys.exit(f"{len(unequal)} weights differ")


if __name__ == "__main__":
    main()

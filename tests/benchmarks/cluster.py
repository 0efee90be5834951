"""Workers of a cluster: time, memory and disk of large sets, and workers against lone processes.

    python tests/benchmarks/cluster.py scale --posts 20000 200000 --workers 2 --folder WORK
    python tests/benchmarks/cluster.py share --posts 20000 --folder WORK
    python tests/benchmarks/cluster.py train --posts 2000 --folder WORK

`scale` reads, prepares, finds twins, splits and predicts sets of made-up posts, stored as JPEG, and
prints seconds a step, the peak memory of the driver and of its largest worker, and bytes a post.
Memory is told twice: resident, with the pages of mapped files, which the system takes back when it
needs them, and of Ray's store, which all processes share; and a process's own. `share` compares two
workers of one core each with two processes without Ray, each on a core of its own with half the
posts: 1 is as fast. Both predict with `--model`, or with a model trained on 400 posts. `train`
compares a training of conf/scratch likewise, and one that two processes share without Ray. WORK
keeps the posts for the next time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pandas as pd
from project import PROJECT, newest

STEPS = ("read_posts", "prepare_examples", "group_duplicates", "split_posts", "predict_unlabelled")
EPOCHS = 6  # of a training; the first is not measured
BATCH = 32  # posts that each process takes in a step of it
DATA = ("shared", "alone-0", "alone-1")  # of two workers together, and of two processes
KEDRO = [sys.executable, "-m", "kedro"]
SECONDS_BETWEEN_LOOKS = 0.5


class Memory(NamedTuple):
    """The most memory that a process has had, bytes.

    Attributes:
        resident: All that was in memory, as the system has recorded it.
        own: What no file and no other process shares, the most of all looks.
    """

    resident: int = 0
    own: int = 0

    def or_more(self, other: Memory) -> Memory:
        """Return the larger of each."""
        return Memory(*map(max, zip(self, other, strict=True)))

    def __str__(self) -> str:
        return f"{self.resident / 1e9:.2f} GB ({self.own / 1e9:.2f} its own)"


@dataclass
class Run:
    """A command, and what it took.

    Attributes:
        seconds: Of each step, by the name of its node.
        driver: The driver's peak memory.
        worker: The largest worker's.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    driver: Memory = field(default_factory=Memory)
    worker: Memory = field(default_factory=Memory)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["scale", "share", "train"])
    parser.add_argument("--posts", type=int, nargs="+", default=[20_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="a folder of a trained model")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    folder = asked.folder.absolute()
    if asked.what == "train":
        measure_training(folder, asked.posts[0])
        return
    model = (asked.model or train_model(folder)).absolute()
    if asked.what == "scale":
        for count in asked.posts:
            measure_scale(folder, count, asked.workers, model)
    else:
        measure_share(folder, asked.posts[0], model)


def measure_scale(folder: Path, count: int, workers: int, model: Path) -> None:
    raw, data = draw_posts(folder, count), folder / f"data-{count}"
    shutil.rmtree(data, ignore_errors=True)
    run = go_through(raw, data, model, workers)
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    steps = ", ".join(f"{step} {run.seconds[step]:.1f} s" for step in STEPS)
    print(f"{count:,} posts, {workers} workers: {sum(run.seconds.values()):.1f} s: {steps}")
    print(f"  driver {run.driver}, largest worker {run.worker} at most")
    print(f"  {size / count:,.0f} bytes a post in the data folder")
    shutil.rmtree(data)


def measure_share(folder: Path, count: int, model: Path) -> None:
    def go(raw: Path, data: Path, workers: int, core: int | None) -> Run:
        return go_through(raw, data, model, workers, core)

    together, alone = side_by_side(folder, count, go)
    for step in ("read_posts", "prepare_examples", "predict_unlabelled"):
        apart = max(run.seconds[step] for run in alone)
        shared = together.seconds[step]
        print(f"{step}: 2 workers {shared:.1f} s, 2 processes {apart:.1f} s: {apart / shared:.2f}")
    remove_data(folder)


def measure_training(folder: Path, count: int) -> None:
    def go(by: str, raw: Path, data: Path, workers: int, core: int | None) -> Run:
        options = {
            "training.batch_size": BATCH * max(1, workers),  # as many for each process
            "training.epochs": EPOCHS,
            "training.refit": False,
        }
        if workers:
            options[by] = workers
        return kedro("training", raw, data, options, core, env="scratch")

    for by in ("cluster.workers", "compute.processes"):
        together, alone = side_by_side(folder, count, partial(go, by))
        apart = max(run.seconds["train_model"] for run in alone)
        shared = together.seconds["train_model"]
        print(f"train_model: {by}=2 {shared:.1f} s, lone {apart:.1f} s: {apart / shared:.2f}")
        shared, *speeds = (speed_of_epochs(folder / name) for name in DATA)
        apart = sum(speeds)
        print(f"an epoch of it: {shared:.1f} posts/s, {apart:.1f} posts/s: {shared / apart:.2f}")
        remove_data(folder)


def side_by_side(
    folder: Path, count: int, go: Callable[[Path, Path, int, int | None], Run]
) -> tuple[Run, list[Run]]:
    """Two workers with all posts, and then two processes at once, each with half as many."""
    whole = draw_posts(folder, count)
    halves = [draw_posts(folder, count // 2, seed) for seed in (1, 2)]
    shared, *lone = (folder / name for name in DATA)
    together = go(whole, shared, 2, None)
    with ThreadPoolExecutor(2) as pool:
        alone = list(pool.map(go, halves, lone, (0, 0), (0, 1)))
    return together, alone


def speed_of_epochs(data: Path) -> float:
    """The median of all epochs but the first, posts/s."""
    history = newest(data, "08_reporting/training_history.csv")
    return float(pd.read_csv(history)["posts_per_second"].iloc[1:].median())


def remove_data(folder: Path) -> None:
    for name in DATA:
        shutil.rmtree(folder / name)


def draw_posts(folder: Path, count: int, seed: int = 0) -> Path:
    """The folder of so many labelled posts, which are to be predicted, too."""
    raw = folder / f"posts-{count}-{seed}"
    if not (raw / "whole").exists():
        cores = str(os.cpu_count())
        options = ["--labelled", str(count), "--seed", str(seed), "--workers", cores]
        subprocess.run([*KEDRO, "sample", str(raw), *options], cwd=PROJECT, check=True)
        listed = (raw / "train.txt").read_text("utf-8").splitlines()
        guids = [line.partition(",")[0] for line in listed[1:]]
        rows = "\n".join(["guid,tag", *(f"{guid},null" for guid in guids)])
        (raw / "test_without_label.txt").write_text(rows + "\n", "utf-8")
        (raw / "whole").touch()
    return raw


def train_model(folder: Path) -> Path:
    data = folder / "model"
    if not data.exists():
        kedro("training", draw_posts(folder, 400), data, {}, None)
    return max((data / "06_models" / "fusion_model").iterdir()) / "fusion_model"


def go_through(raw: Path, data: Path, model: Path, workers: int, core: int | None = None) -> Run:
    """Read, prepare and split posts, then predict them; on one core, or wherever it may run."""
    options = {"cluster.workers": workers, "preparation.storage": "jpeg"}
    read = kedro("reading", raw, data, options, core)
    predicted = kedro("inference", raw, data, options | {"model_folder": model}, core)
    seconds = read.seconds | {
        "predict_unlabelled": predicted.seconds["predict_unlabelled"],
    }
    return Run(
        seconds, read.driver.or_more(predicted.driver), read.worker.or_more(predicted.worker)
    )


def kedro(
    pipeline: str,
    raw: Path,
    data: Path,
    options: dict[str, object],
    core: int | None,
    env: str = "base",
) -> Run:
    given = {"raw": raw, "data": data, **options}
    params = ",".join(f"{name}={value}" for name, value in given.items())
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    process = subprocess.Popen(
        [*pinned, *KEDRO, "run", f"--pipeline={pipeline}", f"--env={env}", "--params", params],
        cwd=PROJECT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    run = Run()
    while True:
        try:
            status = process.wait(SECONDS_BETWEEN_LOOKS)
            break
        except subprocess.TimeoutExpired:
            run.driver = run.driver.or_more(memory_of(process.pid))
            for worker in ray_workers():
                run.worker = run.worker.or_more(memory_of(worker))
    if status:
        raise SystemExit(f"{pipeline} failed")
    record = json.loads(max((data / "runs").glob("*.json")).read_text("utf-8"))
    for node, seconds in record["seconds"].items():
        name = node.rpartition(".")[2]
        run.seconds[name] = run.seconds.get(name, 0.0) + seconds
    return run


def ray_workers() -> list[int]:
    """The processes of Ray's workers; it names them so."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if place.read_bytes().startswith(b"ray::"):
                found.append(int(place.parent.name))
        except OSError:
            continue
    return found


def memory_of(process: int) -> Memory:
    """The memory of a process; nothing if it is gone."""
    try:
        told = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return Memory()
    found = dict(re.findall(r"(VmHWM|RssAnon):\s+(\d+) kB", told))
    return Memory(int(found.get("VmHWM", 0)) * 1024, int(found.get("RssAnon", 0)) * 1024)


if __name__ == "__main__":
    main()

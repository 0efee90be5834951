"""Workers of a cluster: time, memory and disk of large sets, and workers against lone processes.

    python tests/benchmarks/cluster.py scale --posts 20000 200000 --workers 2 --folder WORK
    python tests/benchmarks/cluster.py share --posts 20000 --folder WORK

`scale` reads, prepares, finds twins, splits and predicts sets of made-up posts, stored as JPEG, and
prints seconds a step, the peak resident memory of the driver and of its largest worker (with what
they share of Ray's store), and bytes a post. `share` compares two workers of one core each with
two processes without Ray, each on a core of its own with half the posts: 1 is as fast. Both predict
with `--model`, or with a model trained on 400 posts. WORK keeps the posts for the next time.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path

from project import PROJECT

STEPS = ("read_posts", "prepare_examples", "group_duplicates", "split_posts", "predict_unlabelled")
KEDRO = [sys.executable, "-m", "kedro"]
SECONDS_BETWEEN_LOOKS = 0.5


@dataclass
class Run:
    """A command, and what it took.

    Attributes:
        seconds: Of each step, by the name of its node.
        driver: The driver's peak memory, bytes.
        worker: The largest worker's, bytes.
    """

    seconds: dict[str, float] = field(default_factory=dict)
    driver: int = 0
    worker: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("what", choices=["scale", "share"])
    parser.add_argument("--posts", type=int, nargs="+", default=[20_000])
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--model", type=Path, help="a folder of a trained model")
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    model = asked.model or train_model(asked.folder)
    if asked.what == "scale":
        for count in asked.posts:
            measure_scale(asked.folder.absolute(), count, asked.workers, model.absolute())
    else:
        measure_share(asked.folder.absolute(), asked.posts[0], model.absolute())


def measure_scale(folder: Path, count: int, workers: int, model: Path) -> None:
    raw, data = draw_posts(folder, count), folder / f"data-{count}"
    shutil.rmtree(data, ignore_errors=True)
    run = go_through(raw, data, model, workers)
    size = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    steps = ", ".join(f"{step} {run.seconds[step]:.1f} s" for step in STEPS)
    print(f"{count:,} posts, {workers} workers: {sum(run.seconds.values()):.1f} s: {steps}")
    print(f"  driver {run.driver / 1e9:.2f} GB, largest worker {run.worker / 1e9:.2f} GB at most")
    print(f"  {size / count:,.0f} bytes a post in the data folder")
    shutil.rmtree(data)


def measure_share(folder: Path, count: int, model: Path) -> None:
    whole = draw_posts(folder, count)
    halves = [draw_posts(folder, count // 2, seed) for seed in (1, 2)]
    together = go_through(whole, folder / "shared", model, workers=2)
    alone = [Run(), Run()]

    def work(number: int) -> None:
        data = folder / f"alone-{number}"
        alone[number] = go_through(halves[number], data, model, workers=0, core=number)

    threads = [threading.Thread(target=work, args=[number]) for number in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for step in ("read_posts", "prepare_examples", "predict_unlabelled"):
        apart = max(run.seconds[step] for run in alone)
        shared = together.seconds[step]
        print(f"{step}: 2 workers {shared:.1f} s, 2 processes {apart:.1f} s: {apart / shared:.2f}")
    for name in ("shared", "alone-0", "alone-1"):
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
    return Run(seconds, max(read.driver, predicted.driver), max(read.worker, predicted.worker))


def kedro(
    pipeline: str, raw: Path, data: Path, options: dict[str, object], core: int | None
) -> Run:
    given = {"raw": raw, "data": data, **options}
    params = ",".join(f"{name}={value}" for name, value in given.items())
    pinned = [] if core is None else ["taskset", "--cpu-list", str(core)]
    process = subprocess.Popen(
        [*pinned, *KEDRO, "run", f"--pipeline={pipeline}", "--params", params],
        cwd=PROJECT,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    run = Run()
    while True:
        try:
            status = process.wait(SECONDS_BETWEEN_LOOKS)
            break
        except subprocess.TimeoutExpired:
            run.driver = max(run.driver, peak_memory(process.pid))
            run.worker = max([run.worker, *map(peak_memory, ray_workers())])
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


def peak_memory(process: int) -> int:
    """The most that a process has had in memory, bytes; 0 if it is gone."""
    try:
        told = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s+(\d+) kB", told)
    return int(found[1]) * 1024 if found else 0


if __name__ == "__main__":
    main()

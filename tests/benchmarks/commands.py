"""Whole commands, in processes of their own: how long, and with how much memory."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import kedro
import numpy as np
import pandas as pd
from figures import Figure
from project import PROJECT
from reading import Workplace

EPOCHS = 3
MEASURED_EVERY = 0.02  # seconds
EXTRAPOLATED = 100_000  # posts


def measure_commands(work: Workplace) -> list[Figure]:
    """Training and inference of the small default model; the lab's trains one alike."""
    data = work.folder / "data"
    where = f"raw={work.raw},data={data}"
    params = f"{where},training.epochs={EPOCHS},training.patience={EPOCHS}"
    trained, training_memory = _run(_kedro("run", "--pipeline=training", "--params", params))
    answered, inference_memory = _run(_kedro("run", "--pipeline=inference", "--params", where))
    script = Path(__file__).with_name("lab_way.py")
    lab, lab_memory = _run([sys.executable, str(script), str(work.raw), str(EPOCHS)])
    alike = "default model; the lab's: one as small, from files to answers"
    return [
        Figure(
            f"kedro run, {EPOCHS} epochs",
            "s",
            trained + answered,
            lab,
            more_is_better=False,
            note=alike,
        ),
        Figure("  of these: training", "s", trained),
        Figure("  of these: inference", "s", answered),
        Figure(
            "peak memory of training",
            "MB",
            training_memory,
            lab_memory,
            more_is_better=False,
            note="file-backed pages apart",
        ),
        Figure("peak memory of inference", "MB", inference_memory),
    ]


def measure_start_up(folder: Path, rounds: int) -> list[Figure]:
    """Listing the pipelines, against a project without any; and a run with hardly any work."""
    empty = _empty_project(folder / "empty")
    ours, bare = [], []
    for _ in range(rounds + 1):
        ours.append(_run(_kedro("registry", "list"))[0])
        bare.append(_run(_kedro("registry", "list"), empty)[0])
    raw, data = folder / "few", folder / "few_data"
    _run(_kedro("sample", str(raw), "--labelled", "30", "--unlabelled", "2"))
    params = (
        f"raw={raw},data={data},training.epochs=1,model.modality=text,"
        "model.text.scratch.hidden_size=16,model.text.scratch.heads=2,model.text.scratch.layers=1,"
        "evaluation.bootstrap_samples=100"
    )
    least, _ = _run(_kedro("run", "--pipeline=training", "--params", params))
    (record,) = (data / "runs").glob("*.json")
    nodes = sum(json.loads(record.read_text("utf-8"))["seconds"].values())
    return [
        Figure(
            "kedro registry list",
            "s",
            statistics.median(ours[1:]),
            statistics.median(bare[1:]),
            more_is_better=False,
            note="against an empty project's",
        ),
        Figure("a training of 30 posts, one epoch", "s", least, note="nearly all of it fixed cost"),
        Figure("  of these: outside of the nodes", "s", least - nodes),
    ]


def measure_memory(work: Workplace, posts: int) -> list[Figure]:
    """Ingestion and preparation of many posts, made from few by linking their images."""
    sizes = (posts // 4, posts)
    taken, memory, disk = [], [], 0
    for size in sizes:
        raw, data = work.folder / f"raw_{size}", work.folder / f"data_{size}"
        _multiply(work, raw, size)
        where = f"raw={raw},data={data}"
        runs = [
            _run(_kedro("run", f"--pipeline={name}", "--params", where))
            for name in ("ingestion", "preparation")
        ]
        taken.append(sum(run[0] for run in runs))
        memory.append(max(run[1] for run in runs))
        disk = sum(path.stat().st_size for path in data.rglob("*") if path.is_file())
    growth, start = np.polyfit(sizes, memory, 1)
    speed = (sizes[1] - sizes[0]) / (taken[1] - taken[0])
    return [
        Figure("ingestion and preparation", "posts/s", speed, note=f"{posts:,} posts, as commands"),
        Figure("  time for four times the posts", "times", taken[1] / taken[0]),
        Figure("  peak memory", "MB", memory[1], note="file-backed pages apart"),
        Figure(
            f"  the same for {EXTRAPOLATED:,} posts",
            "MB",
            start + growth * EXTRAPOLATED,
            note="extrapolated",
        ),
        Figure("  disk", "MB/post", disk / posts / 1e6),
    ]


def _multiply(work: Workplace, raw: Path, posts: int) -> None:
    (raw / "data").mkdir(parents=True)
    listing = pd.read_csv(work.raw / "train.txt", dtype=str)
    lines = ["guid,tag"]
    for number in range(posts):
        post = listing.iloc[number % len(listing)]
        lines.append(f"{number},{post['tag']}")
        text = (work.raw / "data" / f"{post['guid']}.txt").read_bytes()
        (raw / "data" / f"{number}.txt").write_bytes(text + f" {number}".encode())
        image = work.raw / "data" / f"{post['guid']}.jpg"
        if image.exists():
            os.link(image, raw / "data" / f"{number}.jpg")
    (raw / "train.txt").write_text("\n".join(lines) + "\n")


def _empty_project(folder: Path) -> Path:
    package = folder / "src" / "empty"
    for place in (package, folder / "conf" / "base", folder / "conf" / "local"):
        place.mkdir(parents=True)
    (folder / ".telemetry").write_text("consent: false\n")
    (folder / "pyproject.toml").write_text(
        '[tool.kedro]\npackage_name = "empty"\nproject_name = "empty"\nsource_dir = "src"\n'
        f'kedro_init_version = "{kedro.__version__}"\n'
    )
    for name in ("__init__", "settings"):
        (package / f"{name}.py").touch()
    (package / "pipeline_registry.py").write_text(
        "from kedro.pipeline import Pipeline\n\n\n"
        'def register_pipelines():\n    return {"__default__": Pipeline([])}\n'
    )
    return folder


def _kedro(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "kedro", *arguments]


def _run(command: list[str], folder: Path = PROJECT) -> tuple[float, float]:
    """Seconds of a command, and the most memory it held, file-backed pages apart, in MB."""
    start, most = time.perf_counter(), 0.0
    with tempfile.TemporaryFile("w+") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        while process.poll() is None:
            most = max(most, _held(process.pid))
            try:
                process.wait(MEASURED_EVERY)
            except subprocess.TimeoutExpired:
                continue
        taken = time.perf_counter() - start
        if process.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(command)} failed:\n{log.read()}")
    return taken, most


def _held(process: int) -> float:
    try:
        status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except OSError:  # it has just ended, or this is no Linux
        return 0.0
    held = [line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")]
    return int(held[0]) / 1e3 if held else 0.0

"""Commands killed at random moments, and commands at once, on one data folder.

    python tests/benchmarks/soak.py [--training 50] [--inference 20] [--pairs 20] [--seed 0]

A small sample and tiny models, so that a command takes seconds. One data folder stays undisturbed;
in the other, each command is killed (SIGKILL): one time in five in its start-up, twice at any
moment of the run, twice in or just after a node drawn at random. After that nothing half-written
may count as a result, and the same command must complete and leave byte for byte what the
undisturbed one left; every other training goes on from its last checkpoint (`training.resume`).
In a folder of their own, two trainings with different seeds start at once: one must complete
undisturbed, and the other wait or be refused in one line. The first deviation ends it with an
error.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from project import PROJECT

TINY = {
    "preparation.short_side": 64,
    "model.text.scratch.hidden_size": 16,
    "model.text.scratch.layers": 1,
    "model.text.scratch.heads": 2,
    "model.image.resize": 64,
    "model.fusion.hidden_size": 16,
    "training.epochs": 3,
    "compute.device": "cpu",
    "evaluation.bootstrap_samples": 100,
}
# A version as it stands in paths, and as a page says it.
VERSION = re.compile(
    rb"\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d\.\d{3}Z|\d{1,2} [A-Z][a-z]+ \d{4}, \d\d:\d\d UTC"
)
TIMED = "training_history.csv"  # the one output that says how fast it went
SUCCESSION = "against_former_model.json"  # the undisturbed folder has no former model
REFUSED = re.compile(r"in use by|has ended since this one was started")


class Command(NamedTuple):
    """What is run, again and again."""

    pipeline: str
    raw: Path
    data: Path
    params: dict[str, Any]

    def start(self, **more: Any) -> subprocess.Popen[str]:
        given = {"raw": self.raw, "data": self.data} | TINY | self.params | more
        params = ",".join(f"{key}={value}" for key, value in given.items())
        return subprocess.Popen(
            [
                sys.executable,
                "-m",
                "kedro",
                "run",
                f"--pipeline={self.pipeline}",
                "--env=scratch",
                "--params",
                params,
            ],
            cwd=PROJECT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def complete(self, **more: Any) -> None:
        process = self.start(**more)
        _, said = process.communicate()
        expect(process.returncode == 0 and "Traceback" not in said, f"it must complete:\n{said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--training", type=int, default=50, help="kills of the training command")
    parser.add_argument("--inference", type=int, default=20, help="kills of the inference command")
    parser.add_argument("--pairs", type=int, default=20, help="two trainings at once")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    rng = random.Random(options.seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        raw, calm, stormy = place / "raw", place / "calm", place / "stormy"
        sample = ["sample", str(raw), "--labelled", "40", "--unlabelled", "12"]
        subprocess.run([sys.executable, "-m", "kedro", *sample], cwd=PROJECT, check=True)
        storm("training", raw, calm, stormy, options.training, rng)
        if options.pairs:  # before there is anything but what trainings write
            other = Command("training", raw, place / "other", {"training.seed": 1})
            other.complete()
            pairs(raw, place / "shared", {0: calm, 1: other.data}, options.pairs, rng)
        if options.inference:
            storm("inference", raw, calm, stormy, options.inference, rng)
    print(f"all as promised, {time.monotonic() - began:.0f} s in all")


def storm(
    pipeline: str, raw: Path, calm: Path, stormy: Path, kills: int, rng: random.Random
) -> None:
    """Complete a command in one folder; in the other, kill it and complete it, again and again."""
    started = time.monotonic()
    Command(pipeline, raw, calm, {}).complete()
    seconds = time.monotonic() - started
    print(f"{pipeline}: {seconds:.1f} s undisturbed", flush=True)
    expected = newest(calm)
    command = Command(pipeline, raw, stormy, {})
    if not kills:
        command.complete()
    moments: Counter[str] = Counter()
    for kill in range(kills):
        before = results(command.data)
        while (moment := kill_once(command, seconds, rng)) is None:  # it was faster
            before = results(command.data)
        moments[moment] += 1
        found = results(command.data)
        if moment not in ("moving into place", "its end"):  # both count as done
            same = {path: content for path, content in found.items() if "checkpoints" not in path}
            expect(same == before, f"killed at {moment}, it left {same.keys() ^ before.keys()}")
        resume = command.pipeline == "training" and kill % 2 == 1
        command.complete(**({"training.resume": "true"} if resume else {}))
        compare(newest(command.data), expected, f"after a kill at {moment}")
        expect(not left_behind(command.data), f"left {left_behind(command.data)}")
        forget_old_versions(command.data)
        if kill % 2 and kill + 1 < kills:  # the next one decodes the images again
            kind = "labelled" if pipeline == "training" else "unlabelled"
            shutil.rmtree(command.data / "03_primary" / kind)
        print(f"{command.pipeline}: kill {kill + 1} at {moment}, made good", flush=True)
    print(
        f"{command.pipeline}: {kills} kills, each made good: {dict(sorted(moments.items()))}",
        flush=True,
    )


def kill_once(command: Command, seconds: float, rng: random.Random) -> str | None:
    """Kill a command at a random moment; tell what it was at, or that it had ended before."""
    runs = command.data / "runs"
    seen = set(runs.glob("*.json"))
    former = [json.loads(path.read_text(encoding="utf-8")) for path in seen]
    own = [run["seconds"] for run in former if run["pipelines"] == [command.pipeline]]
    nodes = max(map(len, own), default=1)
    kind = rng.choices(["start-up", "any moment", "any node"], [1, 2, 2])[0]
    awaited = rng.randrange(nodes + 1)  # nodes that have ended by then
    process = command.start()
    end = time.monotonic() + (rng.uniform(0, seconds) if kind == "start-up" else 600)
    record = None
    while time.monotonic() < end and process.poll() is None:
        record = next(iter(set(runs.glob("*.json")) - seen), None)
        if record and (kind != "any node" or len(ended(record)) >= awaited):
            break
        time.sleep(0.003)
    if kind != "start-up":
        time.sleep(rng.uniform(0, 0.5 * seconds if kind == "any moment" else 0.1))
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    if process.returncode != -signal.SIGKILL:
        return None
    if record is None:
        return "start-up"
    outcome = json.loads(record.read_text(encoding="utf-8"))["outcome"]
    if outcome == "running":
        done = ended(record)
        return f"node {len(done) + 1}" if len(done) < nodes or nodes == 1 else "sealing"
    return "moving into place" if outcome == "committing" else "its end"


def ended(record: Path) -> list[str]:
    """The nodes that have ended, by the run's log."""
    log = record.with_suffix(".log")
    text = log.read_text(encoding="utf-8") if log.exists() else ""
    return re.findall(r"\d+/\d+ (\S+): ", text)


def pairs(raw: Path, data: Path, expected: dict[int, Path], times: int, rng: random.Random) -> None:
    """Start two trainings with different seeds at once, again and again."""
    outcomes: Counter[str] = Counter()
    for _ in range(times):
        before = set((data / "runs").glob("*.json"))
        processes = {}
        for seed in rng.sample([0, 1], 2):
            processes[seed] = Command("training", raw, data, {"training.seed": seed}).start()
            time.sleep(rng.choice([0, 0, 0.1, 1, 4]))
        said = {seed: process.communicate()[1] for seed, process in processes.items()}
        completed = [seed for seed, process in processes.items() if process.returncode == 0]
        for seed in processes.keys() - set(completed):
            *_, line = said[seed].strip().splitlines()
            expect(REFUSED.search(line) is not None, f"the refused one says {line}")
            expect("Traceback" not in said[seed], said[seed])
            outcomes[REFUSED.search(line)[0]] += 1  # type: ignore[index]
        expect(bool(completed), "one of two must complete")
        outcomes[f"{len(completed)} completed"] += 1
        records = sorted(set((data / "runs").glob("*.json")) - before)
        expect(len(records) == len(completed), f"{len(records)} records of {len(completed)} runs")
        last = json.loads(records[-1].read_text(encoding="utf-8"))
        undisturbed = expected[last["parameters"]["training"]["seed"]]
        compare(newest(data), newest(undisturbed), "of two at once")
        one = {version for version in last["writes"].values() if version}
        expect(one == {last["run"]}, f"one run wrote the versions {one}")
        forget_old_versions(data)
    print(f"two at once: {times} pairs, nothing mixed: {dict(outcomes)}", flush=True)


def results(data: Path) -> dict[str, str]:
    """A digest of each file that is a result, by path."""
    return {
        str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(data.rglob("*"))
        if path.is_file() and path.relative_to(data).parts[0] != "runs"
    }


def newest(data: Path) -> dict[str, bytes]:
    """The newest version of each result, its own version's name and speed left out."""
    found: dict[str, bytes] = {}
    for path in sorted(data.rglob("*")):
        parts = path.relative_to(data).parts
        if not path.is_file() or parts[0] == "runs" or {"checkpoints", SUCCESSION} & {*parts}:
            continue
        if path.name == TIMED:
            history = pd.read_csv(path).drop(columns="posts_per_second")
            content = history.to_csv().encode()
        else:
            content = VERSION.sub(b"VERSION", path.read_bytes())
        found[VERSION.sub(b"VERSION", "/".join(parts).encode()).decode()] = content
    return found


def left_behind(data: Path) -> list[str]:
    """What completed runs must not leave: staging folders and checkpoints."""
    staged = [str(path) for path in (data / "runs").iterdir() if path.is_dir()]
    return staged + [str(path) for path in (data / "06_models").glob("checkpoints")]


def forget_old_versions(data: Path) -> None:
    """Keep the newest version of each result, so that a long soak does not fill the disk."""
    versions: dict[Path, list[Path]] = {}
    for path in data.rglob("*"):
        if path.is_dir() and VERSION.fullmatch(path.name.encode()):
            versions.setdefault(path.parent, []).append(path)
    for paths in versions.values():
        for path in sorted(paths)[:-1]:
            shutil.rmtree(path)


def compare(found: dict[str, bytes], expected: dict[str, bytes], when: str) -> None:
    """End everything unless two sets of results are equal."""
    expect(found.keys() == expected.keys(), f"{when}: {found.keys() ^ expected.keys()} differ")
    unlike = [name for name in expected if found[name] != expected[name]]
    expect(not unlike, f"{when}: {unlike} differ from the undisturbed ones")


def expect(condition: bool, otherwise: str) -> None:
    """End everything unless a promise is kept."""
    if not condition:
        raise SystemExit(f"BROKEN: {otherwise}")


if __name__ == "__main__":
    main()

"""How fast this project is, against the lab's way on the same machine, in one table.

    python tests/benchmarks/speed.py [SECTION ...] [--quick] [--plain] [--devices cuda]

Posts are generated, their photos as large as real ones; weights are random: BERT-base and
ResNet-50 at 224 px (with `--quick` smaller ones: a look at whether all works, no measurement).
Both ways are measured in turn, and medians compared. Let nothing else run meanwhile.
"""

from __future__ import annotations

import argparse
import logging
import os
import platform
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch
import transformers
from choices import measure_choices
from commands import measure_commands, measure_memory, measure_start_up
from computing import measure_computing, measure_prediction
from encoding import measure_encoding
from figures import Figure, print_table, write_json
from reading import Workplace, measure_input, measure_reading

SECTIONS = (
    "encoding",
    "reading",
    "input",
    "computing",
    "prediction",
    "choices",
    "commands",
    "start-up",
    "memory",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("sections", nargs="*", help=f"of {', '.join(SECTIONS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="small models, few posts")
    parser.add_argument("--plain", action="store_true", help="do not compile, which takes minutes")
    parser.add_argument("--devices", nargs="+", default=_devices(), help="default: all there are")
    parser.add_argument("--posts", type=int, default=512, help="labelled posts")
    parser.add_argument("--batch", type=int, help="posts in a step; default: as conf/pretrained")
    parser.add_argument("--many", type=int, default=4000, help="posts to measure memory with")
    parser.add_argument("--rounds", type=int, default=3, help="of which medians are taken")
    parser.add_argument("--json", type=Path, help="a file for the figures")
    given = parser.parse_args()
    unknown = set(given.sections) - set(SECTIONS)
    if unknown:
        parser.error(f"unknown section {min(unknown)}: choose of {', '.join(SECTIONS)}")
    sections = given.sections or SECTIONS
    if given.quick:
        given.plain = True
        given.posts, given.many, given.rounds = min(given.posts, 48), min(given.many, 200), 1
    logging.basicConfig(level=logging.ERROR)
    about = machine() | {
        "posts": given.posts,
        "batch": given.batch,
        "quick": given.quick,
        "plain": given.plain,
    }
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory() as folder:
        work = Workplace(Path(folder), given.posts, given.batch, quick=given.quick)
        for section in sections:
            print(f"{section} ...", file=sys.stderr)
            figures += _measure(section, work, given)
            if given.json:
                write_json(figures, about, given.json)  # now: what follows may be interrupted
    print(", ".join(f"{name}: {value}" for name, value in about.items()))
    print_table(figures)


def _measure(section: str, work: Workplace, given: argparse.Namespace) -> list[Figure]:
    measures: dict[str, Callable[[], list[Figure]]] = {
        "encoding": lambda: measure_encoding(work, given.rounds),
        "reading": lambda: measure_reading(work, given.rounds),
        "input": lambda: measure_input(work, given.rounds),
        "computing": lambda: _measure_computing(work, given),
        "prediction": lambda: _measure_prediction(work, given),
        "choices": lambda: measure_choices(work, given.rounds, compiling=not given.plain),
        "commands": lambda: measure_commands(work),
        "start-up": lambda: measure_start_up(work.folder, given.rounds),
        "memory": lambda: measure_memory(work, given.many),
    }
    return measures[section]()


def _measure_computing(work: Workplace, given: argparse.Namespace) -> list[Figure]:
    return [
        row
        for device in given.devices
        for row in measure_computing(work, device, given.rounds, compiling=not given.plain)
    ]


def _measure_prediction(work: Workplace, given: argparse.Namespace) -> list[Figure]:
    return [
        row for device in given.devices for row in measure_prediction(work, device, given.rounds)
    ]


def _devices() -> tuple[str, ...]:
    return ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)


def machine() -> dict[str, object]:
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processor": _processor(),
        "instructions": ", ".join(_instructions()) or platform.machine(),
        "cores": os.cpu_count(),
        "gpu": gpu,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def _processor() -> str:
    """The processor's own name, where the system tells it."""
    listing = Path("/proc/cpuinfo")
    lines = listing.read_text(encoding="utf-8").splitlines() if listing.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), platform.processor() or platform.machine())


def _instructions() -> list[str]:
    """Those that decide how fast matrices are multiplied."""
    told = torch.cpu.get_capabilities()
    wanted = ("avx2", "avx512_f", "avx512_bf16", "amx_bf16", "bf16", "sve")
    return [name for name in wanted if told.get(name)]


if __name__ == "__main__":
    main()

"""Medians, ratios, and the table they are printed in."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass
class Figure:
    """One line of the table.

    Attributes:
        what: What was measured.
        unit: Of both figures.
        ours: The median, this project's way.
        lab: The median, the lab's way or another reference; none if there is none.
        more_is_better: Whether the ratio is ours over the lab's, or the other way round.
        device: cpu or cuda.
        note: What the reference is, or a limit.
    """

    what: str
    unit: str
    ours: float
    lab: float | None = None
    more_is_better: bool = True
    device: str = "cpu"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """How many times better than the reference."""
        if self.lab is None:
            return None
        return self.ours / self.lab if self.more_is_better else self.lab / self.ours


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def in_turn(
    ours: Callable[[], object], lab: Callable[[], object], rounds: int
) -> tuple[float, float]:
    """Median seconds of both, measured in turn, so that a drifting machine is unfair to none."""
    ours()  # what is first used must first be loaded
    lab()
    pairs = [(seconds(ours), seconds(lab)) for _ in range(rounds)]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs)


def print_table(figures: list[Figure]) -> None:
    devices = sorted({figure.device for figure in figures})
    rows = list(dict.fromkeys((figure.what, figure.unit) for figure in figures))
    by_place = {(figure.what, figure.device): figure for figure in figures}
    head = "".join(f" {f'ours, {d}':>12} {'the lab':>10} {'ratio':>7}" for d in devices)
    print(f"\n{'':44} {'unit':14}{head}")
    for what, unit in rows:
        cells = ""
        notes = []
        for device in devices:
            figure = by_place.get((what, device))
            lab = "" if figure is None or figure.lab is None else f"{figure.lab:,.4g}"
            ratio = "" if figure is None or figure.ratio is None else f"{figure.ratio:,.2f}"
            cells += f" {f'{figure.ours:,.4g}' if figure else '':>12} {lab:>10} {ratio:>7}"
            notes += [figure.note] if figure and figure.note else []
        print(f"{what:44} {unit:14}{cells}  {'; '.join(dict.fromkeys(notes))}".rstrip())


def write_json(figures: list[Figure], machine: dict[str, object], path: Path) -> None:
    content = {"machine": machine, "figures": [asdict(f) | {"ratio": f.ratio} for f in figures]}
    path.write_text(json.dumps(content, indent=2), encoding="utf-8")

"""Prints a table of the faults that tests inject, in the tests' own words.

    python tests/faults/table.py [PYTEST ARGUMENTS]

It runs the tests that carry the mark `fault`, and says of each fault how many variants there were
and what came out. Its exit status is that of the tests. A test of any bytes counts as one variant,
and tries a hundred inputs; `FAULTS_EXAMPLES=4000` in the environment has it try 4,000.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
AREAS = ["listing", "table", "text", "image", "set", "run", "hostile"]

Fault = tuple[str, str, str]  # area, what was injected, what must come out


class Table:
    """Collects the outcomes of the tests of each fault."""

    def __init__(self) -> None:
        self.faults: dict[str, Fault] = {}
        self.outcomes: dict[Fault, Counter[str]] = {}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave only the tests of faults."""
        items[:] = [item for item in items if item.get_closest_marker("fault")]
        for item in items:
            mark = item.get_closest_marker("fault")
            if mark:
                self.faults[item.nodeid] = mark.args

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note what came out."""
        if report.when == "call" or report.outcome != "passed":
            counts = self.outcomes.setdefault(self.faults[report.nodeid], Counter())
            counts[report.outcome] += 1

    def lines(self) -> list[str]:
        """The table, as Markdown."""
        rows = ["| where | injected | variants | came out |", "| --- | --- | ---: | --- |"]
        for fault in sorted(self.outcomes, key=lambda fault: (AREAS.index(fault[0]), fault[1])):
            area, injected, outcome = fault
            counts = self.outcomes[fault]
            odd = "; ".join(f"{n} {name}" for name, n in counts.items() if name != "passed")
            came = outcome + (f" ({odd})" if odd else "")
            rows.append(f"| {area} | {injected} | {counts.total()} | {came} |")
        total = sum(self.outcomes.values(), Counter[str]())
        rows.append(f"| all | {len(self.outcomes)} faults | {total.total()} | {dict(total)} |")
        return rows


def main() -> int:
    table = Table()
    status = pytest.main([str(TESTS), "-q", "--no-header", *sys.argv[1:]], plugins=[table])
    sys.stdout.write("\n".join(table.lines()) + "\n")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())

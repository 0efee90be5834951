"""A handful of the soak's cases; the whole of it is no part of the tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "benchmarks" / "soak.py"


@pytest.mark.slow
@pytest.mark.fault("run", "SIGKILL at a random moment, then the command again", "equal to the bit")
def test_a_killed_command_run_again_ends_as_if_undisturbed() -> None:
    done = subprocess.run(
        [sys.executable, str(SOAK), "--training", "1", "--inference", "1", "--pairs", "0"],
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "all as promised" in done.stdout

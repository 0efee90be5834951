"""One run at a time on a data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .records import RUNS, read_records

if TYPE_CHECKING:
    from filelock import BaseFileLock


def lock_folder(data: Path) -> BaseFileLock:
    """Take the data folder for this process; the system frees it when the process ends.

    Raises:
        click.ClickException: If another process has it; the message says which.
    """
    from filelock import FileLock, Timeout

    folder = data / RUNS
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / ".lock", thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        raise click.ClickException(f"{data}: in use by {_holder(data)}") from None
    return lock


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Have the data folder for a while."""
    lock = lock_folder(data)
    try:
        yield
    finally:
        lock.release()


def _holder(data: Path) -> str:
    for record in reversed(read_records(data)):
        if record.pid:
            return f"{record.name}, process {record.pid}, since {record.started}: wait for it"
    return "another command: wait for it"

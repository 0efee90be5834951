"""One run at a time on a data folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import click

from multimodal_sentiment.config_loader import pattern_fault, place_fault

from .error_lines import error_in_one_line
from .records import RUNS, read_records

NO_FOLDER = "name another folder with --params data=FOLDER"


def data_folder(project: Path, given: str) -> Path:
    """Return where the layers of a project are written, and its runs recorded.

    Raises:
        click.ClickException: If it is an address, or Kedro would not find there what it writes.
    """
    data = Path(os.path.abspath(project / given))
    if fault := place_fault(given) or pattern_fault(str(data)):
        raise click.ClickException(f"data: {fault}")
    return data


def lock_folder(data: Path, held: ExitStack) -> None:
    """Lock the data folder for this process; the system unlocks it when the process ends.

    Args:
        data: The data folder.
        held: What unlocks it, and removes the folders made for it if nothing was written.

    Raises:
        click.ClickException: If another run or command holds it (the message says which), or the
            folder cannot be made.
    """
    from filelock import FileLock, Timeout

    folder = data / RUNS
    lock = FileLock(folder / ".lock", thread_local=False)
    try:
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(blocking=False)
    except Timeout:
        raise click.ClickException(f"{data}: in use by {_holder(data)}") from None
    except OSError as error:
        raise click.ClickException(error_in_one_line(error, NO_FOLDER)) from error
    held.callback(lock.release)
    held.callback(_remove_unused, made, Path(lock.lock_file))


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the lock of the data folder inside this context."""
    with ExitStack() as held:
        lock_folder(data, held)
        yield


@contextmanager
def promotion_locked(data: Path) -> Iterator[None]:
    """Hold the lock for changing which model answers. Running pipelines are not blocked.

    If another process holds it, this one waits: it takes no time.
    """
    from filelock import FileLock

    (data / RUNS).mkdir(parents=True, exist_ok=True)
    with FileLock(data / RUNS / ".promotion.lock"):
        yield


def _holder(data: Path) -> str:
    for record in reversed(read_records(data)):
        if record.pid:
            process = "this process" if record.pid == os.getpid() else f"process {record.pid}"
            return f"{record.name}, {process}, since {record.started}: wait for it"
    return "another command: wait for it"


def _remove_unused(made: list[Path], lock: Path) -> None:
    """Remove the folders that were made for a lock, the innermost first, if nothing was written."""
    with suppress(OSError):  # something was written
        if made and len(list(made[0].iterdir())) == 1:
            lock.unlink()  # whoever waits for this very file sees it go
            for folder in made:
                folder.rmdir()

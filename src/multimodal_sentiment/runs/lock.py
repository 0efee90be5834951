"""One run at a time on a data folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from multimodal_sentiment.config_loader import pattern_fault, place_fault

from .error_lines import error_in_one_line
from .records import RUNS, read_records

if TYPE_CHECKING:
    from filelock import BaseFileLock


NO_FOLDER = "name another folder with --params data=FOLDER"


@dataclass(frozen=True)
class FolderLock:
    """A data folder that this process has locked.

    Attributes:
        file: The file that is locked.
        made: The folders that were made for it, the innermost first.
    """

    file: BaseFileLock
    made: list[Path]

    def release(self) -> None:
        """Release the folder, and remove the folders made for it if nothing was written."""
        with suppress(OSError):  # something was written
            if self.made and len(list(self.made[0].iterdir())) == 1:
                Path(self.file.lock_file).unlink()  # whoever waits for this very file sees it go
                for folder in self.made:
                    folder.rmdir()
        self.file.release()


def data_folder(project: Path, given: str) -> Path:
    """Return where the layers of a project are written, and its runs recorded.

    Raises:
        click.ClickException: If it is an address, or Kedro would not find there what it writes.
    """
    data = Path(os.path.abspath(project / given))
    if fault := place_fault(given) or pattern_fault(str(data)):
        raise click.ClickException(f"data: {fault}")
    return data


def lock_folder(data: Path) -> FolderLock:
    """Lock the data folder for this process; the system unlocks it when the process ends.

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
    return FolderLock(lock, made)


@contextmanager
def locked(data: Path) -> Iterator[None]:
    """Hold the lock of the data folder inside this context."""
    lock = lock_folder(data)
    try:
        yield
    finally:
        lock.release()


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

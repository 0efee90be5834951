"""Files that appear whole or not at all, that others may read, and how their paths are said."""

from __future__ import annotations

import errno
import glob
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath


@contextmanager
def replace_whole(path: Path, aside: Path | None = None) -> Iterator[Path]:
    """Hand out a path to write a file or folder to, which takes the place of `path` at the end.

    Readers find what was there before or what is new, never a half, also after a power cut. If
    the block raises, what was there before stays.

    Args:
        path: The file or folder that is written.
        aside: The path at which it is written meanwhile, on the same disk; beside `path` if not
            given.
    """
    partial = aside or path.with_name(f".{path.name}.partial")
    remove(partial)
    try:
        yield partial
        flush(partial)
        if path.is_dir() or (partial.is_dir() and path.exists()):
            _exchange(partial, path)
        else:
            os.replace(partial, path)
    finally:
        remove(partial)


def _exchange(new: Path, path: Path) -> None:
    """Put a file or folder in the place of another; a renaming replaces only a file by a file."""
    former = new.with_name(f"{new.name}.former-{secrets.token_hex(4)}")
    os.replace(path, former)
    try:
        os.replace(new, path)
    except BaseException:
        os.replace(former, path)
        raise
    for left in new.parent.glob(f"{glob.escape(new.name)}.former-*"):
        with suppress(OSError):  # a shared disk keeps the files of a folder while they are mapped
            remove(left)


def move(source: Path, target: Path) -> None:
    """Rename a file or folder, also over what is there; from one disk to another, copy it first."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.is_dir():
        shutil.rmtree(target)  # a file is replaced by the renaming itself
    try:
        os.replace(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        # On the target's disk, whichever of the folders above it is one of its own; and not beside
        # the target, where Kedro would take it for a version of the dataset.
        aside = target.parent / ".partial" / target.name
        aside.parent.mkdir(exist_ok=True)
        with replace_whole(target, aside) as copy:
            if source.is_dir():
                shutil.copytree(source, copy)
            else:
                shutil.copy2(source, copy)
        with suppress(OSError):  # a former one stays there, if a shared disk keeps its files
            aside.parent.rmdir()


def flush(path: Path) -> None:
    """Have the disk hold a file, or all files below a folder."""
    for file in [path] if path.is_file() else path.rglob("*"):
        if file.is_file():
            with file.open("rb") as opened:
                os.fsync(opened.fileno())


def mark_used(path: Path) -> None:
    """Note on a file, or all files below a folder, that a run has used them."""
    for file in [path] if path.is_file() else path.rglob("*"):
        with suppress(PermissionError):  # another user's: it stays with that user's other files
            os.utime(file)


def follow_umask(folder: Path) -> None:
    """Give all below a folder at least the rights that the umask leaves to what is new.

    Some libraries write files that only their owner may read (safetensors: mode 0600).
    """
    probe = folder / ".rights"  # the umask itself is only known by changing it, for all threads
    probe.mkdir(exist_ok=True)
    rights = probe.stat().st_mode & 0o777
    probe.rmdir()
    for path in folder.rglob("*"):
        if not path.is_symlink():
            mode = path.stat().st_mode & 0o7777
            path.chmod(mode | (rights if path.is_dir() else rights & 0o666))


def short_path(path: str | os.PathLike[str]) -> str:
    """Return a path as short as can be said from the current folder; an address as it is."""
    if "://" in str(path):
        return str(path)
    relative = os.path.relpath(path)
    return os.fspath(path) if relative.startswith(os.path.join("..", "..")) else relative


def is_pattern(path: PurePath) -> bool:
    """Return whether a path stands for all files whose names fit it, as `*.parquet` does."""
    return any(sign in path.name for sign in "*?[")


def remove(path: Path) -> None:
    """Remove a file or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

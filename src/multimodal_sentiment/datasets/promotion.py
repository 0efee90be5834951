"""Which version of a model answers: the promoted one, else the newest.

A file beside the versions, `promoted.json`, names the promoted one. Whoever loads a model without
naming a version asks `answering_version`: the runs, the catalog, and `load_classifier`.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from kedro.io.core import VERSION_FORMAT

from multimodal_sentiment.commands import own_command
from multimodal_sentiment.files import replace_whole

PROMOTED = "promoted.json"


def answering_version(folder: Path) -> str | None:
    """Return the version that answers if none is named, None if there is no version.

    Args:
        folder: The folder of the versions.

    Raises:
        ValueError: If the promoted version is not there any more, or nobody can tell which it is.
        PermissionError: If this user may not look into the folder.
    """
    versions = list_versions(folder)
    promoted = promoted_version(folder)
    if promoted is not None and promoted not in versions:
        raise ValueError(f"version {promoted} is promoted, and is not in {folder}: {_ways_out()}")
    return promoted or next(iter(versions), None)


def promoted_version(folder: Path) -> str | None:
    """Return the version that is promoted, if one is.

    Raises:
        ValueError: If the file that names it cannot be understood.
        PermissionError: If this user may not read it.
    """
    path = folder / PROMOTED
    try:
        version = json.loads(path.read_text(encoding="utf-8"))["version"]
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (ValueError, TypeError, KeyError, RecursionError):
        version = None
    if not isinstance(version, str):
        raise ValueError(f"{path} names no version: {_ways_out()}")
    return version


def _ways_out() -> str:
    command = own_command("promote")
    return (
        f'name one with "{command} VERSION", or take the newest with "{command} --back", each '
        "with the same --env and --params"
    )


def promote(folder: Path, version: str | None) -> None:
    """Have a version answer, or the newest again if None; a reader finds the old or the new state.

    Two may not do this at once: the caller holds a lock.
    """
    path = folder / PROMOTED
    if version is None:
        path.unlink(missing_ok=True)
        return
    content = {"version": version, "since": datetime.now(UTC).isoformat(timespec="seconds")}
    with replace_whole(path) as partial:
        partial.write_text(json.dumps(content, indent=2), encoding="utf-8")


def list_versions(folder: Path) -> list[str]:
    """Return all versions in a folder, newest first.

    A version is a folder that is named as Kedro names versions, or holds a file or folder of the
    same name as the one that all versions are in. Anything else that lies there is none.

    Raises:
        PermissionError: If this user may not look into the folder.
    """
    if not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        folders = [entry for entry in entries if entry.is_dir() or entry.is_symlink()]
        return sorted(
            (entry.name for entry in folders if is_version(Path(entry.path), folder.name)),
            reverse=True,
        )


def is_version(folder: Path, dataset: str) -> bool:
    """Return whether a folder is a version of a dataset, by its name or by what it holds.

    Args:
        folder: The folder.
        dataset: The name of the folder that all versions are in.
    """
    return is_timestamp(folder.name) or bool(dataset and os.path.lexists(folder / dataset))


def is_timestamp(name: str) -> bool:
    """Return whether a folder is named as Kedro names versions."""
    try:
        datetime.strptime(name, VERSION_FORMAT)
    except ValueError:
        return False
    return True

"""Versions of a dataset: which there are, and whether one can be read.

Kedro skips a version whose folder this user may not enter, or whose files are missing, and loads an
older one. Here both count as faults.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

from kedro.io import DatasetError

from multimodal_sentiment.commands import own_command
from multimodal_sentiment.datasets import promotion
from multimodal_sentiment.files import short_path
from multimodal_sentiment.wording import reason

from .error_lines import error_in_one_line
from .kedro_adapter import (
    Dataset,
    Versionable,
    is_versioned,
    location,
    pin,
    place_in_words,
)

INCOMPLETE = "is not there"
SHOWN_VERSIONS = 5


def versions_of(dataset: Any) -> list[str]:
    """Return all versions of a dataset, newest first; none if it keeps no versions.

    Raises:
        PermissionError: If this user may not look into the dataset's folder.
    """
    return promotion.list_versions(location(dataset)) if is_versioned(dataset) else []


def fault_of(dataset: Dataset) -> str | None:
    """Return why the file or folder that a dataset loads cannot be read, or None.

    The content is not checked, except for what the dataset itself checks to tell whether it
    exists.
    """
    try:
        return None if dataset.exists() else INCOMPLETE
    except (OSError, DatasetError) as error:
        return f"cannot be read: {reason(error.__cause__ or error)}"


def fault_of_version(dataset: Versionable, version: str) -> str | None:
    """Pin the dataset to a version, and return why it cannot be read, or None."""
    pin(dataset, version)
    path = location(dataset) / version / location(dataset).name
    try:
        _check_rights(path)
    except FileNotFoundError as error:
        missing = Path(error.filename)
        return f"holds no {missing.name}" if missing == path else f"lacks {missing.name}"
    except OSError as error:
        file = os.path.relpath(error.filename, path.parents[1])
        return f"cannot be read: {file}: {reason(error)}"
    return fault_of(dataset)


def version_fault(
    name: str, dataset: Versionable, version: str, mend: str | None = None
) -> str | None:
    """Pin the dataset to a version, and return in words why it cannot be read, or None.

    Args:
        name: The dataset's name.
        dataset: The dataset.
        version: The version.
        mend: What to do about it; None names what a run can do.
    """
    if version not in versions_of(dataset):
        place = place_in_words(dataset)
        return f"{name}: no version {version} in {place}: {versions_in_words(dataset)}"
    if fault := fault_of_version(dataset, version):
        reason = reason_of(dataset) if fault == INCOMPLETE else fault
        return f"{name}: version {version} {reason}: {mend or way_out(name, dataset, version)}"
    return None


def reason_of(dataset: Dataset) -> str:
    """Return why a dataset considers its files incomplete, by trying to load it."""
    try:
        dataset.load()
    except (OSError, ValueError, DatasetError) as error:
        return f"cannot be read: {error_in_one_line(error)}"
    return "is not complete"


def unread(path: Path) -> OSError | None:
    """Return why a file, or one below a folder, cannot be read although it is there, if so."""
    try:
        _check_rights(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
    return None


def way_out(name: str, dataset: Any, version: str) -> str:
    """Return what a run can do about a version that cannot be read."""
    ways = [
        f"read the one before it with --load-versions {name}:{older}"
        for older in [it for it in versions_of(dataset) if it < version][:1]
    ]
    if promotion.promoted_version(location(dataset)) == version:
        back = f"{own_command('promote')} --back"
        ways.append(f'take its promotion back with "{back}" and the same --env and --params')
    else:
        ways.append(f"move {short_path(location(dataset) / version)} away")
    return ", or ".join(ways)


def versions_in_words(dataset: Dataset) -> str:
    """Return which versions there are, the newest first."""
    versions = versions_of(dataset)
    if not versions:
        return "there is none"
    older = len(versions) - SHOWN_VERSIONS
    return f"choose of {', '.join(versions[:SHOWN_VERSIONS])}" + f", {older} older" * (older > 0)


def _check_rights(path: Path) -> None:
    """Check that a file, or all files below a folder, can be read.

    Raises:
        OSError: If one is not there, or this user may not read it.
    """
    path.stat()
    if not os.access(path, os.R_OK | os.X_OK if path.is_dir() else os.R_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    if path.is_dir():
        for child in path.iterdir():
            _check_rights(child)

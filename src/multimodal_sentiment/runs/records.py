"""A record of every run: `<data>/runs/<version>.json`."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from multimodal_sentiment.commands import MODULE, is_module
from multimodal_sentiment.files import replace_whole

if TYPE_CHECKING:
    from pydantic import TypeAdapter

RUNS = "runs"
PACKAGES = (  # beside the libraries that a fingerprint names
    "multimodal-sentiment kedro kedro-datasets pandas chardet pyarrow ImageHash plotly pydantic"
).split()

Outcome = Literal["running", "committing", "completed", "failed", "interrupted", "killed"]


@dataclass
class Record:
    """What a run was, what it read and wrote, and how it ended.

    Attributes:
        run: The version that the run saves under.
        pipelines: The names of the registered pipelines it ran.
        command: The command line, if it was started from one.
        env: The configuration environment.
        parameters: All parameters.
        reads: The version of each dataset that came from before the run; None if it has none.
        writes: The version of each dataset that the run writes; None if it has no versions.
        git: The commit of the project, with "-dirty" if files differ from it; None outside of git.
        packages: The versions of Python and of what the results rest on.
        started: The time it began, UTC, ISO 8601.
        ended: The time it ended, UTC, ISO 8601; None while it runs.
        pid: The process that runs it; None afterwards.
        seconds: The time each node took, loading and saving included.
        moves: The files and folders to be moved into place, relative to the data folder.
        outcome: The way it ended.
        error: The reason in one line, if it failed.
    """

    run: str
    pipelines: list[str]
    command: str | None
    env: str | None
    parameters: dict[str, Any]
    reads: dict[str, str | None]
    writes: dict[str, str | None]
    git: str | None
    packages: dict[str, str]
    started: str
    ended: str | None = None
    pid: int | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    moves: list[str] = field(default_factory=list)
    outcome: Outcome = "running"
    error: str | None = None

    def save(self, data: Path) -> None:
        """Write the record; a reader finds the former one or this one, never a part."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False, default=str)
        with replace_whole(record_path(data, self.run)) as partial:
            partial.write_text(text, encoding="utf-8")

    def close(self, data: Path, outcome: Outcome, error: str | None = None) -> None:
        """Write how the run ended."""
        self.outcome, self.error = outcome, error
        self.ended, self.pid = now(), None
        self.save(data)

    @property
    def name(self) -> str:
        """The run, in words."""
        pipelines = "+".join(self.pipelines).replace("__default__", "default")
        return f"Run {self.run} ({pipelines})"


def new_record(
    request: Mapping[str, Any],
    parameters: dict[str, Any],
    reads: dict[str, str | None],
    writes: dict[str, str | None],
) -> Record:
    """Return the record of a run that begins.

    Args:
        request: The run that Kedro was asked for.
        parameters: All parameters.
        reads: The version of each dataset that comes from before the run.
        writes: The version of each dataset that it writes.
    """
    return Record(
        run=request["run_id"],
        pipelines=request["pipeline_names"] or ["__default__"],
        command=_command(),
        env=request["env"],
        parameters=parameters,
        reads=reads,
        writes=writes,
        git=git_commit(Path(request["project_path"])),
        packages=package_versions(),
        started=now(),
        pid=os.getpid(),
    )


def read_records(data: Path) -> list[Record]:
    """Return all records below a data folder that can be read, oldest first."""
    runs = sorted(path.stem for path in (data / RUNS).glob("*.json"))
    records = (read_record(data, run) for run in runs)
    return [record for record in records if record]


def read_record(data: Path, run: str) -> Record | None:
    """Return the record of a run; None if there is none that can be read."""
    path = record_path(data, run)
    try:
        record = _reader().validate_json(path.read_bytes())
    except (ValueError, OSError):
        return None  # not a record
    return record if _is_own(record, path) else None


@cache
def _reader() -> TypeAdapter[Record]:
    from pydantic import TypeAdapter

    return TypeAdapter(Record)


def _is_own(record: Record, path: Path) -> bool:
    """Return whether a record can be of a run that wrote below the data folder.

    What a record names is moved and removed, and the folder may come from anywhere.
    """
    places = [Path(place) for place in record.moves]
    return record.run == path.stem and not any(
        place.is_absolute() or ".." in place.parts or not place.parts for place in places
    )


def record_path(data: Path, run: str) -> Path:
    """Return where the record of a run is."""
    return data / RUNS / f"{run}.json"


def log_path(data: Path, run: str) -> Path:
    """Return where the log of a run is."""
    return data / RUNS / f"{run}.log"


def staging_path(data: Path, run: str) -> Path:
    """Return where a run writes until it has succeeded; laid out as the data folder."""
    return data / RUNS / run


def now() -> str:
    """Return the time, as records hold it."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _command() -> str | None:
    if click.get_current_context(silent=True) is None:
        return None
    return shlex.join([*(MODULE.split() if is_module() else ["kedro"]), *sys.argv[1:]])


def git_commit(project: Path) -> str | None:
    """Return the commit, with "-dirty" if tracked files differ from it; None outside of git."""
    git = shutil.which("git")
    if not git:
        return None
    command = [git, "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def package_versions() -> dict[str, str]:
    """Return versions of Python and of what the results rest on, without importing it."""
    from multimodal_sentiment.fingerprint import LIBRARIES, installed_version  # imports numpy

    python = ".".join(map(str, sys.version_info[:3]))
    known = {name: installed_version(name) for name in (*PACKAGES, *LIBRARIES)}
    return {"python": python} | {name: version for name, version in known.items() if version}

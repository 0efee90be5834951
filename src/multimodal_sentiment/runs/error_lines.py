"""An error in one line: what went wrong, where, and what to do."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager

import click
from kedro.config import MissingConfigException
from kedro.io import DatasetError
from kedro.pipeline.pipeline import CircularDependencyError, OutputNotUniqueError

from multimodal_sentiment.compute.memory import fills_device

KEDRO_PREFIXES = ("Failed while ", "Failed during ")
ALLOW = "allow this user to, or take another folder"
SPACE = "free some space, or write elsewhere with --params data=FOLDER"
ADVICE = {
    errno.ENOSPC: SPACE,
    errno.EDQUOT: SPACE,
    errno.EFBIG: "allow larger files, or write elsewhere with --params data=FOLDER",
    errno.EROFS: "write elsewhere with --params data=FOLDER",
    errno.EACCES: ALLOW,
    errno.EPERM: ALLOW,
}
MEMORY = (
    "set training.batch_size or compute.prediction_batch_size to less, or end what else holds the "
    "device's memory"
)
# Where what torch says of a full device begins to be about its allocator: of CUDA, and of MPS.
_OF_ALLOCATOR = re.compile(r"\. (?=GPU |Use PYTORCH_)")
# How what is written in Rust, such as safetensors, ends the text of an error of the system.
_OS_ERROR = re.compile(r": ([^:]*) \(os error (\d+)\)$")


@contextmanager
def errors_in_one_line() -> Iterator[None]:
    """Have click say in one line what `is_expected`: by its last note, where a run has noted it."""
    try:
        yield
    except click.ClickException:
        raise
    except Exception as error:
        if not is_expected(error):
            raise
        raise click.ClickException(noted_line(error)) from error


def noted_line(error: BaseException) -> str:
    """Return the last note of an error, as a run makes one; without one, what it says itself."""
    return str(getattr(error, "__notes__", [error_in_one_line(error)])[-1])


def is_expected(error: BaseException) -> bool:
    """Return whether an error speaks of input, files or configuration, rather than of a bug."""
    kinds = (
        ValueError
        | OSError
        | DatasetError
        | MissingConfigException
        | OutputNotUniqueError  # of pipelines that do not go together
        | CircularDependencyError
    )
    return isinstance(error, kinds) or _system_error(error) is not None or fills_device(error)


def is_damage(error: BaseException) -> bool:
    """Return whether an error means that a dataset could not make sense of what it read."""
    loading = "Failed while loading"
    return isinstance(error, DatasetError) and (
        (str(error).startswith(loading) and isinstance(error.__cause__, ValueError))
        or (error.__cause__ is not None and is_damage(error.__cause__))
    )


def error_in_one_line(error: BaseException, advice: str | None = None) -> str:
    """Return what an error says, in one line.

    Kedro wraps what a dataset raises in a description of the dataset, and that once more in its
    name; the cause says more.

    Args:
        error: The error, of any kind.
        advice: The advice for an error of the system that has no better one.
    """
    while isinstance(error, DatasetError) and error.__cause__ is not None:
        named = isinstance(error.__cause__, DatasetError)
        if not named and not str(error).startswith(KEDRO_PREFIXES):
            break
        error = error.__cause__
    system = _system_error(error)
    if system and system.strerror:
        file = f"{system.filename}: " if system.filename else ""
        advice = ADVICE.get(system.errno or 0, advice)
        return f"{file}{system.strerror}" + (f": {advice}" if advice else "")
    text = " ".join(str(error).split())
    if fills_device(error):
        return f"{_OF_ALLOCATOR.split(text)[0].rstrip('.')}: {MEMORY}"
    return text if is_expected(error) and text else f"{type(error).__name__}: {text}"


def _system_error(error: BaseException) -> OSError | None:
    """Return the error of the system that caused this one, if there is one."""
    if isinstance(error, OSError):
        return error
    found = _OS_ERROR.search(str(error))
    return OSError(int(found[2]), found[1]) if found else None

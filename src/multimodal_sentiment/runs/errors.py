"""An error in one line: what went wrong, where, and what to do."""

from __future__ import annotations

import errno

from kedro.config import MissingConfigException
from kedro.io import DatasetError

KEDRO_PREFIXES = ("Failed while ", "Failed during ")
SPACE = "free some space, or write elsewhere with --params data=FOLDER"
ADVICE = {
    errno.ENOSPC: SPACE,
    errno.EDQUOT: SPACE,
    errno.EFBIG: "allow larger files, or write elsewhere with --params data=FOLDER",
    errno.EROFS: "write elsewhere with --params data=FOLDER",
    errno.EACCES: "allow this user to, or take another folder",
    errno.EPERM: "allow this user to, or take another folder",
}


def is_expected(error: BaseException) -> bool:
    """Whether an error speaks of input, files or configuration, rather than of a bug."""
    return isinstance(error, ValueError | OSError | DatasetError | MissingConfigException)


def one_line(error: BaseException) -> str:
    """What an error says, in one line.

    Kedro wraps what a dataset raises in a description of the dataset, and that once more in its
    name; the cause says more.
    """
    while isinstance(error, DatasetError) and error.__cause__ is not None:
        named = isinstance(error.__cause__, DatasetError)
        if not named and not str(error).startswith(KEDRO_PREFIXES):
            break
        error = error.__cause__
    if isinstance(error, OSError) and error.errno in ADVICE:
        file = f"{error.filename}: " if error.filename else ""
        return f"{file}{error.strerror}: {ADVICE[error.errno]}"
    text = " ".join(str(error).split())
    return text if is_expected(error) and text else f"{type(error).__name__}: {text}"

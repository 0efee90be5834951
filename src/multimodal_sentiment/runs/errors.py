"""An error in one line: what went wrong, where, and what to do."""

from __future__ import annotations

import errno
import re

from kedro.config import MissingConfigException
from kedro.io import DatasetError

DAMAGED = "the file is damaged: move that version of it away, or pin another with --load-versions"
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
# How what is written in Rust, such as safetensors, ends the text of an error of the system.
_OS_ERROR = re.compile(r": ([^:]*) \(os error (\d+)\)$")


def is_expected(error: BaseException) -> bool:
    """Whether an error speaks of input, files or configuration, rather than of a bug."""
    kinds = ValueError | OSError | DatasetError | MissingConfigException
    return isinstance(error, kinds) or _system_error(error) is not None


def one_line(error: BaseException) -> str:
    """What an error says, in one line.

    Kedro wraps what a dataset raises in a description of the dataset, and that once more in its
    name; the cause says more.
    """
    unread = False
    while isinstance(error, DatasetError) and error.__cause__ is not None:
        named = isinstance(error.__cause__, DatasetError)
        if not named and not str(error).startswith(KEDRO_PREFIXES):
            break
        unread = unread or str(error).startswith("Failed while loading")
        error = error.__cause__
    system = _system_error(error)
    if system and system.errno in ADVICE:
        file = f"{system.filename}: " if system.filename else ""
        return f"{file}{system.strerror}: {ADVICE[system.errno]}"
    text = " ".join(str(error).split())
    text = text if is_expected(error) and text else f"{type(error).__name__}: {text}"
    return f"{text}: {DAMAGED}" if unread and isinstance(error, ValueError) else text


def _system_error(error: BaseException) -> OSError | None:
    """What the system refused, if it did."""
    if isinstance(error, OSError):
        return error
    found = _OS_ERROR.search(str(error))
    return OSError(int(found[2]), found[1]) if found else None

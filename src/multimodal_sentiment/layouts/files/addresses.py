"""Where posts lie: on this machine, or at an address that `fsspec` reads, such as `s3://bucket/x`.

An address is a `upath.UPath`, which reads as a `Path` does. Credentials and endpoints are found as
its file system finds them, S3's in `AWS_ACCESS_KEY_ID` or in the user's own configuration.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

from multimodal_sentiment.files import is_pattern
from multimodal_sentiment.posts.problems import Problem, problem
from multimodal_sentiment.wording import one_line, reason

from ..errors import LayoutError
from .local import LARGEST, Kind, UnreadableFileError, too_large

_INSTALL = 'install the extra for addresses, as in pip install "multimodal-sentiment[cluster]"'


def find_path(raw: str) -> Path:
    """Return the path of posts, whether it is one of this machine or an address.

    Raises:
        LayoutError: If nothing here reads such addresses, or it cannot be reached.
    """
    protocol, separator, rest = raw.partition("://")
    if not separator:
        return Path(raw)
    if protocol in ("file", "local"):
        return Path(rest)
    try:
        from upath import UPath

        path = cast(Path, UPath(raw))
        _reach(path)
    except ImportError as error:
        raise LayoutError(f"{raw} cannot be read: {_INSTALL} ({error})") from error
    except FileNotFoundError as error:
        raise LayoutError(f"there is no {raw}, or it is hidden from this user") from error
    except Exception as error:  # each file system has errors of its own
        why = one_line(error)
        raise LayoutError(f"{raw} cannot be reached: {why}") from error
    return path


def is_remote(path: Path) -> bool:
    """Return whether a path is an address."""
    return not isinstance(path, Path)


def absolute(path: Path) -> Path:
    """Return a path as a process in another working folder must know it."""
    return path if is_remote(path) else path.absolute()


def open_to_read(path: Path) -> Any:
    """Open a file of which parts are read: what lies between them is not fetched."""
    if is_remote(path):
        return cast(Any, path).open("rb", cache_type="none")
    import pyarrow as pa

    return pa.OSFile(str(path))


def read_range(path: Path, start: int, size: int) -> bytes:
    """Return some bytes of a file.

    Raises:
        OSError: If it does not hold them any more.
    """
    if not size:  # servers refuse to send nothing
        return b""
    if is_remote(path):
        address = cast(Any, path)
        content: bytes = address.fs.cat_file(address.path, start=start, end=start + size)
    else:
        with path.open("rb") as file:
            file.seek(start)
            content = file.read(size)
    if len(content) < size:
        raise OSError(f"{path} has been cut short since it was first read")
    return content


def read_address(path: Path, kind: Kind) -> bytes:
    """Return all bytes of a file at an address.

    Raises:
        UnreadableFileError: If it is not there any more, may not be read, or is too large.
    """
    address = cast(Any, path)
    try:
        size = address.fs.info(address.path)["size"]
        if size > LARGEST[kind]:
            raise UnreadableFileError(too_large(kind, size))
        return read_range(path, 0, size)
    except (FileNotFoundError, PermissionError) as error:
        raise UnreadableFileError(unreadable(kind, error)) from error


def unreadable(kind: Kind, error: OSError) -> Problem:
    """Return the problem of a file that is missing or forbidden, though others are not."""
    return problem(f"{kind}_unreadable", reason(error))


def state_of(path: Path) -> str:
    """Return what changes when a file does."""
    if is_remote(path):
        address = cast(Any, path)
        return str(address.fs.ukey(address.path))
    about = path.stat()
    return f"{about.st_size} {about.st_mtime_ns}"


def _reach(path: Path) -> None:
    """Ask for something of the address: a question whether it exists would hide why it is not."""
    address = cast(Any, path.parent if is_pattern(path) else path)
    address.fs.invalidate_cache()  # of listings: an earlier command may have seen other files
    address.fs.info(address.path)

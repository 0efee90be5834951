"""The log file of a run, and what ends a run from outside."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any


class RunLog(logging.FileHandler):
    """A file with everything that is logged until it is closed.

    A line that cannot be written, on a full disk for example, is left out: the screen shows it too.

    Args:
        path: The file.
        is_own: The function that tells whether the lines of the current thread belong here.
    """

    def __init__(self, path: Path, is_own: Callable[[], bool]) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.addFilter(lambda record: is_own())
        logging.getLogger().addHandler(self)

    def write_traceback(self, error: BaseException) -> None:
        """Write the traceback of an error."""
        text = "".join(traceback.format_exception(error))
        self.handle(logging.makeLogRecord({"name": __name__, "levelname": "ERROR", "msg": text}))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Ignore a line that cannot be written."""

    def close(self) -> None:
        """Accept no more lines, and close the file."""
        logging.getLogger().removeHandler(self)
        with suppress(OSError):
            super().close()


def exit_on_signals() -> dict[int, Any]:
    """Make SIGTERM and SIGHUP end the process in an orderly way.

    Returns:
        The former handlers, for `restore_signals`.
    """

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit(128 + number)

    if threading.current_thread() is not threading.main_thread():
        return {}
    numbers = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    return {
        number: signal.signal(number, end)
        for number in numbers
        if signal.getsignal(number) is signal.SIG_DFL
    }


def restore_signals(handlers: dict[int, Any]) -> None:
    """Restore the handlers that `exit_on_signals` replaced."""
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)

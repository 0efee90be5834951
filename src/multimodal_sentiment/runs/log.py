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
    """A file with all that is logged until it is closed.

    What cannot be written, on a full disk say, is left out: the screen has the line too.

    Args:
        path: The file.
        is_own: Tells of the thread that logs whether its lines belong here.
    """

    def __init__(self, path: Path, is_own: Callable[[], bool]) -> None:
        super().__init__(path, encoding="utf-8", delay=True)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self.addFilter(lambda record: is_own())
        logging.getLogger().addHandler(self)

    def write_traceback(self, error: BaseException) -> None:
        """Write where an error came from."""
        text = "".join(traceback.format_exception(error))
        self.handle(logging.makeLogRecord({"name": __name__, "levelname": "ERROR", "msg": text}))

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        with suppress(OSError):
            super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing."""

    def close(self) -> None:
        """Take in no more lines, and close the file."""
        logging.getLogger().removeHandler(self)
        with suppress(OSError):
            super().close()


def exit_on_signals() -> dict[int, Any]:
    """Have SIGTERM and SIGHUP end the process in an orderly way.

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
    """Undo `exit_on_signals`."""
    if threading.current_thread() is threading.main_thread():
        for number, handler in handlers.items():
            signal.signal(number, handler)

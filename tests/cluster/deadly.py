"""Workers that die of one post: the first time that it comes, or each time."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .equality import MARK, ODD


def die_of_odd(function: Callable[[Any], Any], noted: Path | None, part: Any) -> Any:
    """Do a part, unless it holds the odd post: that kills the worker.

    Args:
        function: What does the part.
        noted: A file that notes that a worker has died, which is enough; None kills each.
        part: The part.
    """
    if _holds_odd(part) and (noted is None or not noted.exists()):
        if noted is not None:
            noted.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return function(part)


def _holds_odd(part: Any) -> bool:
    if isinstance(part, pd.DataFrame):
        return str(ODD) in part["guid"].tolist()
    if isinstance(part, np.ndarray):
        return ODD in part
    return any(MARK in payload for payload in part if isinstance(payload, bytes))

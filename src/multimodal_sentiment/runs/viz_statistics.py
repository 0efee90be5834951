"""What Kedro-Viz says of the size of datasets.

It writes that down when a run ends, and takes the size of the path in the catalog, which of a
dataset with versions is the folder of these.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from multimodal_sentiment.files import replace_whole
from multimodal_sentiment.wording import reason

logger = logging.getLogger(__name__)

_FILE = Path(".viz") / "stats.json"


def drop_sizes(project: Path) -> None:
    """Leave the sizes of files out of the file that Kedro-Viz reads, as they are not right."""
    path = project / _FILE
    try:
        known: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
        for statistics in known.values():
            statistics.pop("file_size", None)
    except (OSError, ValueError, AttributeError, TypeError):  # it is not there, or another file is
        return
    try:
        with replace_whole(path) as partial:
            partial.write_text(json.dumps(known), encoding="utf-8")
    except OSError as error:
        logger.warning("%s cannot be written: %s", path, reason(error))

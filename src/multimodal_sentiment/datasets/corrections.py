"""A file of corrected tags as a dataset."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd
from kedro.io import DatasetError

from multimodal_sentiment.wording import reason

from .bases import ReadOnlyDataset
from .previews import TablePreview

logger = logging.getLogger(__name__)

COLUMNS = ("guid", "tag", "sha256")

_SEPARATORS = (",", ";", "\t")


class CorrectionsDataset(ReadOnlyDataset[pd.DataFrame]):
    """``CorrectionsDataset`` loads the tags that a person has corrected.

    Either a CSV file, ``guid,tag`` (commas, semicolons or tabs), or what Label Studio exports as
    JSON or JSON-MIN: the data of a task names the post by its ``guid``, and the last annotation
    that was not cancelled chooses its tag. Without a path there are no corrections. It is read
    only.

    Example usage for the YAML API:

    ```yaml
    corrections_file:
      type: multimodal_sentiment.datasets.CorrectionsDataset
      file: {path: corrections.csv}
    ```

    Example usage for the Python API:

    >>> CorrectionsDataset(file={"path": None}).load().empty
    True
    """

    def __init__(
        self, *, file: dict[str, str | None], metadata: dict[str, Any] | None = None
    ) -> None:
        """Create a new instance.

        Args:
            file: As `path`, the file; None if no tag was corrected.
            metadata: Any arbitrary metadata; ignored by Kedro.
        """
        self._path = Path(file["path"]).expanduser() if file["path"] else None
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Read all corrections, in the file's order: `guid`, `tag` and the file's `sha256`.

        Raises:
            DatasetError: If the file is missing, or is none of corrections.
        """
        if self._path is None:
            return pd.DataFrame(columns=list(COLUMNS), dtype=str)
        payload = self._read()
        try:
            text = payload.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = payload.count(b"\n", 0, error.start) + 1
            self._refuse(f"is not UTF-8 in line {line}: save it as UTF-8")
        rows = self._tasks(text) if text.lstrip()[:1] in ("[", "{") else self._lines(text)
        if not rows:
            logger.warning("The file of corrections %s corrects no tag", self._path)
        table = pd.DataFrame(rows, columns=["guid", "tag"], dtype=str)
        return table.assign(sha256=hashlib.sha256(payload).hexdigest())

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows, for Kedro-Viz."""
        return TablePreview(self.load().head(nrows).to_dict(orient="split"))

    def _exists(self) -> bool:
        if self._path is not None:
            self._read()
        return True  # that no tag was corrected is no fault

    def _describe(self) -> dict[str, Any]:
        return {"filepath": self._path}

    def _refuse(self, why: str) -> NoReturn:
        raise DatasetError(f"the file of corrections {self._path} {why}")

    def _read(self) -> bytes:
        try:
            return Path(str(self._path)).read_bytes()
        except OSError as error:
            raise DatasetError(
                f"the file of corrections {self._path} cannot be read: {reason(error)}: name "
                "another with --params corrections=FILE"
            ) from error

    def _lines(self, text: str) -> list[tuple[str, str]]:
        first = text.partition("\n")[0]
        separator = max(_SEPARATORS, key=first.count)
        lines = [
            [cell.strip() for cell in line]
            for line in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        ]
        names = [name.casefold() for name in lines[0]] if lines else []
        if not {"guid", "tag"} <= set(names):
            self._refuse(f"begins with {first[:60]!r}, where it should name its columns: guid,tag")
        rows = []
        for number, cells in enumerate(lines[1:], start=2):
            if not any(cells):
                continue
            row = dict(zip(names, cells, strict=False))
            if len(cells) < len(names) or any(cells[len(names) :]) or not row["guid"]:
                self._refuse(f"has no guid and tag in line {number}")
            rows.append((row["guid"], row["tag"]))
        return rows

    def _tasks(self, text: str) -> list[tuple[str, str]]:
        try:
            tasks = json.loads(text)
        except json.JSONDecodeError as error:
            self._refuse(f"is no JSON in line {error.lineno}: {error.msg}")
        tasks = tasks if isinstance(tasks, list) else [tasks]
        rows = []
        for number, task in enumerate(tasks, start=1):
            try:
                chosen = _choice(task)
                if chosen is not None:
                    rows.append((str(task.get("data", task)["guid"]), str(chosen)))
            except (AttributeError, IndexError, KeyError, TypeError):
                self._refuse(
                    f"is not what Label Studio exports: its task {number} has no guid with a tag"
                )
        if tasks and not rows:
            self._refuse(
                "holds tasks, and in none of them a choice of a tag: in JSON-MIN it must be named "
                "tag"
            )
        return rows


def _choice(task: dict[str, Any]) -> Any:
    """Return the tag that a task's last annotation chooses; None if nobody has annotated it."""
    if "data" not in task:  # JSON-MIN
        return task.get("tag")
    done = [it for it in task.get("annotations", []) if not it.get("was_cancelled")]
    results = done[-1]["result"] if done else []
    chosen = [result["value"]["choices"][0] for result in results if result["type"] == "choices"]
    return chosen[0] if chosen else None

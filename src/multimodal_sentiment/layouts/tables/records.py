"""JSON Lines: one object a row."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from multimodal_sentiment.decoding import read_source
from multimodal_sentiment.posts.names import first_names
from multimodal_sentiment.wording import one_line

from ..errors import LayoutError
from ..files.marks import marked_encoding
from .table import Table, in_words

_LONGEST_REASON = 80  # characters


class RecordsTable(Table):
    """A table of JSON objects, a line each, or in one list; read whole."""

    format = "jsonl"

    def __init__(self, path: Path, encodings: Sequence[str] | None) -> None:
        """Read the table.

        Raises:
            LayoutError: If a line is no object.
        """
        self.path = path
        self._encodings = encodings
        self._rows: list[dict[str, Any]] = []
        self._lines: list[int] = []
        for line, row in self._records(path.read_bytes()):
            if not isinstance(row, dict):
                raise LayoutError(
                    f"{path} has no object in line {line}, but {type(row).__name__}: it needs one "
                    'a line, such as {"id": 1, "text": "..."}'
                )
            self._rows.append(row)
            self._lines.append(line)
        if not self._rows:
            raise LayoutError(f"{path} holds no row: it needs one object a line")
        self._refuse_one_of_all()
        self.count = len(self._rows)
        self.names = list(dict.fromkeys(name for row in self._rows for name in row))

    @property
    def encoding(self) -> str:
        """What most lines are written in."""
        return self._encoding

    def words(self, name: str) -> list[str | None]:
        """Return a column as text."""
        return [self._word(name, row) for row in range(self.count)]

    def cell(self, name: str, row: int) -> Any:
        """Return a value; an image's bytes are what its base64 stands for."""
        value = self._rows[row].get(name)
        if isinstance(value, dict) and isinstance(value.get("bytes"), str):
            try:
                return {**value, "bytes": base64.b64decode(value["bytes"], validate=True)}
            except (binascii.Error, ValueError):
                return value
        return value

    def place(self, row: int) -> str:
        """Return the line of a row."""
        return f"line {self._lines[row]}"

    def write_with(self, columns: Mapping[str, Sequence[Any]], path: Path) -> None:
        """Write a copy in UTF-8, an object a line or all in one list; see `Table`."""
        new = zip(*columns.values(), strict=True)
        rows = [
            {**row, **dict(zip(columns, values, strict=True))}
            for row, values in zip(self._rows, new, strict=True)
        ]
        # Half a surrogate pair, which no encoding has, becomes an escape again.
        with open(path, "w", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            if self.format == "json":
                json.dump(rows, file, ensure_ascii=False, indent=1)
            else:
                file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)

    def _refuse_one_of_all(self) -> None:
        """Refuse an object that is the whole table, as pandas writes it by default.

        Raises:
            LayoutError: If the file holds one, of lists or objects alone.
        """
        row, *others = self._rows
        if not others and row and all(isinstance(value, list | dict) for value in row.values()):
            raise LayoutError(
                f"{self.path} holds one object, {first_names(row)}, and not one for each post: "
                "write a list of objects, or one a line (in pandas, "
                "to_json(orient='records', lines=True))"
            )

    def _word(self, name: str, row: int) -> str | None:
        try:
            return in_words(self._rows[row].get(name))
        except TypeError as error:
            raise LayoutError(f"{self.path}, {self.place(row)}: {name}: {error}") from error

    def _records(self, payload: bytes) -> Iterator[tuple[int, Any]]:
        text = self._text(payload)
        if text.lstrip().startswith("["):
            self.format = "json"
            rows = self._parsed(text, 1)
            yield from enumerate(rows, start=1)
            return
        # Not splitlines(): it also splits at characters that JSON may hold as they are.
        for line, record in enumerate(text.split("\n"), start=1):
            if record.strip():
                yield line, self._parsed(record, line)

    def _text(self, payload: bytes) -> str:
        self._encoding = marked_encoding(payload) or "utf-8"
        try:
            return payload.decode(self._encoding)
        except UnicodeDecodeError as error:
            if self._encoding != "utf-8":
                raise LayoutError(
                    f"{self.path} is not {self._encoding} throughout: {error}"
                ) from error
        readings, profile = read_source(payload.split(b"\n"), self._encodings)
        self._encoding = max(profile.posts, key=lambda name: profile.posts[name], default="utf-8")
        self.doubt = profile.doubt
        return "\n".join(reading.text for reading in readings)

    def _parsed(self, record: str, line: int) -> Any:
        try:
            return json.loads(record, strict=False)
        except (ValueError, RecursionError) as error:
            why = one_line(error)[:_LONGEST_REASON]
            raise LayoutError(
                f"{self.path} has no JSON in line {line}: {why}: each line must hold one object, "
                "or the whole file a list of them"
            ) from error

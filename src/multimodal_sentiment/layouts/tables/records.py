"""JSON Lines: one object a row, in UTF-8 or in one encoding or several.

Where a file is no UTF-8, each line is decoded by the evidence of all lines, so that its object can
be told; but a text is handed on in the line's bytes, and is read as the post that it is.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from multimodal_sentiment.decoding import Reading, extends_ascii, read_source
from multimodal_sentiment.posts.names import first_names
from multimodal_sentiment.wording import one_line

from ..errors import LayoutError
from ..files.local import marked_encoding
from .table import Table, in_words

_LONGEST_REASON = 80  # characters
_NO_TEXT = re.compile("[\udc80-\udcff]")  # what `surrogateescape` makes of a byte


class _Line(NamedTuple):
    """A line, or all of them where they are one list.

    Attributes:
        text: For people: bytes that are no text are spelled out.
        kept: The same, such bytes as half surrogates, which become them again.
        codec: What makes the bytes of `kept` again; empty where it is certain what they say.
    """

    text: str
    kept: str
    codec: str = ""


class _Record(NamedTuple):
    """The object of a row, and where it stands; see `_Line`."""

    line: int
    row: dict[str, Any]
    kept: dict[str, Any]
    codec: str


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
        self._records = list(self._read(path.read_bytes()))
        for line, row, *_ in self._records:
            if not isinstance(row, dict):
                raise LayoutError(
                    f"{path} has no object in line {line}, but {type(row).__name__}: it needs one "
                    'a line, such as {"id": 1, "text": "..."}'
                )
        self._refuse_one_of_all()
        self.count = len(self._records)
        self.names = list(dict.fromkeys(name for record in self._records for name in record.row))

    @property
    def encoding(self) -> str:
        """What most lines are written in."""
        return self._encoding

    def words(self, name: str) -> list[str | None]:
        """Return a column as text."""
        return [self._word(name, row) for row in range(self.count)]

    def cell(self, name: str, row: int) -> Any:
        """Return a value; of a text its bytes, unless the file itself tells its encoding."""
        record = self._records[row]
        value = record.kept.get(name)
        if not record.codec or not isinstance(value, str):
            return value
        try:
            return value.encode(record.codec, "surrogateescape")
        except UnicodeEncodeError:  # it holds JSON's own escapes: what they stand for is certain
            return value

    def image(self, name: str, row: int) -> Any:
        """Return a value; an image's bytes are what its base64 stands for."""
        value = self._records[row].row.get(name)
        return [*map(_with_bytes, value)] if isinstance(value, list) else _with_bytes(value)

    def place(self, row: int) -> str:
        """Return the line of a row."""
        return f"line {self._records[row].line}"

    def write_with(self, columns: Mapping[str, Sequence[Any]], path: Path) -> None:
        """Write a copy in UTF-8, an object a line or all in one list; see `Table`."""
        new = zip(*columns.values(), strict=True)
        rows = [
            {**record.row, **dict(zip(columns, values, strict=True))}
            for record, values in zip(self._records, new, strict=True)
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
        rows = [record.row for record in self._records]
        row = rows[0] if len(rows) == 1 else {}
        if row and all(isinstance(value, list | dict) for value in row.values()):
            raise LayoutError(
                f"{self.path} holds one object, {first_names(row)}, and not one for each post: "
                "write a list of objects, or one a line (in pandas, "
                "to_json(orient='records', lines=True))"
            )

    def _word(self, name: str, row: int) -> str | None:
        try:
            return in_words(self._records[row].row.get(name))
        except TypeError as error:
            raise LayoutError(f"{self.path}, {self.place(row)}: {name}: {error}") from error

    def _read(self, payload: bytes) -> Iterator[_Record]:
        lines = self._lines(payload)
        first = next((line.text for line in lines if line.text.strip()), "")
        if first.lstrip().startswith("["):
            self.format = "json"
            yield from self._read_list(lines)
            return
        for number, line in enumerate(lines, start=1):
            if line.text.strip():
                yield _Record(number, *self._values(line, number), line.codec)

    def _read_list(self, lines: Sequence[_Line]) -> Iterator[_Record]:
        codec = ""
        if any(line.codec for line in lines):
            codec = self._encoding if extends_ascii(self._encoding) else "utf-8"
        texts, kept, _ = zip(*lines, strict=True)
        rows = zip(*self._values(_Line("\n".join(texts), "\n".join(kept)), 1), strict=True)
        for number, (row, kept_row) in enumerate(rows, start=1):
            yield _Record(number, row, kept_row, codec)

    def _lines(self, payload: bytes) -> list[_Line]:
        self._encoding = marked_encoding(payload) or "utf-8"
        # Not splitlines(): it also splits at characters that JSON may hold as they are.
        try:
            return [_Line(text, text) for text in payload.decode(self._encoding).split("\n")]
        except UnicodeDecodeError as error:
            if not self._encoding.startswith("utf-8"):
                raise LayoutError(
                    f"{self.path} is not {self._encoding} throughout: {error}"
                ) from error
        lines = payload.removeprefix(codecs.BOM_UTF8).split(b"\n")
        readings, profile = read_source(lines, self._encodings)
        self._encoding = max(profile.posts, key=lambda name: profile.posts[name], default="utf-8")
        self.doubt = profile.doubt
        return list(map(_decoded, lines, readings))

    def _values(self, line: _Line, number: int) -> tuple[Any, Any]:
        """Return what stands in a line, for people and with all its bytes."""
        value = self._parsed(line.text, number)
        return value, value if line.kept == line.text else self._parsed(line.kept, number)

    def _parsed(self, record: str, line: int) -> Any:
        try:
            return json.loads(record, strict=False)
        except (ValueError, RecursionError) as error:
            why = one_line(error)[:_LONGEST_REASON]
            raise LayoutError(
                f"{self.path} has no JSON in line {line}: {why}: each line must hold one object, "
                "or the whole file a list of them"
            ) from error


def _with_bytes(value: Any) -> Any:
    """Return an image's value, with the bytes that its base64 stands for, in lines or in one."""
    if not isinstance(value, dict) or not isinstance(value.get("bytes"), str):
        return value
    try:
        return {**value, "bytes": base64.b64decode("".join(value["bytes"].split()), validate=True)}
    except (binascii.Error, ValueError):
        return value


def _decoded(payload: bytes, reading: Reading) -> _Line:
    is_whole = "undecodable" not in reading.problem
    codec = reading.encoding if extends_ascii(reading.encoding) else "utf-8"
    if is_whole and codec != reading.encoding:  # the structure of its bytes proves what it says
        return _Line(reading.text, reading.text)
    try:
        kept = payload.decode(codec, "surrogateescape")
    except UnicodeDecodeError:  # damaged escape sequences are of ASCII, which UTF-8 keeps
        codec = "utf-8"
        kept = payload.decode(codec, "surrogateescape")
    # JSON knows no escapes such as \xc3: the backslash is one of the text's own.
    spelled = _NO_TEXT.sub(lambda byte: f"\\\\x{ord(byte[0]) - 0xDC00:02x}", kept)
    return _Line(reading.text if is_whole else spelled, kept, codec.removesuffix("-sig"))

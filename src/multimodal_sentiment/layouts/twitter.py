"""Twitter-15 and Twitter-17, as they are published for sentiment about targets.

J. Yu, J. Jiang: Adapting BERT for Target-Oriented Multimodal Sentiment Classification, IJCAI 2019.
The posts were collected to find names in: Q. Zhang and others: Adaptive Co-Attention Network for
Named Entity Recognition in Tweets, AAAI 2018 (Twitter-15); D. Lu and others: Visual Attention Model
for Name Tagging in Multimodal Social Media, ACL 2018 (Twitter-17).

`train.tsv`, `dev.tsv` and `test.tsv` have a row a target: its number, its tag (0 negative, 1
neutral, 2 positive), the name of the image, the text with `$T$` in place of the target, and the
target. The published test file has these five cells under a header of four names: the cells are
taken by their places.
"""

from __future__ import annotations

from pathlib import Path

from multimodal_sentiment.wording import reason

from .errors import LayoutError
from .rows.rows import Part
from .rows.table_source import TableSource
from .source import Options
from .splits import Split
from .table import named_image_folder
from .tables import Table

TAGS = {"0": "negative", "1": "neutral", "2": "positive"}
TARGET = "$T$"
FILES: dict[str, Split] = {"train.tsv": "train", "dev.tsv": "validation", "test.tsv": "test"}

_NAMES = ("guid", "tag", "image", "text", "target")


def is_twitter(path: Path) -> bool:
    """Return whether a folder holds a training file with the published header."""
    try:
        with (path / "train.tsv").open(encoding="utf-8-sig") as file:
            return file.readline().startswith("index\t#1 Label\t#2 ImageID")
    except (OSError, UnicodeDecodeError):
        return False


def open_twitter(path: Path, options: Options) -> TableSource:
    """Open the three files.

    The images lie in the folder that `columns.image_folder` names, or in one beside the files whose
    name ends in `images`, as in `twitter2015_images`.

    Raises:
        LayoutError: If there is no file, or a row is not as published.
    """
    files = [(path / name, split) for name, split in FILES.items() if (path / name).is_file()]
    if not files:
        raise LayoutError(f"{path} holds no {', '.join(FILES)}")
    folder = named_image_folder(path, options) or _images_beside(path)
    parts = [
        Part(_read(file, split), {"guid": "guid", "image": "image", "tag": "tag", "text": "text"},
             folder, split)
        for file, split in files
    ]  # fmt: skip
    return TableSource(path, parts, options, "twitter", "targets of posts of Twitter")


def _images_beside(path: Path) -> Path:
    """Return the folder of images; where there is none, the one in which they should be."""
    real = path.resolve()
    own = [child for child in sorted(real.iterdir()) if child.is_dir()]
    near = [real.parent / f"{real.name}_images"]
    found = [child for child in (*own, *near) if child.name.endswith("images") and child.is_dir()]
    return found[0] if found else path / f"{real.name}_images"


def _read(path: Path, split: Split) -> Table:
    columns: dict[str, list[str]] = {name: [] for name in _NAMES}
    try:
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise LayoutError(f"{path} cannot be read: {reason(error)}") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        cells = line.rstrip("\r").split("\t")
        if len(cells) != len(_NAMES) or cells[1].strip() not in TAGS:
            if number == 1:  # names, unless they were left out
                continue
            raise LayoutError(
                f"{path} has another row in line {number} than number, tag ({', '.join(TAGS)}), "
                f"image, text and target: {line[:60]!r}"
            )
        index, tag, image, text, target = cells
        # A post has a row for each of its targets: numbers start anew in each file.
        entries = (
            f"{split}-{index.strip()}",
            TAGS[tag.strip()],
            image.strip(),
            text.replace(TARGET, target),
            target,
        )
        for name, entry in zip(_NAMES, entries, strict=True):
            columns[name].append(entry)
    return _Rows(path, columns)


class _Rows(Table):
    """The rows of a file, read whole."""

    format = "tsv"
    separator = "\t"

    def __init__(self, path: Path, columns: dict[str, list[str]]) -> None:
        self.path = path
        self._columns = columns
        self.names = list(columns)
        self.count = len(columns["guid"])

    def words(self, name: str) -> list[str | None]:
        """Return a column."""
        return [*self._columns[name]]

    def cell(self, name: str, row: int) -> str:
        """Return an entry of a column."""
        return self._columns[name][row]

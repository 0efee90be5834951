"""What lies in a folder that may be tables, and what the names there tell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from multimodal_sentiment.posts.names import first_names
from multimodal_sentiment.wording import reason

from .errors import LayoutError
from .files.addresses import is_remote
from .splits import Split, split_among, split_of
from .tables import SUFFIXES
from .tables.arrow import INFO, STATE

Splits = dict[Path, Split]  # of tables, or of folders of some: what the name of each tells

METADATA = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
_DICTIONARY = "dataset_dict.json"  # of a folder of splits that `datasets` has saved
_NO_TABLES = (STATE, INFO, _DICTIONARY, "dataset_infos.json", "decisive.jsonl")
_OF_SYSTEMS = (".", "~$")  # begin files that an operating system or Excel leaves beside others


@dataclass(frozen=True)
class TableFolder:
    """What lies in a folder that may be tables; where there is no folder, nothing does.

    Raises:
        LayoutError: By each question, if something cannot be listed or read.
    """

    path: Path

    def files(self, suffixes: Sequence[str]) -> Splits:
        """Return the files with some suffixes in the folder, or else in its folder `data`."""
        for listed in self._listed:
            if found := [file for file in of_kind(listed, suffixes) if file.is_file()]:
                return {file: split_among(file) for file in found}
        return {}

    @cached_property
    def below(self) -> Splits:
        """The tables in its folders that are named like splits."""
        return {
            table: split
            for folder, split in self._of_splits().items()
            for table in TableFolder(folder).files(SUFFIXES)
        }

    def metadata(self) -> Splits:
        """Return the metadata of images in the folder, or else in its folders named like splits."""
        own: Splits = {self.path: ""}
        folders = own if _metadata_in(self.path) else self._of_splits()
        return {it: split for folder, split in folders.items() for it in _metadata_in(folder)[:1]}

    def saved(self) -> Splits:
        """Return the folder itself, or its splits, if `datasets` has saved it."""
        dictionary = self.path / _DICTIONARY
        if not dictionary.is_file():
            return {self.path: ""} if _is_saved(self.path / STATE) else {}
        try:
            names: Sequence[str] = json.loads(dictionary.read_text("utf-8"))["splits"]
            splits = {self.path / name: split_of(self.path / name) for name in names}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LayoutError(f"{dictionary} cannot be read: {reason(error)}") from error
        unknown = [folder.name for folder, split in splits.items() if not split]
        if unknown:
            raise LayoutError(
                f"{self.path} has the splits {', '.join(names)}: {first_names(unknown)} is none "
                f"that is known, so name one with raw={self.path / names[0]}, or save train, "
                "validation and test"
            )
        return splits

    def unclear(self) -> list[TableFolder]:
        """Return its folders `eval`: validation posts to some, test posts to others."""
        names = ("eval", "evaluation")
        return [TableFolder(it) for it in self._listed[0] if it.name.casefold() in names]

    def _of_splits(self) -> Splits:
        if is_remote(self.path):
            return {}
        return {it: split for it in self._listed[0] if (split := split_of(it)) and it.is_dir()}

    @cached_property
    def _listed(self) -> tuple[list[Path], list[Path]]:
        """What lies in the folder, and what in its folder `data`."""
        return _list(self.path), _list(self.path / "data")


def of_kind(files: Iterable[Path], suffixes: Sequence[str]) -> list[Path]:
    """Return the files that have one of some suffixes, without what programs leave beside them."""
    return [
        file
        for file in files
        if file.suffix.lower() in suffixes
        and file.name not in _NO_TABLES
        and not file.name.startswith(_OF_SYSTEMS)
    ]


def _is_saved(state: Path) -> bool:
    """Return whether a file may be the state of a saved data set; others have such files too."""
    try:
        return state.is_file() and "_data_files" in state.read_text("utf-8", "replace")
    except OSError:  # whoever reads it says why it cannot be read
        return True


def _metadata_in(folder: Path) -> list[Path]:
    return [folder / name for name in METADATA if (folder / name).is_file()]


def _list(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir(), key=lambda it: it.name) if folder.is_dir() else []
    except OSError as error:
        raise LayoutError(f"{folder} cannot be listed: {reason(error)}") from error

"""The course's layout: `train.txt`, `test_without_label.txt`, and a folder `data` of files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from multimodal_sentiment.wording import reason

from .errors import LayoutError
from .files.addresses import is_remote
from .files.local import Links
from .folder.listing import read_listing
from .folder.post_folder import AddressFolder, PostFolder
from .source import Namespace, Options, PostFiles, Source

LISTINGS: dict[Namespace, str] = {"labelled": "train.txt", "unlabelled": "test_without_label.txt"}
FOLDER = "data"


class CourseSource(Source):
    """A folder as the course hands it out."""

    def __init__(self, path: Path, options: Options) -> None:
        self.path = path
        self._options = options

    def has(self, namespace: Namespace) -> bool:
        """Return whether the listing is there."""
        return self.place_of(namespace).is_file()

    def place_of(self, namespace: Namespace) -> Path:
        """Return the path of the listing."""
        return self.path / LISTINGS[namespace]

    def listing(self, namespace: Namespace) -> pd.DataFrame:
        """Return the listing as it stands."""
        return read_listing(self.place_of(namespace))

    @property
    def folder(self) -> Path:
        """The folder of posts."""
        return self.path / FOLDER

    def files(self) -> PostFiles:
        """Return the folder of posts."""
        files = open_folder(self.folder, self._options.links)
        files.about = {"layout": "course", "path": str(self.path)}
        files.remarks.insert(0, f"{self.path}: the course's layout")
        files.known = self._listed
        return files

    def _listed(self) -> Iterator[list[str]]:
        """Yield the guids of both listings, as far as they can be read, the shorter one first."""
        places = [place for name in LISTINGS if (place := self.place_of(name)).is_file()]
        for place in sorted(places, key=lambda place: place.stat().st_size):
            try:
                yield read_listing(place)["guid"].tolist()
            except LayoutError:
                pass  # what is wrong with it is told to whom needs it


def is_course(path: Path) -> bool:
    """Return whether a folder holds one of the course's listings."""
    return any((path / name).is_file() for name in LISTINGS.values())


def open_folder(folder: Path, links: Links) -> PostFolder:
    """Find the texts and images of a folder.

    Raises:
        LayoutError: If it cannot be listed.
    """
    try:
        return AddressFolder(folder) if is_remote(folder) else PostFolder(folder, links)
    except OSError as error:
        raise LayoutError(
            f"the folder of posts {folder} cannot be listed: {reason(error)}"
        ) from error

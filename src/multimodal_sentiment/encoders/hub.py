"""The hub: what it has of an encoder, and its files, each checked.

The hub's own library does the talking, and so honours HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN,
HF_HUB_DOWNLOAD_TIMEOUT and the proxies' variables. Its own way of storing files is not used: it
starts a broken-off file anew in the next process, and believes what it received if the size is
right.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, constants, hf_hub_url
from huggingface_hub.errors import HfHubHTTPError, HTTPError, OfflineModeIsEnabled
from huggingface_hub.file_download import http_get
from huggingface_hub.utils import build_hf_headers

from .formats import WEIGHTS, digest_file, files_of, without_weights
from .hub_errors import MIRROR, explained
from .references import EncoderError, Reference, is_commit

logger = logging.getLogger(__name__)

RANGE = 416  # HTTP's answer where a file has no more

# The library writes what comes by the chunk, and drops the chunk in which a connection breaks. Its
# own 10 MB are more than a bad line may carry between two breaks.
constants.DOWNLOAD_CHUNK_SIZE = 2**18  # bytes


@dataclass(frozen=True)
class RemoteFile:
    """A file as the hub describes it.

    Attributes:
        path: Its name.
        size: The size in bytes.
        sha256: The SHA-256 of a large file.
        blob: The SHA-1 by which git knows any other file.
    """

    path: str
    size: int
    sha256: str | None
    blob: str | None

    def is_at(self, path: Path) -> bool:
        """Return whether a file has this one's size and checksum."""
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        if self.sha256:
            return digest_file(path) == self.sha256
        content = f"blob {self.size}\0".encode() + path.read_bytes()
        return hashlib.sha1(content, usedforsecurity=False).hexdigest() == self.blob


@dataclass(frozen=True)
class Listing:
    """What a hub has of an encoder, at one commit, of that which is needed here."""

    name: str
    repository: str
    commit: str
    endpoint: str
    files: tuple[RemoteFile, ...]
    licence: str | None = None

    def download(self, file: RemoteFile, folder: Path) -> None:
        """Fetch a file into a folder, and give it its name when it is right.

        What has come of it stays as `<name>.part`, from which the next try goes on.

        Raises:
            EncoderError: If it cannot be had, or is not what the hub said.
        """
        part = folder / f"{file.path}.part"
        part.parent.mkdir(exist_ok=True)
        resumed = _fill(part, file, self)
        if not file.is_at(part) and resumed:
            logger.warning(
                "%s: the part of %s that was here is wrong: it is fetched from its start",
                self.name,
                file.path,
            )
            part.unlink()
            _fill(part, file, self)
        if not file.is_at(part):
            size = part.stat().st_size
            part.unlink()
            fault = "another SHA-256" if file.sha256 else "another checksum"
            wrong = fault if size == file.size else f"{size:,} bytes, not {file.size:,}"
            raise EncoderError(
                f"{self.name}: {file.path} from {self.endpoint} has {wrong} than it says, and is "
                f"not kept: try again, or {MIRROR}"
            )
        with part.open("rb") as opened:
            os.fsync(opened.fileno())
        part.rename(folder / file.path)


def list_files(reference: Reference, endpoint: str | None) -> Listing:
    """Ask a hub which files an encoder has.

    Raises:
        EncoderError: If it does not say, or they are not those of an encoder.
    """
    place = (endpoint or constants.ENDPOINT).rstrip("/")
    with explained(reference.name, reference.repository, place):
        info = HfApi(endpoint=place).model_info(
            reference.repository,
            revision=reference.revision,
            files_metadata=True,
            timeout=constants.HF_HUB_ETAG_TIMEOUT,
        )
    siblings = {file.rfilename: file for file in info.siblings or []}
    wanted = files_of(siblings)
    if not wanted:
        raise EncoderError(without_weights(f"{reference} at {place}", list(siblings)))
    files = tuple(_describe(siblings[name], reference, place) for name in wanted)
    # It becomes the name of a folder.
    if not is_commit(info.sha) or (reference.is_pinned and info.sha != reference.revision):
        raise EncoderError(
            f"{place} answers for {reference} with revision {info.sha}: choose {MIRROR}"
        )
    weights = next((file.sha256 for file in files if file.path == WEIGHTS), None)
    if reference.sha256 not in (None, weights):
        raise EncoderError(
            f"{place} has other weights of {reference} than were published (SHA-256 {weights}, not "
            f"{reference.sha256}): choose {MIRROR}"
        )
    licence = getattr(info.card_data, "license", None) or reference.licence
    return Listing(
        reference.name,
        reference.repository,
        info.sha,
        place,
        files,
        licence if isinstance(licence, str) else None,
    )


def _describe(sibling: Any, reference: Reference, place: str) -> RemoteFile:
    sha256 = sibling.lfs["sha256"] if sibling.lfs else None
    if sibling.size is None or not (sha256 or sibling.blob_id):
        raise EncoderError(
            f"{place} does not tell size and checksum of {sibling.rfilename} of {reference}: "
            f"choose {MIRROR}"
        )
    return RemoteFile(sibling.rfilename, sibling.size, sha256, sibling.blob_id)


def _fill(part: Path, file: RemoteFile, listing: Listing) -> bool:
    """Bring a part to its full size; returns whether it began with what an earlier try had left."""
    url = hf_hub_url(
        listing.repository, file.path, revision=listing.commit, endpoint=listing.endpoint
    )
    part.touch()
    size = part.stat().st_size
    if size > file.size:
        os.truncate(part, 0)
        size = 0
    resumed = size > 0
    if resumed:
        logger.info("%s: %s goes on from %.0f%%", listing.name, file.path, 100 * size / file.size)
    while size < file.size:
        with (
            part.open("ab") as opened,
            explained(listing.name, listing.repository, listing.endpoint, file.path),
        ):
            try:
                http_get(
                    url,
                    opened,
                    resume_size=size,
                    headers=build_hf_headers(),
                    expected_size=file.size,
                    displayed_filename=file.path,
                    tqdm_class=None if sys.stderr.isatty() else _Lines,
                )
            except (HTTPError, OSError) as error:
                opened.flush()
                # A connection that brought something before it broke is worth another try.
                if part.stat().st_size <= size and not _has_ended(error):
                    raise
        if part.stat().st_size <= size:
            break
        size = part.stat().st_size
    return resumed


def _has_ended(error: HTTPError | OSError) -> bool:
    """Return whether a server says that there is no more of a file; its checks judge that."""
    if isinstance(error, HfHubHTTPError):
        return bool(error.response.status_code == RANGE)
    library_says_wrong_size = isinstance(error, OSError) and error.errno is None
    return library_says_wrong_size and not isinstance(error, OfflineModeIsEnabled)


class _Lines:
    """A progress bar where none can be drawn: a log line now and then."""

    EVERY = 15.0  # seconds between two lines

    def __init__(self, *, desc: str, total: int | None, initial: int, **_: Any) -> None:
        self._name, self._total, self._done = desc, total, initial
        self._spoke = time.monotonic()

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is left to close."""

    def update(self, size: int) -> None:
        """Note that some bytes have come."""
        self._done += size
        now = time.monotonic()
        if now - self._spoke > self.EVERY:
            self._spoke = now
            share = f" ({100 * self._done / self._total:.0f}%)" if self._total else ""
            logger.info("%s: %.0f MB%s", self._name, self._done / 1e6, share)

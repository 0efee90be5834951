"""Where pretrained encoders are kept, and how one is found by its name."""

from __future__ import annotations

import json
import logging
import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .encoder import Encoder, MissingEncoderError, find_in_cache
from .formats import (
    WEIGHTS,
    check_safetensors,
    digest_file,
    image_family,
    text_family,
    weights_of,
)
from .references import EncoderError, Reference, parse

if TYPE_CHECKING:
    from .hub import Listing

logger = logging.getLogger(__name__)

RECORD = "encoder.json"


class EncoderStore:
    """Encoders in a folder, each whole: `<owner>--<name>/<commit>/` with a record written last.

    The store only grows, and an encoder in it never changes; so it has no versions.

    Args:
        folder: Of the store.
        project: Where relative paths of local encoders start.
    """

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder = folder
        self._project = project

    def find(self, text: str) -> Encoder:
        """An encoder that is on this machine; the network is never asked.

        Args:
            text: A folder or safetensors file; or a hub's `NAME` or `NAME@REVISION`, which is
                looked for here and then in the hub's own cache.

        Raises:
            MissingEncoderError: If it is not on this machine.
            EncoderError: If it is not whole.
        """
        if local := self._local(text):
            weights_of(local)
            return Encoder(text, local, f"the local {'folder' if local.is_dir() else 'file'}")
        reference = self._parse(text)
        found = self._stored(reference) or find_in_cache(reference)
        if found is None:
            raise MissingEncoderError(
                f"no folder or file {text} in the project, and no such encoder in "
                f"{_shorten(self.folder)} or the hub's own cache"
            )
        weights_of(found.path)
        return found

    def fetch(self, text: str, endpoint: str | None = None) -> Encoder:
        """Fetch an encoder from a hub, unless it is already here.

        A broken-off fetch goes on where it stopped. Nothing stands in the store under its final
        name before size and checksum of every file are right.

        Args:
            text: As in `find`.
            endpoint: URL of a mirror; none is what HF_ENDPOINT says, or the hub itself.

        Raises:
            EncoderError: If it cannot be had.
            OSError: If the disk is full, or not writable.
        """
        from .hub import list_files

        if local := self._local(text):
            logger.info("%s is local: nothing to fetch", local)
            return self.find(text)
        reference = self._parse(text)
        stored = self._stored(reference)
        if stored and self._is_sound(stored):
            logger.info("%s: already here, and sound", stored)
            return stored
        listing = list_files(reference, endpoint)
        final = self._place(reference.repository) / listing.commit
        partial = final.with_name(f".{listing.commit}.partial")
        if final.is_dir():  # a corrupted one: what is sound of it is kept
            shutil.rmtree(partial, ignore_errors=True)
            final.rename(partial)
        files = self._gather(listing, partial)
        self._record(reference, listing.commit, files, partial)
        partial.rename(final)
        encoder = self._encoder(reference, final)
        size = sum(file["bytes"] for file in files) / 1e6
        logger.info("%s: %d files, %.0f MB, verified", encoder, len(files), size)
        return encoder

    def _local(self, text: str) -> Path | None:
        path = self._path(text)
        return path if path.exists() else None

    def _path(self, text: str) -> Path:
        return self._project / os.path.expanduser(text)

    def _parse(self, text: str) -> Reference:
        reference = parse(text)
        if reference is None:
            raise EncoderError(
                f"no folder or file {self._path(text)}: name one that exists, an encoder of the "
                "hub such as bert-base-uncased, or null to train from scratch"
            )
        return reference

    def _place(self, repository: str) -> Path:
        return self.folder / repository.replace("/", "--")

    def _stored(self, reference: Reference) -> Encoder | None:
        """The encoder in the store; of several that a branch has meant, the newest."""
        records = {
            path.parent: json.loads(path.read_text(encoding="utf-8"))
            for path in self._place(reference.repository).glob(f"[!.]*/{RECORD}")
        }
        asked = reference.revision or "main"
        fitting = [
            folder
            for folder, record in records.items()
            if asked in (record["revision"], record["asked"])
        ]
        if not fitting:
            return None
        return self._encoder(reference, max(fitting, key=lambda folder: records[folder]["fetched"]))

    def _encoder(self, reference: Reference, folder: Path) -> Encoder:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        expected = {file["path"]: file["sha256"] for file in record["files"]}
        return Encoder(reference.name, folder, _shorten(self.folder), record["revision"], expected)

    def _is_sound(self, encoder: Encoder) -> bool:
        record = json.loads((encoder.path / RECORD).read_text(encoding="utf-8"))
        for file in record["files"]:
            path = encoder.path / file["path"]
            if not path.is_file() or digest_file(path) != file["sha256"]:
                logger.warning("%s: %s is missing or corrupted: fetched again", encoder, path.name)
                path.unlink(missing_ok=True)
                return False
        return True

    def _gather(self, listing: Listing, partial: Path) -> list[dict[str, Any]]:
        """Have all files of an encoder in a folder, each right; returns what they are."""
        partial.mkdir(parents=True, exist_ok=True)
        lacking = [file for file in listing.files if not file.is_at(partial / file.path)]
        needed = sum(file.size - _size(partial / f"{file.path}.part") for file in lacking)
        free = shutil.disk_usage(partial).free
        if needed > free:
            raise EncoderError(
                f"{listing.name} takes {needed / 1e6:,.0f} MB more, and {_shorten(self.folder)} "
                f"has {free / 1e6:,.0f} MB free: free some space, or write elsewhere with --params "
                "data=FOLDER"
            )
        for file in lacking:
            listing.download(file, partial)
        check_safetensors(partial / WEIGHTS)
        return [
            {
                "path": file.path,
                "bytes": file.size,
                "sha256": digest_file(partial / file.path),
            }
            for file in listing.files
        ]

    def _record(
        self, reference: Reference, commit: str, files: list[dict[str, Any]], folder: Path
    ) -> None:
        record = {
            "repository": reference.repository,
            "revision": commit,
            "asked": reference.revision or "main",
            "fetched": datetime.now(UTC).isoformat(timespec="seconds"),
            "files": files,
        }
        path = folder / RECORD
        with path.open("w", encoding="utf-8") as file:
            json.dump(record, file, indent=2)
            file.flush()
            os.fsync(file.fileno())


def find_encoder(store: EncoderStore, modality: str, name: str) -> Encoder:
    """The encoder that a model's parameters name for a modality, on this machine.

    Raises:
        EncoderError: If it is not here, or not one for that modality; the parameter is named.
    """
    try:
        encoder = store.find(name)
        (text_family if modality == "text" else image_family)(encoder.path)
    except EncoderError as error:
        raise type(error)(f"model.{modality}.encoder: {error}") from error
    return encoder


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0


def _shorten(path: Path) -> str:
    """A path as short as can be said from the current folder."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith(os.path.join("..", "..")) else relative

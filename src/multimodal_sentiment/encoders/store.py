"""Where pretrained encoders are kept, and how one is found by its name."""

from __future__ import annotations

import json
import logging
import os
import secrets
import shutil
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.files import replace_whole, short_path

from .encoder import Encoder, MissingEncoderError, find_in_cache, local_encoder
from .formats import CONFIG, WEIGHTS, check_kind, digest_file, weights_of
from .packages import INSTALL, convert, describe, locate, needs_conversion
from .references import EncoderError, Reference, parse

if TYPE_CHECKING:
    from .hub import Listing

logger = logging.getLogger(__name__)

RECORD = "encoder.json"


class EncoderStore:
    """Encoders in a folder, each whole: `<owner>--<name>/<commit>/` with a record written last.

    The store only grows, and an encoder in it never changes; so it has no versions.

    Args:
        folder: The folder of the store.
        project: The folder in which relative paths of local encoders start.
    """

    def __init__(self, folder: Path, project: Path) -> None:
        self.folder = folder
        self._project = project

    def find(self, text: str) -> Encoder:
        """Find an encoder that is on this machine; the network is never asked.

        Args:
            text: A folder or safetensors file; or a hub's `NAME` or `NAME@REVISION`, which is
                looked for here, then in the installed packages, then in the hub's own cache.

        Raises:
            MissingEncoderError: If it is not on this machine.
            EncoderError: If it is not whole, or not what was published.
        """
        if local := self._local(text):
            return local_encoder(text, local)
        reference = self._parse(text)
        found = self._stored(reference) or self._packaged(reference) or find_in_cache(reference)
        if found is None:
            raise MissingEncoderError(
                f"{text} is no folder or file in the project, and not in "
                f"{short_path(self.folder)}, an installed package or the hub's own cache"
            )
        weights_of(found.path)
        return found

    def fetch(self, text: str, endpoint: str | None = None) -> Encoder:
        """Fetch an encoder from a hub, unless it is already here.

        A broken-off fetch goes on where it stopped. Nothing stands in the store under its final
        name before size and checksum of every file are right. What a hub cannot give is taken from
        an installed package that has the same.

        Args:
            text: The same as in `find`.
            endpoint: URL of a mirror; none is what HF_ENDPOINT says, or the hub itself.

        Raises:
            EncoderError: If it cannot be had.
            OSError: If the disk is full, or not writable.
        """
        if local := self._local(text):
            logger.info("%s is local: nothing to fetch", local)
            return self.find(text)
        reference = self._parse(text)
        if stored := self._stored(reference):
            try:
                stored.identify()
            except EncoderError:
                logger.warning("%s: a file is missing or corrupted: fetched again", stored)
            else:
                logger.info("%s: already here, and as published", stored)
                return stored
        try:
            encoder = self._download(reference, endpoint)
        except EncoderError as error:
            packaged = self._packaged(reference)
            if packaged is None:
                also = f"; or {INSTALL}" if reference.package else ""
                raise type(error)(f"{error}{also}") from error
            packaged.identify()
            logger.info("%s", error)
            logger.info("%s is used instead, verified", packaged)
            return packaged
        logger.info("%s: verified", encoder)
        return encoder

    def _download(self, reference: Reference, endpoint: str | None) -> Encoder:
        from .hub import list_files

        listing = list_files(reference, endpoint)
        final = self._place(reference.repository) / listing.commit
        partial = final.with_name(f".{listing.commit}.partial")
        if final.is_dir():  # corrupted, or asked for by another name: what is sound of it is kept
            shutil.rmtree(partial, ignore_errors=True)
            final.rename(partial)
        self._gather(listing, partial)
        names = [file.path for file in listing.files]
        _record(partial, reference, names, revision=listing.commit, licence=listing.licence)
        partial.rename(final)
        return self._encoder(reference, final)

    def _packaged(self, reference: Reference) -> Encoder | None:
        """Return the encoder that an installed package has, converted once if need be."""
        package = reference.package
        if package is None or (folder := locate(package)) is None:
            return None
        name, source, licence = reference.name, describe(package), reference.licence
        if not needs_conversion(package):  # its files are those of the hub's commit
            return Encoder(name, folder, source, reference.revision, package.digests, licence)
        # Each process that converts has its own.
        final = self._place(reference.repository) / f"package-{secrets.token_hex(4)}"
        with replace_whole(final) as partial:
            partial.mkdir(parents=True)
            convert(name, package, folder, partial)
            _record(partial, reference, [CONFIG, WEIGHTS], licence=licence, source=source)
        return self._encoder(reference, final)

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
        """Return the encoder in the store; of several that a branch has meant, the newest."""
        asked = reference.revision or "main"
        fitting: dict[Path, str] = {}
        for path in self._place(reference.repository).glob(f"[!.]*/{RECORD}"):
            record = json.loads(path.read_text(encoding="utf-8"))
            names = _names_asked(record)
            if asked in (record["revision"], *names):
                fitting[path.parent] = names.get(asked, record["fetched"])
        if not fitting:
            return None
        return self._encoder(reference, max(fitting, key=lambda folder: fitting[folder]))

    def _encoder(self, reference: Reference, folder: Path) -> Encoder:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return Encoder(
            reference.name,
            folder,
            record.get("source") or short_path(self.folder),
            record["revision"],
            {file["path"]: file["sha256"] for file in record["files"]},
            record.get("licence"),
        )

    def _gather(self, listing: Listing, partial: Path) -> None:
        """Have all files of an encoder in a folder, each right."""
        partial.mkdir(parents=True, exist_ok=True)
        lacking = [file for file in listing.files if not file.is_at(partial / file.path)]
        needed = sum(file.size - _size(partial / f"{file.path}.part") for file in lacking)
        free = shutil.disk_usage(partial).free
        if needed > free:
            raise EncoderError(
                f"{listing.name} takes {needed / 1e6:,.0f} MB more, and {short_path(self.folder)} "
                f"has {free / 1e6:,.0f} MB free: free some space, or write elsewhere with --params "
                "data=FOLDER"
            )
        for file in lacking:
            listing.download(file, partial)
        weights_of(partial)


def _record(
    folder: Path,
    reference: Reference,
    names: Iterable[str],
    *,
    revision: str | None = None,
    licence: str | None = None,
    source: str | None = None,
) -> None:
    """Write down what an encoder is, and thereby that it is whole.

    A branch and a tag may mean the same commit: the names by which it was asked for before stay.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    former: dict[str, str] = {}
    with suppress(OSError, ValueError):  # there is none, or it was half written
        former = _names_asked(json.loads((folder / RECORD).read_text(encoding="utf-8")))
    record = {
        "repository": reference.repository,
        "revision": revision,
        "asked": former | {reference.revision or "main": now},
        "source": source,
        "licence": licence,
        "fetched": now,
        "files": [
            {"path": name, "bytes": _size(folder / name), "sha256": digest_file(folder / name)}
            for name in names
        ],
    }
    with (folder / RECORD).open("w", encoding="utf-8") as file:
        json.dump(record, file, indent=2)
        file.flush()
        os.fsync(file.fileno())


def _names_asked(record: dict[str, Any]) -> dict[str, str]:
    """Return the revisions by which an encoder was asked for, and when each was last."""
    asked = record["asked"]
    return dict(asked) if isinstance(asked, dict) else {asked: record["fetched"]}  # as 0.1 wrote it


def find_encoder(store: EncoderStore, modality: str, name: str) -> Encoder:
    """Find the encoder that a model's parameters name for a modality, on this machine.

    Raises:
        EncoderError: If it is not here, or not one for that modality; the parameter is named.
    """
    try:
        encoder = store.find(name)
        check_kind(encoder.path, modality)
    except EncoderError as error:
        raise type(error)(f"model.{modality}.encoder: {error}") from error
    return encoder


def _size(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0

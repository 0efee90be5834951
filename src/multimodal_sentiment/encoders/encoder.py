"""A pretrained encoder on this machine."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .formats import CONFIG, FILES, WEIGHTS, digest_file, weights_of
from .references import EncoderError, Reference


class MissingEncoderError(EncoderError):
    """An encoder is not on this machine yet."""


@dataclass(frozen=True)
class Encoder:
    """A pretrained encoder on this machine.

    Attributes:
        name: As the user named it.
        path: Its folder, or its safetensors file.
        source: Where it was found, in words.
        revision: The hub's commit, if it came from a hub.
        expected: The SHA-256 that its files must have, by name, as far as that is known.
    """

    name: str
    path: Path
    source: str
    revision: str | None = None
    expected: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        revision = f" {self.revision[:8]}" if self.revision else ""
        return f"{self.name}{revision} from {self.source}"

    def identify(self) -> dict[str, str | None]:
        """Name, source and revision; the SHA-256 of the weights, and of all that lies beside them.

        All files are read for it.

        Raises:
            EncoderError: If one is not what was fetched.
        """
        weights = weights_of(self.path)
        beside = [path for name in FILES if (path := self.path / name).is_file()]
        found = {path.name: digest_file(path) for path in {weights, *beside}}
        for name, sha256 in self.expected.items():
            if found.get(name) != sha256:
                raise EncoderError(
                    f"{self.name}: {name} in {self.path} is corrupted (its SHA-256 is not that of "
                    'the published one): run "kedro run --pipeline=encoders" with the same --env '
                    "to mend it"
                )
        sha256 = found.pop(weights.name)
        settings = "\n".join(f"{digest}  {name}" for name, digest in sorted(found.items()))
        return {
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "sha256": sha256,
            "settings_sha256": hashlib.sha256(settings.encode()).hexdigest() if found else None,
        }


def find_in_cache(reference: Reference) -> Encoder | None:
    """The encoder in the cache that the hub's library keeps, if it is there with its weights."""
    from huggingface_hub import try_to_load_from_cache

    for repository in dict.fromkeys((reference.repository, reference.name)):
        folders = []
        for name in (CONFIG, WEIGHTS):
            path = try_to_load_from_cache(repository, name, revision=reference.revision)
            folders.append(Path(path).parent if isinstance(path, str) else None)
        if folders[0] is not None and folders[0] == folders[1]:
            return Encoder(
                reference.name,
                folders[0],
                "the hub's own cache",
                folders[0].name,
                {WEIGHTS: reference.sha256} if reference.sha256 else {},
            )
    return None

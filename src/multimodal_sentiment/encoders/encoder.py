"""A pretrained encoder on this machine."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .contents import CONFIG, WEIGHTS, digest_file, weights_of
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
        expected: The SHA-256 that its weights must have, if that is known.
    """

    name: str
    path: Path
    source: str
    revision: str | None = None
    expected: str | None = None

    def __str__(self) -> str:
        revision = f" {self.revision[:8]}" if self.revision else ""
        return f"{self.name}{revision} from {self.source}"

    def identify(self) -> dict[str, str | None]:
        """Name, source, revision and SHA-256 of the weights, which are read for it.

        Raises:
            EncoderError: If they are not those that were fetched.
        """
        sha256 = digest_file(weights_of(self.path))
        if self.expected not in (None, sha256):
            raise EncoderError(
                f"{self.name}: the weights in {self.path} are corrupted (their SHA-256 is not that "
                'of the published ones): run "kedro run --pipeline=encoders" with the same --env '
                "to mend them"
            )
        return {
            "name": self.name,
            "source": self.source,
            "revision": self.revision,
            "sha256": sha256,
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
                reference.sha256,
            )
    return None

"""Which encoder a name means."""

from __future__ import annotations

import re
from dataclasses import dataclass

_REVISION = re.compile(r"[\w-][\w./-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


class EncoderError(ValueError):
    """An encoder cannot be had; the message says why and what to do, in one line."""


@dataclass(frozen=True)
class Reference:
    """An encoder on a hub.

    Attributes:
        name: As the user wrote it, without the revision.
        repository: The hub's name for it.
        revision: A commit, branch, tag or pull request (`refs/pr/1`); none means `main`.
        sha256: What the weights must have, where that is known beforehand.
    """

    name: str
    repository: str
    revision: str | None = None
    sha256: str | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}" if self.revision else self.name

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return is_commit(self.revision)


# Commits whose weights are safetensors. A hub or mirror that serves other weights under a name
# whose SHA-256 stands here is refused.
PUBLISHED = (
    Reference(
        "bert-base-uncased",
        "google-bert/bert-base-uncased",
        "86b5e0934494bd15c9632b12f734a8a67f723594",
        "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",
    ),
    # torchvision's ImageNet weights of 2015, under timm's name.
    Reference(
        "timm/resnet50.tv_in1k",
        "timm/resnet50.tv_in1k",
        "78f3ecfdb38e06d9b8397f662e7ab8fee96026fa",
        "5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888",
    ),
    # The hub's own conversion: this repository's main holds pickles only.
    Reference(
        "openai/clip-vit-base-patch32",
        "openai/clip-vit-base-patch32",
        "b33cedfd0df4e43b8238760678fcc89e1a0d38b3",
        "99d28a652e6ec46629ab7047a0ac82c69b1fe11e0ce672c43af65d3a9a3fc05d",
    ),
    Reference(
        "vinai/bertweet-base",
        "vinai/bertweet-base",
        "b349c1243407b0dcffeabb2337497477286e27ab",
    ),
)


def is_commit(revision: str | None) -> bool:
    """Whether a revision is the hash of a commit."""
    return revision is not None and _COMMIT.fullmatch(revision) is not None


def parse(text: str) -> Reference | None:
    """Read `NAME` or `NAME@REVISION`; none if it can be no hub's name.

    A name that is published above, and comes without a revision, is pinned.
    """
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    name, at, revision = text.partition("@")
    try:
        validate_repo_id(name)
    except HFValidationError:
        return None
    if at and not _REVISION.fullmatch(revision):
        return None
    for known in PUBLISHED:
        if name in (known.name, known.repository):
            if revision in ("", known.revision):
                return Reference(name, known.repository, known.revision, known.sha256)
            return Reference(name, known.repository, revision)
    return Reference(name, name, revision or None)

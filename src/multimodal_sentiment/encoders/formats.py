"""What an encoder's folder holds, as far as can be said without loading its weights."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from .references import EncoderError

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZERS = ("tokenizer.json", "vocab.txt", "vocab.json", "sentencepiece.bpe.model")

# All that is ever fetched, where a repository has it. No pickle is among them.
FILES = (
    CONFIG,
    "preprocessor_config.json",
    *TOKENIZERS,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "bpe.codes",
    WEIGHTS,
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".pkl")

LARGEST_CONFIG = 2**20  # bytes; it is read whole, and takes a few thousand
_LAYERS = ("num_hidden_layers", "n_layers")

TEXT_FAMILIES = ("bert", "roberta", "distilbert", "xlm-roberta")
RESNETS = ("resnet18", "resnet34", "resnet50", "resnet101", "resnet152")
CLIPS = ("clip", "clip_vision_model")


def weights_of(path: Path) -> Path:
    """The safetensors file of an encoder's folder; a file stands for itself.

    Raises:
        EncoderError: If there is none, or it is not whole.
    """
    if path.is_file():
        if path.suffix != ".safetensors":
            raise EncoderError(
                f"{path} is no safetensors file: pickles are never loaded: convert it, or name "
                "weights that are published as safetensors"
            )
        weights = path
    else:
        weights = path / WEIGHTS
        if not weights.is_file():
            raise EncoderError(without_weights(str(path), [file.name for file in path.iterdir()]))
    check_safetensors(weights)
    return weights


def without_weights(place: str, names: list[str]) -> str:
    """Say what a place without `model.safetensors` has instead, and what to do."""
    parts = [name for name in names if name.endswith(".safetensors")]
    pickles = [name for name in names if name.endswith(PICKLES)]
    if parts:
        return f"{place} has no {WEIGHTS} but {parts[0]}: name a file, or save it unsharded"
    if pickles:
        return (
            f"{place} has only pickles ({pickles[0]}), which are never loaded: name a revision "
            "with safetensors, often a pull request as in NAME@refs/pr/1, or another encoder"
        )
    return f"{place} has no {WEIGHTS}: name the folder of a transformers or timm encoder"


def check_safetensors(path: Path) -> None:
    """Refuse a file that is truncated or something else, by its header.

    Raises:
        EncoderError: If it is.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            file.keys()
    except (SafetensorError, OSError) as error:
        with path.open("rb") as opened:
            pointer = opened.read(40).startswith(b"version https://git-lfs")
        what = "a Git LFS pointer" if pointer else f"truncated, or no safetensors ({error})"
        raise EncoderError(f"{path} is {what}: copy or fetch the file again") from error


def read_config(path: Path) -> dict[str, Any]:
    """The configuration in an encoder's folder; empty for a file of weights.

    Raises:
        EncoderError: If the folder has none, or it is broken.
    """
    if path.is_file():
        return {}
    file = path / CONFIG
    if file.is_file() and (size := file.stat().st_size) > LARGEST_CONFIG:
        raise EncoderError(f"{file} is too large: {size / 1e6:.0f} MB: fetch it again")
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise EncoderError(
            f"{path} has no {CONFIG}: name the folder of a transformers or timm encoder"
        ) from None
    except (ValueError, RecursionError) as error:
        raise EncoderError(f"{file} is broken ({error}): fetch it again") from error
    return dict(config) if isinstance(config, dict) else {}


def most_layers(config: Any) -> int:
    """The most layers that a configuration, or one within it, claims.

    transformers builds as many before it looks at the weights.
    """
    if not isinstance(config, dict):
        return 0
    own: list[int] = [config[key] for key in _LAYERS if isinstance(config.get(key), int)]
    return max([0, *own, *map(most_layers, config.values())])


def text_family(path: Path) -> str:
    """The family of a text encoder: one of `TEXT_FAMILIES`.

    Raises:
        EncoderError: If it is of another, or has no tokenizer.
    """
    if path.is_file():
        raise EncoderError(f"{path} is a file: name the folder, with config.json and tokenizer")
    family = read_config(path).get("model_type")
    if family not in TEXT_FAMILIES:
        raise EncoderError(
            f"{path} holds {_named(family)}: as text encoder choose one of "
            f"{', '.join(TEXT_FAMILIES)}"
        )
    if not any((path / name).is_file() for name in TOKENIZERS):
        raise EncoderError(
            f"{path} has no tokenizer: put the encoder's own there, one of {', '.join(TOKENIZERS)}"
        )
    return str(family)


def image_family(path: Path) -> str | None:
    """The family of an image encoder: one of `RESNETS`, or `clip`; none for a file of weights.

    Raises:
        EncoderError: If it is of another.
    """
    if path.is_file():
        return None
    config = read_config(path)
    if config.get("model_type") in CLIPS:
        return "clip"
    family = config.get("architecture")
    if family not in RESNETS:
        raise EncoderError(
            f"{path} holds {_named(config.get('model_type') or family)}: as image encoder choose a "
            f"CLIP, or one of {', '.join(RESNETS)} under timm's names, such as "
            "timm/resnet50.tv_in1k"
        )
    return str(family)


def digest_file(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named(family: object) -> str:
    return f"a {family}" if family else "something that its config.json does not name"

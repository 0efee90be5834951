"""What an encoder's folder holds, as far as can be said without loading its weights."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .references import EncoderError

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
INDEX = "model.safetensors.index.json"  # of weights in several files
POOLING = "1_Pooling/config.json"  # how sentence-transformers pools
TOKENIZERS = (
    "tokenizer.json",
    "vocab.txt",
    "vocab.json",
    "spm.model",
    "spiece.model",
    "sentencepiece.bpe.model",
)

# All that is ever fetched beside the weights, where a repository has it. No pickle is among them.
FILES = (
    CONFIG,
    "preprocessor_config.json",
    "processor_config.json",
    *TOKENIZERS,
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "merges.txt",
    "bpe.codes",
    POOLING,
)
PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack", ".pkl")

LARGEST_CONFIG = 2**20  # bytes; it is read whole, and takes a few thousand
_SHARD = re.compile(r"model-\d{5}-of-\d{5}\.safetensors")

# Keys by which the families' configurations say how often something is repeated, such as
# num_hidden_layers, depths, block_sizes, num_block_repeats, depth_coefficient, inner_group_num.
_REPEATED = re.compile(r"layer|depth|block|repeat|group|stage|stack")


def files_of(names: Iterable[str]) -> list[str]:
    """Return the files that make an encoder, its weights last; none where there are no weights."""
    given = set(names)
    shards = sorted(name for name in given if _SHARD.fullmatch(name)) if INDEX in given else []
    weights = [WEIGHTS] if WEIGHTS in given else [INDEX, *shards] if shards else []
    return [*(name for name in FILES if name in given), *weights] if weights else []


def weights_of(path: Path) -> list[Path]:
    """Return the safetensors files of an encoder's folder; a file stands for itself.

    Raises:
        EncoderError: If there are none, or they are not whole.
    """
    if path.is_file():
        if path.suffix != ".safetensors":
            raise EncoderError(
                f"{path} is no safetensors file: pickles are never loaded: convert it, or name "
                "weights that are published as safetensors"
            )
        weights = [path]
    elif (path / WEIGHTS).is_file() or not (path / INDEX).is_file():
        weights = [path / WEIGHTS]
        if not weights[0].is_file():
            raise EncoderError(without_weights(str(path), [file.name for file in path.iterdir()]))
    else:
        weights = [path / name for name in _shards(path)]
    for file in weights:
        check_safetensors(file)
    return weights


def _shards(path: Path) -> list[str]:
    """Return the names of the files that an index lists, each of which is there."""
    placed = read_json(path / INDEX).get("weight_map")
    named = set(placed.values()) if isinstance(placed, dict) else set()
    names = sorted(name for name in named if isinstance(name, str))
    for name in names:
        if not _SHARD.fullmatch(name):
            raise EncoderError(f"{path / INDEX} names {name!r}: fetch or copy it again")
        if not (path / name).is_file():
            raise EncoderError(f"{path} has no {name}, which {INDEX} lists: fetch or copy it again")
    if not names or len(names) < len(named):
        raise EncoderError(f"{path / INDEX} lists no files of weights: fetch or copy it again")
    return names


def without_weights(place: str, names: list[str]) -> str:
    """Say what a place without weights that could be read has instead, and what to do."""
    parts = [name for name in names if name.endswith(".safetensors")]
    pickles = [name for name in names if name.endswith(PICKLES)]
    if parts:
        return f"{place} has no {WEIGHTS} but {parts[0]}: name that file, or give it that name"
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
    """Return the configuration in an encoder's folder; empty for a file of weights.

    Raises:
        EncoderError: If the folder has none, or it is broken.
    """
    if path.is_file():
        return {}
    if not (path / CONFIG).exists():
        raise EncoderError(
            f"{path} has no {CONFIG}: name the folder of a transformers or timm encoder"
        )
    return read_json(path / CONFIG)


def read_json(file: Path) -> dict[str, Any]:
    """Return a small JSON object; empty if it is something else.

    Raises:
        EncoderError: If it is large or broken.
    """
    if file.is_file() and file.stat().st_size > LARGEST_CONFIG:
        size = file.stat().st_size
        raise EncoderError(f"{file} is too large: {size / 1e6:.0f} MB: fetch it again")
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise EncoderError(f"{file} is broken ({error}): fetch or copy it again") from error
    return dict(content) if isinstance(content, dict) else {}


def most_layers(config: Any) -> float:
    """Return the most layers, blocks or the like that a configuration, or one within it, claims.

    transformers and timm build as many before they look at the weights.
    """
    if isinstance(config, list | tuple):
        return max([0, *map(most_layers, config)])
    if not isinstance(config, dict):
        return 0
    claimed = [_largest(value) for key, value in config.items() if _REPEATED.search(str(key))]
    return max([0, *claimed, *map(most_layers, config.values())])


def _largest(value: Any) -> float:
    """Return the largest number in a value that may be one, or a list of such."""
    if isinstance(value, list | tuple):
        return max([0, *map(_largest, value)])
    return value if isinstance(value, int | float) else 0


def check_kind(path: Path, modality: str) -> None:
    """Refuse what can be no encoder of a modality, as far as its files say.

    Raises:
        EncoderError: If its configuration names no family, or a text encoder has no tokenizer.
    """
    if path.is_file():
        if modality == "text":
            raise EncoderError(f"{path} is a file: name the folder, with config.json and tokenizer")
        return
    config = read_config(path)
    if not isinstance(config.get("model_type") or config.get("architecture"), str):
        raise EncoderError(
            f"{path} holds something that its {CONFIG} does not name: name the folder of a "
            "transformers or timm encoder"
        )
    if modality == "text" and not any((path / name).is_file() for name in TOKENIZERS):
        raise EncoderError(
            f"{path} has no tokenizer: put the encoder's own there, one of {', '.join(TOKENIZERS)}"
        )


def digest_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()

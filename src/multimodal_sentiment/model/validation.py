"""Checks a model folder before anything in it is used.

The folder may come from anywhere. transformers fills in what it lacks, a missing weight with random
numbers and a missing vocabulary with an empty one, and ignores what it does not know; the
predictions of such a model would look like any others.
"""

from __future__ import annotations

import inspect
import json
import logging
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator, BaseModel, Field, FiniteFloat, ValidationError
from safetensors import SafetensorError, safe_open
from transformers import AutoTokenizer, PreTrainedConfig, PreTrainedTokenizerBase

from multimodal_sentiment.parameters.kinds import Count, NotNegative, Probability, Tokens

from .configuration import SentimentConfig
from .modeling import SentimentModel
from .networks import defining_part, encoder_config, first_line
from .pretrained import check_layers, list_odd
from .remote_code import KEYS, check_code

logger = logging.getLogger(__name__)

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer_config.json"
LARGEST = 64 * 2**20  # bytes of a file that is read whole; a vocabulary of all languages takes 20
LARGEST_SIDE = 2048  # px, also of what follows an encoder rather than the parameters
READ_WHOLE = {".json", ".txt", ".model", ".jinja"}

_TRANSFORMERS = {"architectures", "dtype", "torch_dtype", "use_cache"}
_SINCE_0_1 = {"counted_terms", "word_form"}
_SavedSide = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
_OTHER = "it was trained by another version of this project"


def _differing(labels: dict[int, str]) -> dict[int, str]:
    if len({*labels.values()}) < len(labels):
        raise ValueError("labels must differ")
    return labels


class _SavedImage(BaseModel):
    """The part of a saved configuration that is about images."""

    architecture: str = Field(pattern=r"^[\w-]+(\.[\w-]+)?$")
    vision: dict[str, Any] | None = None
    pooling: Literal["pooler", "cls", "mean"] = "pooler"
    interpolation: Literal["nearest", "lanczos", "bilinear", "bicubic", "box", "hamming"] = (
        "bilinear"
    )
    size: _SavedSide
    resize: _SavedSide
    mean: list[FiniteFloat] = Field(min_length=3, max_length=3)
    std: list[Annotated[FiniteFloat, Field(gt=0)]] = Field(min_length=3, max_length=3)


class _Saved(BaseModel):
    """The keys that a configuration file must hold to describe the saved model."""

    model_type: Literal["multimodal_sentiment"]
    modality: Literal["text", "image", "both"]
    pooling: Literal["cls", "mean"]
    text_config: dict[str, Any] | None
    image_config: _SavedImage | None
    max_tokens: Tokens
    fusion: Literal["concat", "gated", "late", "pool"]
    visible_scores: bool
    hidden_size: Count
    dropout: Probability
    modality_dropout: Probability
    auxiliary_weight: NotNegative
    label_smoothing: Probability
    counted_terms: Annotated[int, Field(ge=0)] = 0
    word_form: Literal["NFKC"] | None = None
    calibration_temperature: FiniteFloat = Field(gt=0)
    id2label: Annotated[dict[int, str], Field(min_length=2), AfterValidator(_differing)]


def check_sizes(folder: Path) -> None:
    """Check that no file is so large that reading it would fill the memory.

    Raises:
        ValueError: If a file that transformers or tokenizers would read whole is too large.
    """
    for path in sorted(folder.iterdir()):
        size = path.stat().st_size if path.suffix in READ_WHOLE and path.is_file() else 0
        if size > LARGEST:
            raise ValueError(f"{path.name} is too large: {size / 1e6:.0f} MB")


def load_config(folder: Path) -> SentimentConfig:
    """Load and check the configuration of a saved model.

    Raises:
        ValueError: If a file of the folder is too large to be read, or the configuration is not one
            that this version of the project wrote.
    """
    check_sizes(folder)
    content = read_json(folder / CONFIG)
    check_code(folder, content)
    content = {key: value for key, value in content.items() if key not in KEYS}
    own = {*inspect.signature(SentimentConfig.__init__).parameters} - {"self", "kwargs"}
    if lacking := own - content.keys() - _SINCE_0_1:
        raise ValueError(f"{CONFIG} lacks {', '.join(sorted(lacking))}: {_OTHER}")
    # transformers adds keys of its own, others in each release: no reason to refuse a model.
    if unknown := content.keys() - own - PreTrainedConfig().to_dict().keys() - _TRANSFORMERS:
        names = ", ".join(sorted(unknown))
        logger.warning("%s also holds %s, which is not used: perhaps %s", CONFIG, names, _OTHER)
    try:
        _Saved.model_validate(content | {"image_config": content["image_config"] or None})
    except ValidationError as error:
        fault, *_ = error.errors()
        name = ".".join(map(str, fault["loc"]))
        raise ValueError(f"{CONFIG} holds a wrong {name}: {fault['msg']}") from error
    content = {key: value for key, value in content.items() if key not in unknown}
    # What stands beside what defines an encoder can have transformers fetch kernels to run.
    check_layers([content["text_config"], content["image_config"]], len(_shapes(folder)))
    try:
        if text := content["text_config"]:
            content["text_config"] = encoder_config(text, "text").to_dict()
        if vision := (content["image_config"] or {}).get("vision"):
            encoder_config(vision, "image")
            content["image_config"] |= {"vision": defining_part(vision, "image")}
    except ValueError as error:
        raise ValueError(f"{CONFIG} holds a {first_line(error)}") from error
    return SentimentConfig.from_dict(content)


def check_weights(folder: Path, config: SentimentConfig) -> None:
    """Check the names and shapes of saved weights against the model that they are for.

    Raises:
        ValueError: If the file is broken or cut short, or a weight is missing, of another shape, or
            not one of the model's.
    """
    given = _shapes(folder)
    with torch.device("meta"):  # takes no memory, whatever the configuration claims
        model = SentimentModel(config)
    if config.uses_text and config.max_tokens > (longest := model.branches["text"].encoder.longest):
        raise ValueError(
            f"{CONFIG} holds a wrong max_tokens: the text encoder reads at most {longest}"
        )
    state = model.state_dict(keep_vars=True)
    shared = {id(tensor) for name, tensor in state.items() if name in given}  # saved once
    wanted = {
        name: tuple(tensor.shape)
        for name, tensor in state.items()
        if name in given or id(tensor) not in shared
    }
    if odd := [name for name in wanted | given if wanted.get(name) != given.get(name)]:
        raise ValueError(f"{WEIGHTS} does not fit {CONFIG}: {list_odd(odd)}")


def _shapes(folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of each weight, by name."""
    try:
        with safe_open(folder / WEIGHTS, framework="pt") as file:
            return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    except (SafetensorError, OSError) as error:
        raise ValueError(f"{WEIGHTS} is broken or cut short: {error}") from error


def read_tokenizer(folder: Path, config: SentimentConfig) -> PreTrainedTokenizerBase:
    """Load a tokenizer, and check it against the text encoder that it feeds.

    Raises:
        ValueError: If it is broken, or has no vocabulary, or a larger one than the encoder.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except MemoryError:
        raise
    except Exception as error:  # nearly any, from Python and from Rust
        raise ValueError(f"the tokenizer is broken: {error}") from error
    names = {TOKENIZER: TOKENIZER} if not (folder / TOKENIZER).is_file() else {}
    vocabularies = tokenizer.vocab_files_names.values()
    if vocabularies and not any((folder / name).is_file() for name in vocabularies):
        names |= dict.fromkeys(vocabularies, " or ".join(sorted(vocabularies)))
    if names:
        raise ValueError(f"the tokenizer's {', '.join(dict.fromkeys(names.values()))} is missing")
    if len(tokenizer) > config.text_config.vocab_size:
        raise ValueError(
            f"the tokenizer has {len(tokenizer)} pieces, the text encoder "
            f"{config.text_config.vocab_size}: they do not belong together"
        )
    warn_of_lost_emoji(tokenizer)
    return tokenizer


def warn_of_lost_emoji(tokenizer: PreTrainedTokenizerBase) -> None:
    """Warn of a tokenizer that reads emoji as words, as BERTweet's does, but lacks the library."""
    if getattr(tokenizer, "demojizer", True) is None:
        _log_lost_emoji(type(tokenizer).__name__)


@cache  # a comparison or a search loads a tokenizer for each training
def _log_lost_emoji(tokenizer: str) -> None:
    logger.warning(
        "%s reads emoji by the library emoji, which is not installed: they are lost: pip install "
        "emoji",
        tokenizer,
    )


def read_terms(path: Path, config: SentimentConfig) -> list[str]:
    """Load the words that a model counts.

    Raises:
        ValueError: If their number is not that of the model's weights, or a word is repeated.
    """
    try:
        terms = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ValueError(f"{path.name} is missing: the model counts words") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(terms, list) or not all(isinstance(term, str) for term in terms):
        raise ValueError(f"{path.name} is no list of words")
    if len(set(terms)) != len(terms) or len(terms) != config.counted_terms:
        raise ValueError(
            f"{path.name} holds {len(set(terms))} different words, {CONFIG} says "
            f"{config.counted_terms}: they do not belong together"
        )
    return terms


def read_learnt(path: Path) -> NDArray[np.uint64] | None:
    """Load the keys of the posts that a model has learnt from; None if the file is missing.

    Raises:
        ValueError: If the file does not hold such keys.
    """
    if not path.is_file():
        return None
    try:
        keys = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError) as error:
        raise ValueError(f"{path.name} is broken or cut short: {error}") from error
    if not isinstance(keys, np.ndarray) or keys.dtype != np.uint64 or keys.ndim != 1:
        raise ValueError(f"{path.name} is no list of keys")
    return keys


def read_json(path: Path) -> dict[str, Any]:
    """Load a JSON object.

    Raises:
        ValueError: If the file does not hold one.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path.name} is no JSON: {error}") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path.name} is no JSON object")
    return content

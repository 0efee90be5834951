"""A trained model with all that it needs to be used, in one folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from transformers import PreTrainedTokenizerBase

from multimodal_sentiment.monitoring import (
    SUMMARY_FILES,
    ValidationSummary,
    read_summary,
    write_summary,
)
from multimodal_sentiment.reporting import model_card

from .configuration import SentimentConfig
from .modeling import SentimentModel
from .remote_code import write_code
from .validation import (
    CONFIG,
    check_weights,
    load_config,
    read_json,
    read_learnt,
    read_terms,
    read_tokenizer,
)
from .words import Vocabulary

_PROFILE = "encoding_profile.json"
_CARD = "README.md"
_TERMS = "terms.json"
_LEARNT = "learnt_posts.npy"
OPTIONAL_FILES = (_TERMS, _LEARNT, *SUMMARY_FILES)  # that not every model has


@dataclass(frozen=True)
class SentimentClassifier:
    """A model, its tokenizer, and what it knows of its posts.

    Attributes:
        model: The model; its configuration names the labels.
        tokenizer: The text encoder's tokenizer; None for a model of images.
        encoding_profile: The share of each encoding in the training posts' source.
        version: The version of the folder it was loaded from, if the catalog gave it one.
        terms: The words and pairs of words that the model counts, in the order of its weights.
        learnt_keys: The sorted keys of the posts that it has learnt from and of their near
            duplicates, from `posts.content_keys`; None if they are not known.
        validation: The summary that new posts are compared with; None where it was not kept.
    """

    model: SentimentModel
    tokenizer: PreTrainedTokenizerBase | None
    encoding_profile: dict[str, Any]
    version: str | None = None
    terms: Sequence[str] = ()
    learnt_keys: NDArray[np.uint64] | None = None
    validation: ValidationSummary | None = None

    @cached_property
    def term_indices(self) -> Vocabulary:
        """The index of each word and pair of words that the model counts."""
        return Vocabulary(self.terms, self.config.word_form)

    @property
    def config(self) -> SentimentConfig:
        """The model's configuration."""
        return self.model.config

    @property
    def labels(self) -> Sequence[str]:
        """The labels, in the order of the logits."""
        return self.config.labels

    @property
    def num_parameters(self) -> int:
        """The number of the model's parameters."""
        return sum(weight.numel() for weight in self.model.parameters())

    def save_pretrained(self, folder: Path) -> None:
        """Write configuration, weights (safetensors), tokenizer, encoding profile and card."""
        # Under the names that the modules have, which `check_weights` compares: not those that some
        # families' weights had when they were first published.
        self.model.save_pretrained(folder, save_original_format=False)
        write_code(folder, CONFIG)
        if self.tokenizer is not None:
            if self.terms:  # also here: transformers' pipeline fetches no file by a name of our own
                self.tokenizer.init_kwargs["counted_terms"] = list(self.terms)
            self.tokenizer.save_pretrained(folder)
        profile = json.dumps(self.encoding_profile, indent=2, ensure_ascii=False)
        (folder / _PROFILE).write_text(profile, encoding="utf-8")
        if self.terms:
            terms = json.dumps(list(self.terms), ensure_ascii=False, indent=0)
            (folder / _TERMS).write_text(terms, encoding="utf-8")
        if self.learnt_keys is not None:
            np.save(folder / _LEARNT, self.learnt_keys, allow_pickle=False)
        if self.validation is not None:
            write_summary(self.validation, folder)
        card = model_card(self.config.to_dict(), self.num_parameters)
        (folder / _CARD).write_text(card, encoding="utf-8", newline="\n")

    @classmethod
    def load(cls, folder: Path, version: str | None = None) -> SentimentClassifier:
        """Load what `save_pretrained` wrote, without unpickling or running anything in the folder.

        Raises:
            ValueError: If the folder is not what this version of the project writes.
        """
        config = load_config(folder)
        check_weights(folder, config)
        profile = read_json(folder / _PROFILE)
        model = SentimentModel.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
        )
        tokenizer = None
        if model.config.uses_text:
            tokenizer = read_tokenizer(folder, config)
        terms = read_terms(folder / _TERMS, config) if config.counted_terms else ()
        learnt = read_learnt(folder / _LEARNT)
        sizes = {name: branch.size for name, branch in model.branches.items()}
        validation = read_summary(folder, sizes)
        return cls(model, tokenizer, profile, version, terms, learnt, validation)

"""Tokenizers that lose emoji, of pretrained encoders and of saved models."""

from __future__ import annotations

import logging
from functools import cache

from transformers import PreTrainedTokenizerBase

logger = logging.getLogger(__name__)


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

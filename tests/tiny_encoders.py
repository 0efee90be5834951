"""Tiny pretrained encoders of random weights, saved as hubs publish them."""

from __future__ import annotations

from pathlib import Path
from string import ascii_lowercase
from typing import Any

import torch
from transformers import BertConfig, BertForMaskedLM, BertTokenizerFast

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
LETTERS = [*ascii_lowercase, *(f"##{letter}" for letter in ascii_lowercase)]
SIZES = {
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 32,
}


def save_bert(folder: Path, pieces: list[str] = LETTERS, **changes: Any) -> None:
    """Save a BERT with its tokenizer, which knows the given words and parts of words."""
    torch.manual_seed(0)
    vocabulary = {piece: index for index, piece in enumerate([*SPECIAL, *pieces])}
    config = BertConfig(**{"vocab_size": len(vocabulary)} | SIZES | changes)
    BertForMaskedLM(config).save_pretrained(folder)
    BertTokenizerFast(vocab=vocabulary).save_pretrained(folder)

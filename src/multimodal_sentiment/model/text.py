"""Texts: cleaned, cut into tokens, and encoded, one feature vector a text."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal

import torch
from torch import nn
from transformers import (
    BertTokenizerFast,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from .networks import build_network

_URL = re.compile(r"https?://\S+|www\.\S+", re.IGNORECASE)
_USER = re.compile(r"(?<!\w)@\w+")


class TextEncoder(nn.Module):
    """A transformers encoder of texts, and a pooling of its last layer.

    Args:
        config: The encoder's configuration.
        pooling: `cls` for the first token's feature, `mean` for the mean over tokens.
        network: The network with its weights; None builds one with random weights.
        torch_attention: Whether the attention of a given network is torch's own.
    """

    def __init__(
        self,
        config: PreTrainedConfig,
        pooling: Literal["cls", "mean"],
        network: PreTrainedModel | None = None,
        torch_attention: bool = True,
    ) -> None:
        super().__init__()
        if network is None:
            network, torch_attention = build_network(config)
        if getattr(network, "pooler", None) is not None:
            # It was pretrained for pairs of sentences, and is not what we pool with. (Not None:
            # some families call it whatever it is.)
            network.pooler = nn.Identity()
        self.encoder = network
        self.pooling = pooling
        self.output_size: int = config.hidden_size
        # A family with attention of its own, or with layers that see their neighbourhood only,
        # makes its masks by itself.
        local = any("sliding" in kind for kind in getattr(config, "layer_types", None) or ())
        self._whole_mask = torch_attention and not local

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the features of a batch of texts.

        Args:
            input_ids: The token ids, of shape (batch, tokens).
            attention_mask: The mask, of shape (batch, tokens), 0 for padding.

        Returns:
            The features, of shape (batch, hidden).
        """
        hidden = self.last_layer(input_ids, attention_mask)
        if self.pooling == "cls":
            return hidden[:, 0]
        if self.pooling != "mean":
            raise ValueError(f"unknown pooling {self.pooling!r}")
        weights = attention_mask.unsqueeze(-1).to(hidden.dtype)  # (batch, tokens, 1)
        return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)

    def last_layer(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return the last layer's feature of each token, of shape (batch, tokens, hidden)."""
        mask = attention_mask
        if self._whole_mask:
            # Given its final shape, the mask is not read to see whether anything is padding at
            # all: a GPU would have to be waited for.
            mask = attention_mask[:, None, None, :].bool()  # (batch, heads, queries, tokens)
        hidden: torch.Tensor = self.encoder(input_ids=input_ids, attention_mask=mask)[0]
        return hidden

    @property
    def longest(self) -> int:
        """How many tokens it can read."""
        positions = getattr(self.encoder.config, "max_position_embeddings", None) or sys.maxsize
        # RoBERTa's kin number positions from the one after their padding token.
        offsets = [
            module.padding_idx + 1
            for name, module in self.encoder.named_modules()
            if isinstance(module, nn.Embedding) and module.padding_idx is not None
            if name.endswith("position_embeddings")
        ]
        return int(positions) - max(offsets, default=0)


def clean_text(text: str) -> str:
    """Return the text with each link as `http` and each mentioned user as `@user`.

    The link or user itself says little and would be cut into many pieces; that there is one may
    matter. Encoders trained on tweets expect the same two words.
    """
    return _USER.sub("@user", _URL.sub("http", text))


def tokenize(
    tokenizer: PreTrainedTokenizerBase, texts: Sequence[str], max_tokens: int
) -> list[list[int]]:
    """Return the token ids of each text, at most `max_tokens`, special tokens included."""
    if not texts:
        return []
    cleaned = [clean_text(text) for text in texts]
    encoded = tokenizer(
        cleaned, truncation=True, max_length=max_tokens, return_attention_mask=False
    )
    ids: list[list[int]] = encoded["input_ids"]
    return ids


def learn_tokenizer(texts: Iterable[str], vocabulary_size: int) -> PreTrainedTokenizerBase:
    """Return a BERT tokenizer whose word pieces are the commonest words and letters of some texts.

    Any other word is cut into the longest of these pieces, down to single letters. (The tokenizers
    library also learns pieces between words and letters, but different ones each time: equal seeds
    would no longer give equal models.)
    """
    blank = BertTokenizerFast().backend_tokenizer
    words: Counter[str] = Counter()
    for text in texts:
        said = blank.normalizer.normalize_str(clean_text(text))
        words.update(word for word, _ in blank.pre_tokenizer.pre_tokenize_str(said))
    letters: Counter[str] = Counter()
    for word, count in words.items():
        for position, letter in enumerate(word):
            letters[letter if position == 0 else f"##{letter}"] += count
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    # At most half are letters: a source with many Chinese characters has words as well.
    room = vocabulary_size - len(special)
    pieces = _commonest(letters, room // 2)
    pieces += [word for word in _commonest(words, room) if word not in letters]
    vocabulary = {piece: index for index, piece in enumerate((special + pieces)[:vocabulary_size])}
    return BertTokenizerFast(vocab=vocabulary)


def _commonest(counts: Counter[str], most: int) -> list[str]:
    return sorted(counts, key=lambda piece: (-counts[piece], piece))[:most]

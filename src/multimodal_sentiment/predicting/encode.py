"""Encodes posts with frozen encoders: once, for every training that needs their features."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from multimodal_sentiment.batches import Batch
from multimodal_sentiment.cluster import MappedTable, compute_rows
from multimodal_sentiment.compute.device import choose_worker_device
from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComputeParameters,
    ModelParameters,
    TrainingParameters,
)

from .feature_table import (
    assemble,
    column_name,
    content_digests,
    frozen_modalities,
    take_vectors,
)
from .predict import posts_of, predict_batches

logger = logging.getLogger(__name__)


def encode_examples(
    examples: pa.Table,
    variants: Sequence[tuple[ModelParameters, TrainingParameters]],
    encoders: EncoderStore,
    compute: ComputeParameters,
    earlier: Sequence[pa.Table] = (),
    keep: Callable[[pa.Table], None] = lambda _: None,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> pa.Table:
    """Return the features of all posts under every frozen encoder of some models.

    Images are read as in prediction, without variation.

    Args:
        examples: The posts.
        variants: The models, and how each is fitted.
        encoders: The store of pretrained encoders.
        compute: The device and precision.
        earlier: Features from before; those of the same texts and images under the same encoders
            are not computed again. Of two tables that hold some, the first one's are taken.
        keep: Called with all features that there are, after each encoder that computed some.
        cluster: The workers that encode.
    """
    columns: dict[str, pa.Array] = {"guid": examples["guid"].combine_chunks()}
    texts, images = content_digests(
        earlier[0] if earlier else None, examples, np.arange(len(examples))
    )
    digests = {"text": texts, "image": images}
    columns |= {f"{name}_digest": pa.array(values) for name, values in digests.items()}
    device = ""
    if any(frozen_modalities(*variant) for variant in variants):
        chosen = choose_worker_device(compute, cluster)
        device, compute = str(chosen), chosen.ask_for(compute)
    for model, training in variants:
        for modality in frozen_modalities(model, training):
            name = column_name(modality, model, encoders, device)
            if name in columns:
                continue
            began = time.monotonic()
            # In this very process, a post that kills its worker would end the run.
            lacks = _lacks(examples, modality) if cluster.workers else None
            values, known = _known_features(earlier, name, digests[modality], lacks)
            new = np.flatnonzero(~known)
            # Equal content is encoded once: in another batch its last digits would differ.
            which, _ = pd.factorize(np.array(digests[modality], dtype=object)[new])
            firsts = new[np.unique(which, return_index=True)[1]]
            if values is None or len(new):
                computed = _encode(examples, firsts, modality, model, encoders, compute, cluster)
                if values is None:
                    values = np.empty((len(examples), computed.shape[1]), dtype=np.float32)
                values[new] = computed[which]
            columns[name] = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
            logger.info(
                "%s features of %s posts under the frozen encoder %s %s on %s: %s computed in "
                "%.1f s%s",
                modality.capitalize(),
                f"{len(examples):,}",
                find_encoder(encoders, modality, model.encoders[modality]),
                _setting(modality, model),
                device,
                f"{len(firsts):,}",
                time.monotonic() - began,
                _not_computed(len(known) - len(new), len(new) - len(firsts)),
            )
            if len(new):
                keep(assemble(columns, examples, earlier, device))
    return assemble(columns, examples, earlier, device)


def _setting(modality: str, model: ModelParameters) -> str:
    """Return in words how an encoder is used: a search may try it in several ways."""
    if modality == "text":
        tokens, pooling = model.text.max_tokens, model.text.pooling
        return f"at {tokens} tokens" + ("" if pooling == "auto" else f" with {pooling} pooling")
    size, resize = model.image.size, model.image.resize
    cut_from = f" of {resize} px" if resize and resize != size else ""
    return (f"at {size} px" if size else "at its own size") + cut_from


def _not_computed(known: int, equal: int) -> str:
    """Return in words why features of some posts were not computed."""
    reasons = {"known from before": known, "equal to others or missing": equal}
    words = [f"{count:,} {reason}" for reason, count in reasons.items() if count]
    return f" ({', '.join(words)})" if words else ""


def _lacks(examples: pa.Table, modality: str) -> np.ndarray:
    """Return which posts have no text, or no image."""
    if modality == "image":
        return examples["image"].is_null().to_numpy()
    return np.array([not text.strip() for text in examples["text"].to_pylist()])


def _known_features(
    earlier: Sequence[pa.Table], name: str, digests: list[str], lacks: np.ndarray | None
) -> tuple[np.ndarray | None, np.ndarray]:
    """Return the features of posts that some tables hold, and of which posts these are.

    Args:
        earlier: The tables.
        name: The column of features, which begins with the modality.
        digests: The digest of each post's text or image.
        lacks: Which posts lack the modality. Any other without features was being encoded when its
            worker died, and is encoded again; None takes all as they are.

    Returns:
        Features of shape (posts, size), undefined where they are not known; None if none is.
    """
    values, known = None, np.zeros(len(digests), dtype=bool)
    for table in earlier:
        if name not in table.column_names:
            continue
        before = table[f"{name.partition('-')[0]}_digest"].to_pylist()
        row_of = {digest: row for row, digest in enumerate(before)}
        rows = np.array([row_of.get(digest, -1) for digest in digests], dtype=np.int64)
        here = (rows >= 0) & ~known
        if here.any():
            vectors = take_vectors(table, name, rows[here])
            if values is None:
                values = np.empty((len(digests), vectors.shape[1]), dtype=np.float32)
            values[here] = vectors
            known |= here
    if values is not None and lacks is not None:
        known &= np.isfinite(values[:, 0]) | lacks
    return values, known


def _encode(
    examples: pa.Table,
    rows: np.ndarray,
    modality: str,
    model: ModelParameters,
    encoders: EncoderStore,
    compute: ComputeParameters,
    cluster: ClusterParameters,
) -> np.ndarray:
    """Return the features of some posts, of shape (posts, size), NaN where one lacks the modality.

    They are what a model of this modality alone encodes.
    """
    encoder = find_encoder(encoders, modality, model.encoders[modality])
    network, tokenizer = build_model(
        model.model_copy(update={"modality": modality}), ["", " "], [], {modality: encoder}
    )
    size = network.branches[modality].size
    if not len(rows):
        return np.empty((0, size), dtype=np.float32)

    def leave_out(row: np.ndarray) -> np.ndarray:
        logger.warning(
            "Post %s: its %s counts as missing: to encode it kills the process",
            examples["guid"][int(row[0])],
            modality,
        )
        return np.full((1, size), np.nan, dtype=np.float32)

    classifier = SentimentClassifier(network, tokenizer, {})
    encode = partial(_encode_part, classifier, MappedTable(examples), modality, compute)
    return compute_rows(encode, rows, cluster, _doing(modality), leave_out)


def _doing(modality: str) -> str:
    return f"Encoding {modality}s"


def _encode_part(
    classifier: SentimentClassifier,
    examples: MappedTable,
    modality: str,
    compute: ComputeParameters,
    rows: np.ndarray,
) -> np.ndarray:
    network = classifier.model

    def features(batch: Batch) -> torch.Tensor:
        encoded = network.encode(**batch)[modality].float()
        mask = batch.get(f"has_{modality}")
        if mask is not None:
            encoded[torch.from_numpy(~mask).to(encoded.device)] = float("nan")
        return encoded

    posts = posts_of(classifier, examples.table, rows)
    return predict_batches(network, posts, compute, features, _doing(modality))

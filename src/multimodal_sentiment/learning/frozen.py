"""Features of frozen encoders: computed once, then used by every training that needs them.

They are a table with one row for each post: `guid`, `text_digest`, `image_digest`, and for each
encoder a column of float32 vectors named `<modality>-<fingerprint>`, where NaN marks a post that
lacks the modality.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd
import pyarrow as pa
import torch

from multimodal_sentiment.cluster import PATH, MappedTable
from multimodal_sentiment.compute_parameters import IN_THIS_PROCESS, ClusterParameters
from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.model import SentimentClassifier, build_model
from multimodal_sentiment.parameters import ComputeParameters, ModelParameters, TrainingParameters

from .by_workers import compute_rows
from .dataset import Batch, Features
from .device import choose_device
from .fingerprint import digest, digest_images, digest_texts, fingerprint_encoding
from .predict import posts_of, predict_batches

logger = logging.getLogger(__name__)

# The keys of the metadata that say of which posts a table is, and of which files of images.
_OF, _OF_FILES = b"examples", b"image_files"
_KEPT = 6  # columns of earlier runs that are carried on
_OTHERS = (
    "features are of other posts or encoders than this run's: run the whole pipeline again, or pin "
    "versions that belong together"
)
_DIGESTS = {"text": digest_texts, "image": digest_images}


def frozen_modalities(model: ModelParameters, training: TrainingParameters) -> list[str]:
    """Return the modalities of a model whose encoders are frozen, as their learning rate is 0."""
    return [name for name in model.modalities if not getattr(training.learning_rate, name)]


def encode_examples(
    examples: pa.Table,
    variants: Sequence[tuple[ModelParameters, TrainingParameters]],
    encoders: EncoderStore,
    compute: ComputeParameters,
    earlier: pa.Table | None = None,
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
        earlier: The features from before; those of the same texts and images under the same
            encoders are not computed again.
        keep: Called with all features that there are, after each encoder that computed some.
        cluster: The workers that encode.
    """
    columns: dict[str, pa.Array] = {"guid": examples["guid"].combine_chunks()}
    digests = {name: digest_of(examples) for name, digest_of in _DIGESTS.items()}
    columns |= {f"{name}_digest": pa.array(values) for name, values in digests.items()}
    for model, training in variants:
        for modality in frozen_modalities(model, training):
            name = _column(modality, model, encoders, compute)
            if name in columns:
                continue
            began = time.monotonic()
            known = _known_rows(earlier, name, modality, digests[modality])
            new = np.flatnonzero(known < 0)
            # Equal content is encoded once: in another batch its last digits would differ.
            which, _ = pd.factorize(np.array(digests[modality], dtype=object)[new])
            firsts = new[np.unique(which, return_index=True)[1]]
            computed = _encode(examples, firsts, modality, model, encoders, compute, cluster)
            values = np.empty((len(examples), computed.shape[1]), dtype=np.float32)
            values[new] = computed[which]
            if earlier is not None and len(new) < len(known):
                values[known >= 0] = _vectors(earlier, name)[known[known >= 0]]
            columns[name] = pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
            logger.info(
                "%s features of %s posts under the frozen encoder %s, %s computed in %.1f s",
                modality.capitalize(),
                f"{len(examples):,}",
                find_encoder(encoders, modality, model.encoders[modality]),
                f"{len(firsts):,}",
                time.monotonic() - began,
            )
            if len(new):
                keep(_assemble(columns, examples, earlier))
    return _assemble(columns, examples, earlier)


def take_features(
    table: pa.Table, examples: pa.Table, rows: np.ndarray, columns: Mapping[str, str]
) -> Features:
    """Return the features of some posts under a model's frozen encoders, by modality.

    Args:
        table: The table from `encode_examples`.
        examples: The posts that it should be of.
        rows: The rows of the posts in it.
        columns: The column names from `feature_columns`.

    Raises:
        ValueError: If the table holds no features of these posts or encoders.
    """
    if columns and not holds_features(table, examples, columns):
        raise ValueError(_OTHERS)
    return select_features(table, rows, columns)


def check_features(
    table: pa.Table,
    examples: pa.Table,
    variants: Sequence[tuple[ModelParameters, TrainingParameters]],
    encoders: EncoderStore,
    compute: ComputeParameters,
) -> None:
    """Check before the first training that a table holds the features that some models need.

    Raises:
        ValueError: If it does not.
    """
    for model, training in variants:
        columns = feature_columns(model, training, encoders, compute)
        if columns and not holds_features(table, examples, columns):
            raise ValueError(_OTHERS)


def content_digests(
    table: pa.Table, examples: pa.Table, rows: np.ndarray
) -> tuple[list[str], list[str]]:
    """Return the SHA-256 of some posts' texts, and of their images as they are stored.

    Those in the table of features are used where it is of these very examples; otherwise, texts and
    images are hashed again.
    """
    files = (table.schema.metadata or {}).get(_OF_FILES, b"").decode()
    if files and files == _identify_files(examples) and holds_features(table, examples, {}):
        kept = table.select(["text_digest", "image_digest"]).take(pa.array(rows))
        return kept["text_digest"].to_pylist(), kept["image_digest"].to_pylist()
    return digest_texts(examples, rows), digest_images(examples, rows)


def select_features(table: pa.Table, rows: np.ndarray, columns: Mapping[str, str]) -> Features:
    """Return the features of some rows of a table that is known to hold them, by modality."""
    return {modality: _vectors(table, name)[rows] for modality, name in columns.items()}


def known_features(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    table: pa.Table | None,
) -> Features | None:
    """Return the features of some posts, if a table holds those of a classifier's encoders."""
    columns = classifier.config.training.get("features", {})
    if table is None or not holds_features(table, examples, columns):
        return None
    return select_features(table, rows, columns)


def holds_features(table: pa.Table, examples: pa.Table, columns: Mapping[str, str]) -> bool:
    """Return whether a table holds the features of these posts, in these columns."""
    of = (table.schema.metadata or {}).get(_OF, b"").decode()
    return set(columns.values()) <= {*table.column_names} and of == _identify(examples)


def feature_columns(
    model: ModelParameters,
    training: TrainingParameters,
    encoders: EncoderStore,
    compute: ComputeParameters,
) -> dict[str, str]:
    """Return the names of the columns that hold a model's features, by frozen modality."""
    return {
        modality: _column(modality, model, encoders, compute)
        for modality in frozen_modalities(model, training)
    }


def _column(
    modality: str, model: ModelParameters, encoders: EncoderStore, compute: ComputeParameters
) -> str:
    encoder = find_encoder(encoders, modality, model.encoders[modality])
    fingerprint = fingerprint_encoding(modality, model, encoder.identify(), choose_device(compute))
    return f"{modality}-{fingerprint}"


def _assemble(
    columns: Mapping[str, pa.Array], examples: pa.Table, earlier: pa.Table | None
) -> pa.Table:
    """Return the table of some columns, and of those of the earlier one that are still true."""
    carried = {}
    # What this run does not need may serve the next one.
    if earlier is not None and holds_features(earlier, examples, {}):
        others = [name for name in earlier.column_names if name not in columns]
        carried = {name: earlier[name].combine_chunks() for name in others[:_KEPT]}
    about = {_OF: _identify(examples), _OF_FILES: _identify_files(examples)}
    return pa.table({**columns, **carried}).replace_schema_metadata(about)


def _known_rows(
    earlier: pa.Table | None, name: str, modality: str, digests: list[str]
) -> np.ndarray:
    """Return for each post the row of the earlier table that holds its features, or -1."""
    if earlier is None or name not in earlier.column_names:
        return np.full(len(digests), -1, dtype=np.int64)
    rows = {digest: row for row, digest in enumerate(earlier[f"{modality}_digest"].to_pylist())}
    return np.array([rows.get(digest, -1) for digest in digests], dtype=np.int64)


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
    return compute_rows(encode, rows, cluster, f"Encoding {modality}s", leave_out)


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
    return predict_batches(network, posts, compute, features)


def _identify(examples: pa.Table) -> str:
    """Return a text that identifies the posts, and how their images are stored."""
    seen = examples.select(["guid", "text", "image_hash", "height", "width"]).to_pydict()
    told = examples.schema.metadata or {}
    metadata = sorted((key, value) for key, value in told.items() if key != PATH)
    return digest([json.dumps(seen), repr(metadata)])


def _identify_files(examples: pa.Table) -> str:
    """Return a text that identifies the files of the images, "" where they are not known."""
    if "image_sha256" not in examples.column_names:
        return ""
    return digest([json.dumps(examples["image_sha256"].to_pylist())])


def _vectors(table: pa.Table, name: str) -> np.ndarray:
    column = table[name].combine_chunks()
    vectors: np.ndarray = column.flatten().to_numpy().reshape(len(column), -1)
    return vectors

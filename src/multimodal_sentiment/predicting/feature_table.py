"""The table of features of frozen encoders, which every training that needs them uses.

It has one row for each post: `guid`, `text_digest`, `image_digest`, and for each encoder a column
of float32 vectors named `<modality>-<fingerprint>`, where NaN marks a post that lacks the modality.
The device that computed them is part of the fingerprint, and stands in the table's metadata: it may
be that of a cluster's workers, and not of the process that reads the table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from multimodal_sentiment.batches import Features
from multimodal_sentiment.cluster import PATH
from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.fingerprint import (
    digest,
    digest_images,
    digest_texts,
    fingerprint_encoding,
)
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import ModelParameters, TrainingParameters

# The keys of the metadata that say of which posts a table is, and of which files of images; and on
# which device, how precisely, its features were computed.
_OF, _OF_FILES, _ON = b"examples", b"image_files", b"device"
_KEPT = 6  # columns of earlier runs that are carried on
_OTHERS = (
    "features are of other posts or encoders than this run's: run the whole pipeline again, or pin "
    "versions that belong together"
)


def frozen_modalities(model: ModelParameters, training: TrainingParameters) -> list[str]:
    """Return the modalities of a model whose encoders are frozen, as their learning rate is 0."""
    return [name for name in model.modalities if not getattr(training.learning_rate, name)]


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
) -> None:
    """Check before the first training that a table holds the features that some models need.

    Raises:
        ValueError: If it does not.
    """
    for model, training in variants:
        columns = feature_columns(model, training, encoders, table)
        if columns and not holds_features(table, examples, columns):
            raise ValueError(_OTHERS)


def content_digests(
    table: pa.Table | None, examples: pa.Table, rows: np.ndarray
) -> tuple[list[str], list[str]]:
    """Return the SHA-256 of some posts' texts, and of their images as they are stored.

    Those in the table of features are used where it is of these very examples; otherwise, texts and
    images are hashed again.
    """
    if table is not None and _is_of_posts(table, examples) and _is_of_files(table, examples):
        kept = table.select(["text_digest", "image_digest"]).take(pa.array(rows))
        return kept["text_digest"].to_pylist(), kept["image_digest"].to_pylist()
    return digest_texts(examples, rows), digest_images(examples, rows)


def select_features(table: pa.Table, rows: np.ndarray, columns: Mapping[str, str]) -> Features:
    """Return the features of some rows of a table that is known to hold them, by modality."""
    return {modality: take_vectors(table, name, rows) for modality, name in columns.items()}


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
    return (
        set(columns.values()) <= {*table.column_names}
        and _is_of_posts(table, examples)
        and _is_of_files(table, examples) is not False
    )


def _is_of_posts(table: pa.Table, examples: pa.Table) -> bool:
    return (table.schema.metadata or {}).get(_OF, b"").decode() == _identify(examples)


def _is_of_files(table: pa.Table, examples: pa.Table) -> bool | None:
    """Return whether the images of both come from the same files; None where one does not know."""
    files = (table.schema.metadata or {}).get(_OF_FILES, b"").decode(), _identify_files(examples)
    return files[0] == files[1] if all(files) else None


def feature_columns(
    model: ModelParameters,
    training: TrainingParameters,
    encoders: EncoderStore,
    table: pa.Table,
) -> dict[str, str]:
    """Return the names of a table's columns that hold a model's features, by frozen modality."""
    device = computed_on(table)
    return {
        modality: column_name(modality, model, encoders, device)
        for modality in frozen_modalities(model, training)
    }


def computed_on(table: pa.Table) -> str:
    """Return the device and precision, in words, that a table's features were computed with."""
    return (table.schema.metadata or {}).get(_ON, b"").decode()


def column_name(modality: str, model: ModelParameters, encoders: EncoderStore, device: str) -> str:
    """Return the name of the column that holds the features of one of a model's encoders."""
    encoder = find_encoder(encoders, modality, model.encoders[modality])
    return f"{modality}-{fingerprint_encoding(modality, model, encoder.identify(), device)}"


def assemble(
    columns: Mapping[str, pa.Array], examples: pa.Table, earlier: Sequence[pa.Table], device: str
) -> pa.Table:
    """Return the table of some columns, and of those of earlier ones that are still true."""
    carried: dict[str, pa.Array] = {}
    # What this run does not need may serve the next one.
    for table in earlier:
        if _are_equal(table, columns):
            others = [name for name in table.column_names if name not in {*columns, *carried}]
            room = _KEPT - len(carried)
            carried |= {name: table[name].combine_chunks() for name in others[:room]}
    about = {_OF: _identify(examples), _OF_FILES: _identify_files(examples), _ON: device}
    return pa.table({**columns, **carried}).replace_schema_metadata(about)


def _are_equal(earlier: pa.Table, columns: Mapping[str, pa.Array]) -> bool:
    """Return whether a table is of the same posts with the same texts and images."""
    return all(
        earlier[name].combine_chunks().equals(columns[name])
        for name in ("guid", "text_digest", "image_digest")
    )


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


def take_vectors(table: pa.Table, name: str, rows: np.ndarray) -> np.ndarray:
    """Return some rows of a column of vectors, of shape (rows, size), in the order asked for.

    The column's parts are read one after another: they are mapped files, and as a whole may be
    larger than the memory.
    """
    column, size = table[name], table[name].type.list_size
    taken = np.empty((len(rows), size), dtype=np.float32)
    start = 0
    for part in column.chunks:
        here = (rows >= start) & (rows < start + len(part))
        vectors = part.flatten().to_numpy().reshape(len(part), size)
        taken[here] = vectors[rows[here] - start]
        start += len(part)
    return taken

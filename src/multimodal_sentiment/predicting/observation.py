"""What monitoring takes of posts: observations, and projected features as a table."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa

from multimodal_sentiment.batches import StoredImages
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.monitoring import (
    MOST_POSTS,
    distinct_posts,
    draw_projections,
    observe_posts,
    summarise,
)
from multimodal_sentiment.parameters import ComputeParameters

from .feature_table import take_vectors
from .projection import Projected, predict_and_project

_MADE_BY = b"model"  # the key of the metadata that name the model's version


def with_validation_summary(
    classifier: SentimentClassifier,
    examples: pa.Table,
    rows: np.ndarray,
    compute: ComputeParameters,
    features: pa.Table | None = None,
) -> SentimentClassifier:
    """Return a classifier that knows a bounded summary of its validation posts.

    Those that it has learnt from near duplicates of are left out, as they are of new posts.

    Args:
        classifier: The classifier.
        examples: The posts.
        rows: The rows of the validation posts in it.
        compute: The device and precision.
        features: The same as in `predict_examples`.
    """
    texts = examples.select(["text", "image_hash"]).take(pa.array(rows)).to_pandas()
    kept = rows[distinct_posts(texts, classifier.learnt_keys, MOST_POSTS)[0]]
    branches = classifier.model.branches
    projections = draw_projections({name: branch.size for name, branch in branches.items()})
    predictions, projected = predict_and_project(
        classifier, examples, kept, compute, projections, features
    )
    observed = observe_examples(examples, kept, predictions)
    return replace(classifier, validation=summarise(observed, projected, projections))


def observe_examples(
    examples: pa.Table, rows: np.ndarray, predictions: pd.DataFrame
) -> pd.DataFrame:
    """Return what `observe_posts` observes of some rows of a table of examples.

    Args:
        examples: The posts.
        rows: The rows to observe.
        predictions: The predictions of these rows, in their order.
    """
    posts = examples.drop_columns("image").take(pa.array(rows)).to_pandas()
    return observe_posts(posts, predictions, StoredImages(examples, rows))


def tabulate_projected(
    guids: pa.ChunkedArray, projected: Projected, version: str | None
) -> pa.Table:
    """Return projected features as a table: `guid`, and a column of vectors for each modality.

    Args:
        guids: The guids of the posts.
        projected: Their projected features, by modality.
        version: The version of the model that made them, which the table's metadata name.
    """
    columns = {
        name: pa.FixedSizeListArray.from_arrays(values.ravel(), values.shape[1])
        for name, values in projected.items()
    }
    table = pa.table({"guid": guids.combine_chunks(), **columns})
    return table.replace_schema_metadata({_MADE_BY: str(version)})


def read_projected(table: pa.Table, guids: list[str], version: str | None) -> Projected:
    """Return what `tabulate_projected` was given.

    Raises:
        ValueError: If the table is of other posts than these, or of another model.
    """
    made_by = (table.schema.metadata or {}).get(_MADE_BY, b"").decode()
    if table["guid"].to_pylist() != guids or made_by != str(version):
        raise ValueError(
            "projections are of other posts or of another model than this run's: run the whole "
            "inference pipeline again, or pin versions that belong together"
        )
    rows = np.arange(len(table))
    return {name: take_vectors(table, name, rows) for name in table.column_names[1:]}

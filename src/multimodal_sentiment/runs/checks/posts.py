"""Checks whether there are posts to be predicted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from kedro.framework.project import pipelines

from ..kedro_adapter import Dataset, stored_datasets
from ..versions import fault_of

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

LABELLED, UNLABELLED = "labelled.listing", "unlabelled.listing"


def _trains_only(inputs: Mapping[str, Dataset]) -> bool:
    """Return whether a run that trains and predicts finds a table whose posts all have tags.

    Args:
        inputs: The stored datasets that the run reads, by name.
    """
    from multimodal_sentiment.datasets import PostListingDataset

    listing = inputs.get(UNLABELLED)
    return (
        LABELLED in inputs
        and isinstance(listing, PostListingDataset)
        and listing.has_no_new_posts()
    )


def idle_outputs(pipeline: Pipeline, catalog: DataCatalog) -> set[str]:
    """Return what a run that trains only would write of new posts: all of it without a row."""
    if not _trains_only(stored_datasets(catalog, pipeline.inputs())):
        return set()
    return set(pipelines["inference"].all_outputs())


def has_new_posts(catalog: DataCatalog) -> bool:
    """Return whether inference on the same source would find posts."""
    return UNLABELLED not in catalog or fault_of(catalog[UNLABELLED]) is None

"""Checks whether there are posts to be predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kedro.framework.project import pipelines

from ..versions import fault_of

if TYPE_CHECKING:
    from kedro.io import DataCatalog
    from kedro.pipeline import Pipeline

LABELLED, UNLABELLED = "labelled.listing", "unlabelled.listing"


def idle_outputs(pipeline: Pipeline, catalog: DataCatalog) -> set[str]:
    """Return what a run would write of new posts where there are none: all of it without a row.

    That is a run that trains and predicts, on a table whose posts all have tags.
    """
    from multimodal_sentiment.datasets import PostListingDataset

    if not {LABELLED, UNLABELLED} <= pipeline.inputs():
        return set()
    listing = catalog.get(UNLABELLED)
    trains_only = isinstance(listing, PostListingDataset) and listing.has_no_new_posts()
    return set(pipelines["inference"].all_outputs()) if trains_only else set()


def has_new_posts(catalog: DataCatalog) -> bool:
    """Return whether inference on the same source would find posts."""
    return UNLABELLED not in catalog or fault_of(catalog[UNLABELLED]) is None

"""Features of posts under frozen encoders: computed once, shared by all trainings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from kedro.pipeline import Node, Pipeline

from .nodes import encode_posts, encode_settings, encode_variants

_NODES: dict[str, tuple[Callable[..., Any], list[str]]] = {
    "training": (encode_posts, []),
    "comparison": (encode_variants, ["params:comparison"]),
    "search": (encode_settings, ["params:search"]),
}


def create_pipeline(
    journey: Literal["training", "comparison", "search"] = "training",
) -> Pipeline:
    """Create the step that encodes posts for one training, for a comparison or for a search."""
    encode, several = _NODES[journey]
    return Pipeline(
        [
            Node(
                encode,
                inputs=[
                    "labelled.examples",
                    "duplicate_groups",
                    "earlier_features",
                    "unfinished_features",
                    "pretrained_encoders",
                    "params:ingestion",
                    *several,
                    "params:model",
                    "params:training",
                    "params:compute",
                    "params:cluster",
                ],
                outputs="labelled.features",
                name=encode.__name__,
                namespace="encoding",
            )
        ]
    )

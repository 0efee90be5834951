"""Features of posts under frozen encoders: computed once, shared by all trainings."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import encode_posts, encode_variants


def create_pipeline(*, variants: bool = False) -> Pipeline:
    """Features for one training, or for all variants of a comparison."""
    compared = ["params:comparison"] if variants else []
    return Pipeline(
        [
            Node(
                encode_variants if variants else encode_posts,
                inputs=[
                    "labelled.examples",
                    "duplicate_groups",
                    "earlier_features",
                    "unfinished_features",
                    "pretrained_encoders",
                    *compared,
                    "params:model",
                    "params:training",
                    "params:compute",
                ],
                outputs="labelled.features",
                name="encode_variants" if variants else "encode_posts",
                namespace="encoding",
            )
        ]
    )

"""Labelled posts are divided into training and validation posts."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import split_posts


def create_pipeline() -> Pipeline:
    """Create the step that saves the split."""
    return Pipeline(
        [
            Node(
                split_posts,
                inputs=[
                    "labelled.examples",
                    "duplicate_groups",
                    "labelled.declared_split",
                    "params:splitting",
                    "labelled.corrections",
                ],
                outputs=["train_posts", "validation_posts"],
                name="split_posts",
                namespace="splitting",
            )
        ]
    )

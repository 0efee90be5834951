"""The new posts are held beside those that the model was judged on."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import compare_new_posts, write_inference_report


def create_pipeline() -> Pipeline:
    """Create the steps that tell how unlike the new posts are, and write a page of it."""
    return Pipeline(
        [
            Node(
                compare_new_posts,
                inputs=[
                    "fusion_model",
                    "unlabelled.examples",
                    "unlabelled.predictions",
                    "unlabelled.projections",
                    "params:monitoring",
                ],
                outputs="drift",
                name="compare_new_posts",
                namespace="monitoring",
            ),
            Node(
                write_inference_report,
                inputs=[
                    "drift",
                    "unlabelled.examples",
                    "unlabelled.predictions",
                    "unlabelled.ingestion_report",
                    "test_metrics",
                ],
                outputs="inference_report",
                name="write_inference_report",
                namespace="monitoring",
            ),
        ]
    )

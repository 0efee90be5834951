"""Variants of the model are trained several times, judged on the same posts, and compared."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import (
    find_doubtful_posts,
    judge_comparison,
    plot_comparison,
    tabulate_comparison,
    train_variants,
)
from .pages import write_comparison_page, write_second_look


def create_pipeline() -> Pipeline:
    """Create the steps that train variants, judge them, and name posts worth a second look."""
    return Pipeline(
        [
            Node(
                train_variants,
                inputs=[
                    "train_posts",
                    "validation_posts",
                    "labelled.examples",
                    "duplicate_groups",
                    "comparison_trainings",
                    "pretrained_encoders",
                    "labelled.features",
                    "params:comparison",
                    "params:splitting",
                    "params:model",
                    "params:training",
                    "params:compute",
                    "params:cluster",
                ],
                outputs=["comparison_predictions", "comparison_history"],
                name="train_variants",
                namespace="comparing",
            ),
            Node(
                judge_comparison,
                inputs=[
                    "comparison_predictions",
                    "train_posts",
                    "validation_posts",
                    "labelled.examples",
                    "duplicate_groups",
                    "labelled.corrections",
                    "params:comparison",
                    "params:splitting",
                    "params:model",
                    "params:training",
                    "params:evaluation",
                ],
                outputs="comparison",
                name="judge_comparison",
                namespace="comparing",
            ),
            Node(
                tabulate_comparison,
                inputs="comparison",
                outputs="comparison_table",
                name="tabulate_comparison",
                namespace="comparing",
            ),
            Node(
                plot_comparison,
                inputs="comparison",
                outputs=["comparison_scores", "comparison_differences", "comparison_slices"],
                name="plot_comparison",
                namespace="comparing",
            ),
            Node(
                find_doubtful_posts,
                inputs=[
                    "comparison_predictions",
                    "comparison",
                    "train_posts",
                    "validation_posts",
                    "duplicate_groups",
                    "params:comparison",
                ],
                outputs="second_look",
                name="find_doubtful_posts",
                namespace="comparing",
            ),
            Node(
                write_comparison_page,
                inputs=[
                    "comparison",
                    "comparison_predictions",
                    "comparison_history",
                    "labelled.examples",
                    "params:raw",
                    "params:reporting",
                ],
                outputs="comparison_page",
                name="write_comparison_page",
                namespace="comparing",
            ),
            Node(
                write_second_look,
                inputs=[
                    "second_look",
                    "comparison",
                    "comparison_predictions",
                    "labelled.examples",
                    "duplicate_groups",
                    "labelled.corrections",
                    "train_posts",
                    "validation_posts",
                    "params:raw",
                    "params:reporting",
                ],
                outputs="second_look_page",
                name="write_second_look",
                namespace="comparing",
            ),
        ]
    )

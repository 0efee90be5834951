"""Settings of the model are tried, and the best is judged beside the default on posts apart."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import (
    judge_search,
    plot_search,
    tabulate_search,
    train_best,
    try_settings,
    write_chosen_parameters,
    write_search_report,
)


def create_pipeline() -> Pipeline:
    """Create the steps that try settings, and judge what the best of them is worth."""
    trainings = [
        "labelled.examples",
        "duplicate_groups",
        "search_trials",
        "pretrained_encoders",
        "labelled.features",
        "params:search",
        "params:model",
        "params:training",
        "params:compute",
        "params:cluster",
    ]
    return Pipeline(
        [
            Node(
                try_settings,
                inputs=["train_posts", *trainings],
                outputs=["search_study", "search_fold_predictions"],
                name="try_settings",
                namespace="searching",
            ),
            Node(
                train_best,
                inputs=["search_study", "train_posts", "validation_posts", *trainings],
                outputs="search_validation_predictions",
                name="train_best",
                namespace="searching",
            ),
            Node(
                judge_search,
                inputs=[
                    "search_study",
                    "search_fold_predictions",
                    "search_validation_predictions",
                    "train_posts",
                    "validation_posts",
                    "duplicate_groups",
                    "labelled.corrections",
                    "params:search",
                    "params:splitting",
                    "params:evaluation",
                ],
                outputs="search",
                name="judge_search",
                namespace="searching",
            ),
            Node(
                tabulate_search,
                inputs="search_study",
                outputs="search_table",
                name="tabulate_search",
                namespace="searching",
            ),
            Node(
                write_chosen_parameters,
                inputs="search",
                outputs="chosen_parameters",
                name="write_chosen_parameters",
                namespace="searching",
            ),
            Node(
                plot_search,
                inputs="search_study",
                outputs=["search_history", "search_importances"],
                name="plot_search",
                namespace="searching",
            ),
            Node(
                write_search_report,
                inputs=["search", "search_study", "chosen_parameters"],
                outputs="search_report",
                name="write_search_report",
                namespace="searching",
            ),
        ]
    )

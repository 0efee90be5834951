"""Posts get their image decoded, once; twins are found; a report says what came in."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .nodes import (
    group_duplicates,
    plot_ingestion,
    prepare_examples,
    record_files,
    report_ingestion,
    report_labelled_ingestion,
)


def create_pipeline(namespace: str) -> Pipeline:
    """Create the steps that prepare the `labelled` or the `unlabelled` posts."""
    prepare = Node(
        prepare_examples,
        inputs=[
            "posts",
            "post_files",
            "params:preparation",
            "params:cluster",
            "earlier_examples",
        ],
        outputs="examples",
        name="prepare_examples",
        namespace="preparation",
    )
    record = Node(
        record_files,
        inputs=["text_files", "examples"],
        outputs="manifest",
        name="record_files",
        namespace="preparation",
    )
    group = Node(
        group_duplicates,
        inputs=["examples", "params:twins"],
        outputs="duplicate_groups",
        name="group_duplicates",
        namespace="preparation",
    )
    labelled = namespace == "labelled"
    report = Node(
        report_labelled_ingestion if labelled else report_ingestion,
        inputs=["examples"] + (["duplicate_groups", "params:splitting"] if labelled else []),
        outputs="ingestion_report",
        name="report_ingestion",
        namespace="preparation",
    )
    plot = Node(
        plot_ingestion,
        inputs=["examples", "ingestion_report"],
        outputs=["class_balance", "encodings", "text_lengths", "image_sizes"],
        name="plot_ingestion",
        namespace="preparation",
    )
    settings = {"params:splitting", "params:twins"} if labelled else set()
    return Pipeline(
        [prepare, record, group, report, plot] if labelled else [prepare, record, report, plot],
        namespace=namespace,
        inputs={"post_files"},
        outputs={"duplicate_groups"} if labelled else None,
        parameters={"params:preparation", "params:cluster"} | settings,
    )

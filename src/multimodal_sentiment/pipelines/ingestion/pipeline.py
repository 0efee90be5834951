"""A listing and a folder of posts become one readable row a guid."""

from __future__ import annotations

from kedro.pipeline import Node, Pipeline

from .corrections import record_corrections
from .nodes import describe_source, read_labelled_posts, read_unlabelled_posts


def create_pipeline(
    namespace: str,
    profile: str = "encoding_profile",
    modality: str = "params:model.modality",
) -> Pipeline:
    """Create the steps that read the `labelled` or the `unlabelled` posts.

    Labelled posts also teach which encodings their source uses; unlabelled ones are read with that.

    Args:
        namespace: The kind of posts.
        profile: The dataset that says how common each encoding is, for unlabelled posts.
        modality: The parameter or dataset that says what the model reads.
    """
    labelled = namespace == "labelled"
    read = Node(
        read_labelled_posts if labelled else read_unlabelled_posts,
        inputs=[
            *["listing", "post_files"],
            *([] if labelled else [profile]),
            "params:ingestion",
            modality,
            "params:cluster",
        ],
        outputs=["posts", "text_files"] + (["encoding_profile"] if labelled else []),
        name="read_posts",
        namespace="ingestion",
    )
    describe = Node(
        describe_source,
        inputs=["listing", "post_files"],
        outputs=["declared_split", "source"],
        name="describe_source",
        namespace="ingestion",
    )
    correct = Node(
        record_corrections,
        inputs=["corrections_file", "posts", "params:ingestion"],
        outputs="corrections",
        name="record_corrections",
        namespace="ingestion",
    )
    is_parameter = modality.startswith("params:")
    inputs = {"post_files", "corrections_file"} if labelled else {"post_files", profile}
    return Pipeline(
        [read, describe, correct] if labelled else [read, describe],
        namespace=namespace,
        inputs=inputs | (set() if is_parameter else {modality}),
        outputs={"encoding_profile"} if labelled else None,
        parameters={"params:ingestion", "params:cluster"} | ({modality} if is_parameter else set()),
    )

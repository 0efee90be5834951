"""Nodes of the preparation pipeline."""

from __future__ import annotations

import logging

from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    PreparationParameters,
    SplittingParameters,
    TwinsParameters,
)
from multimodal_sentiment.types import Examples, ExampleStream, Figure, Frame, Json, PostFiles

logger = logging.getLogger(__name__)


def prepare_examples(
    posts: Frame,
    post_files: PostFiles,
    preparation: PreparationParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
    earlier_examples: Examples | None = None,
) -> ExampleStream:
    """Read each post's image once: decoded, upright, RGB, bounded, hashed.

    An image that cannot be decoded counts as missing, and `problems` says why.

    Args:
        posts: The posts, with the paths of their images.
        post_files: The files.
        preparation: The bounds and the storage of images.
        cluster: The workers that decode.
        earlier_examples: The examples of an earlier run; an image whose file is still the same is
            taken from them.

    Returns:
        A stream that reads and decodes as it is consumed, with the columns of
        `posts.schema.example_schema`; its schema's metadata names the `storage` of images.

    Raises:
        ValueError: While the stream is consumed, if an image is not there any more.
    """
    from .examples import stream_examples

    return stream_examples(posts, post_files, preparation, cluster, earlier_examples)


def record_files(text_files: Frame, examples: Examples) -> Frame:
    """Record what the posts' files were when they were read: `guid, file, bytes, sha256`.

    The raw layer is not copied, but what it was can be checked. Files that could not be read are
    left out.
    """
    import pandas as pd

    from multimodal_sentiment.posts.schema import FILES

    columns = ["guid", "img_path", "image_bytes", "image_sha256"]
    images = examples.select(columns).filter(examples["image_sha256"].is_valid()).to_pandas()
    files: Frame = pd.concat([text_files, images.set_axis(list(FILES), axis=1)], ignore_index=True)
    order = {guid: row for row, guid in enumerate(examples["guid"].to_pylist())}
    files = files.loc[files["guid"].map(order).sort_values(kind="stable").index]
    logger.info(
        "%s texts and %s image files recorded, %.1f MB",
        f"{len(text_files):,}",
        f"{len(images):,}",
        files["bytes"].sum() / 1e6,
    )
    return files.reset_index(drop=True)


def group_duplicates(examples: Examples, twins: TwinsParameters) -> Frame:
    """Number the groups of near duplicates: `guid, group`."""
    import pandas as pd

    from multimodal_sentiment.posts.near_duplicates import group_posts

    groups = group_posts(examples, twins.image_bits, twins.text_similarity)
    sizes = pd.Series(groups).value_counts()
    several = sizes[sizes > 1]
    logger.info("%s posts have a twin, in %s groups", f"{several.sum():,}", f"{len(several):,}")
    return pd.DataFrame({"guid": examples["guid"].to_pylist(), "group": groups})


def report_ingestion(examples: Examples) -> Json:
    """Describe what came in: tags, problems, encodings, lengths, sizes, placeholders."""
    from .report import describe_posts

    report = describe_posts(examples.drop_columns("image").to_pandas())
    _log_report(report)
    return report


def report_labelled_ingestion(
    examples: Examples, groups: Frame, splitting: SplittingParameters
) -> Json:
    """Describe what came in, and how many validation posts a random split would have leaked."""
    from .report import describe_near_duplicates

    report = report_ingestion(examples)
    posts = examples.select(["guid", "tag"]).to_pandas()
    twins = describe_near_duplicates(posts, groups, splitting)
    logger.info(
        "%s of %s validation posts of a random split would have a twin in training",
        *(f"{count:,}" for count in reversed(twins["random_split"].values())),
    )
    return report | {"twins": twins}


def plot_ingestion(
    examples: Examples, ingestion_report: Json
) -> tuple[Figure, Figure, Figure, Figure]:
    """Draw the shares of tags and of encodings, the lengths of texts and the sizes of images."""
    from multimodal_sentiment.reporting import charts, kedro_viz

    posts = examples.drop_columns("image").to_pandas()
    lengths = charts.text_lengths(posts["text"].str.len(), posts["tag"])
    sizes = charts.image_sizes(posts["original_width"], posts["original_height"])
    return (
        kedro_viz.class_balance(posts["tag"]),
        kedro_viz.encodings(
            posts["encoding"], posts["encoding_confidence"], ingestion_report["chardet_alone"]
        ),
        kedro_viz.draw("Length of the texts", lengths),
        kedro_viz.draw("Sizes of the images", sizes),
    )


def _log_report(report: Json) -> None:
    alone = report["chardet_alone"]
    logger.info(
        "Texts whose encoding is in doubt: %s; chardet alone would read %s of %s differently%s",
        f"{report['flagged_encodings']['posts']:,}",
        f"{alone['another text']:,}",
        f"{alone['posts_asked']:,}",
        f", {alone['no text']:,} not at all" if alone["no text"] else "",
    )
    for placeholder in report["placeholders"]:
        logger.warning(
            "One image stands in %s of %s posts, with different texts (post %s first): it is taken "
            "for a placeholder. It makes no twins of these posts, and the split may divide them",
            f"{placeholder['posts']:,}",
            f"{report['posts']:,}",
            ", ".join(placeholder["first"]),
        )

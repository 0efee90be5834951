"""Nodes of the preparation pipeline."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.parameters import PreparationParameters, SplittingParameters
from multimodal_sentiment.types import Examples, ExampleStream, Figure, Frame, Json, PostFiles

if TYPE_CHECKING:
    from pyarrow import RecordBatch, Schema

logger = logging.getLogger(__name__)

# A batch ends at so many posts or bytes of pixels, whichever comes first.
_BATCH_POSTS = 64
_BATCH_BYTES = 32 * 2**20
_SECONDS_BETWEEN_MESSAGES = 15


def prepare_examples(
    posts: Frame, manifest: Frame, post_files: PostFiles, preparation: PreparationParameters
) -> ExampleStream:
    """The posts with their image: decoded once, upright, RGB, bounded, hashed.

    The stream reads and decodes as it is consumed. It holds the posts' columns, `image` (bytes, or
    null; the schema's metadata names their `storage`), its `height` and `width`, its
    `original_height` and `original_width`, and its `image_hash`. An image that cannot be decoded
    counts as missing, and `problems` says why.

    Raises:
        ValueError: While the stream is consumed, if an image is not the one of the manifest.
    """
    import pyarrow as pa

    schema = _schema(preparation)
    batches = _batches(_examples(posts, manifest, post_files, preparation), len(posts), schema)
    return pa.RecordBatchReader.from_batches(schema, batches)


def group_duplicates(examples: Examples) -> Frame:
    """Number the groups of twins: `guid, group`."""
    import pandas as pd

    from multimodal_sentiment.posts.near_duplicates import find_near_duplicates

    groups = find_near_duplicates(examples["text"].to_pylist(), examples["image_hash"].to_pylist())
    sizes = pd.Series(groups).value_counts()
    twins = sizes[sizes > 1]
    logger.info("%s posts have a twin, in %s groups", f"{twins.sum():,}", f"{len(twins):,}")
    return pd.DataFrame({"guid": examples["guid"].to_pylist(), "group": groups})


def report_ingestion(examples: Examples, post_files: PostFiles) -> Json:
    """What came in: tags, problems, encodings, lengths and sizes."""
    from .report import describe_posts

    report = describe_posts(examples.drop_columns("image").to_pandas(), post_files)
    _log_report(report)
    return report


def report_labelled_ingestion(
    examples: Examples, post_files: PostFiles, groups: Frame, splitting: SplittingParameters
) -> Json:
    """What came in, and how many validation posts a random split would have leaked."""
    from .report import describe_posts, describe_twins

    posts = examples.drop_columns("image").to_pandas()
    report = describe_posts(posts, post_files)
    _log_report(report)
    twins = describe_twins(posts, groups, splitting)
    logger.info(
        "%s of %s validation posts of a random split would have a twin in training",
        *(f"{count:,}" for count in reversed(twins["random_split"].values())),
    )
    return report | {"twins": twins}


def plot_ingestion(
    examples: Examples, ingestion_report: Json
) -> tuple[Figure, Figure, Figure, Figure]:
    """The shares of tags and of encodings, the lengths of texts and the sizes of images."""
    from multimodal_sentiment.reporting import plots

    posts = examples.drop_columns("image").to_pandas()
    return (
        plots.class_balance(posts["tag"]),
        plots.encodings(
            posts["encoding"], posts["encoding_confidence"], ingestion_report["chardet_alone"]
        ),
        plots.text_lengths(posts["text"].str.len(), posts["tag"]),
        plots.image_sizes(posts["original_width"], posts["original_height"]),
    )


def _log_report(report: Json) -> None:
    alone = report["chardet_alone"]
    logger.info(
        "Texts whose encoding is in doubt: %s; chardet alone would read %s of %s otherwise%s",
        f"{report['flagged_encodings']['posts']:,}",
        f"{alone['another text']:,}",
        f"{alone['posts_asked']:,}",
        f", {alone['no text']:,} not at all" if alone["no text"] else "",
    )


def _schema(preparation: PreparationParameters) -> Schema:
    import pyarrow as pa

    strings = ["guid", "text", "tag", "img_path", "encoding"]
    sizes = ["height", "width", "original_height", "original_width"]
    return pa.schema(
        [
            *[(name, pa.string()) for name in strings],
            ("encoding_confidence", pa.float64()),
            ("problems", pa.string()),
            ("image", pa.large_binary()),
            *[(name, pa.int32()) for name in sizes],
            ("image_hash", pa.string()),
        ],
        metadata={
            "storage": preparation.storage,
            "pictures": preparation.model_dump_json(exclude={"storage"}),
        },
    )


def _examples(
    posts: Frame, manifest: Frame, post_files: PostFiles, preparation: PreparationParameters
) -> Iterator[dict[str, Any]]:
    """One example a post, in order; images are decoded by several threads at once."""
    from multimodal_sentiment.concurrency import map_in_order
    from multimodal_sentiment.malloc import keep_freed_memory

    keep_freed_memory()
    recorded = posts["img_path"].map(manifest.set_index("file")["sha256"]).fillna("")

    def prepare(post_and_sha256: tuple[Any, str]) -> dict[str, Any]:
        post, sha256 = post_and_sha256
        example = {**post._asdict(), "image_hash": ""}
        if post.img_path:
            image, problem = _image(post.guid, sha256, post_files, preparation)
            example |= image
            example["problems"] = "; ".join(filter(None, [post.problems, problem]))
        return example

    return map_in_order(prepare, zip(posts.itertuples(index=False), recorded, strict=True))


def _image(
    guid: str, recorded_sha256: str, post_files: PostFiles, preparation: PreparationParameters
) -> tuple[dict[str, Any], str]:
    """An example's columns about its image, and what is wrong with it."""
    from multimodal_sentiment.datasets.post_folder import UnreadableFileError
    from multimodal_sentiment.posts import imaging

    columns: dict[str, Any] = {}
    sha256 = problem = ""
    try:
        payload = post_files.images.read(guid)
        sha256 = hashlib.sha256(payload).hexdigest()
        picture = imaging.decode_image(
            payload,
            short_side=preparation.short_side,
            max_aspect_ratio=preparation.max_aspect_ratio,
            max_megapixels=preparation.max_megapixels,
        )
        height, width, _ = picture.pixels.shape
        columns = {
            "image": imaging.pack(picture, preparation.storage),
            "height": height,
            "width": width,
            "original_height": picture.original_height,
            "original_width": picture.original_width,
            "image_hash": picture.perceptual_hash,
        }
    except UnreadableFileError as error:
        problem = str(error)
    except imaging.BrokenImageError as error:
        problem = f"image broken: {error}"
    if sha256 != recorded_sha256:
        raise ValueError(
            f"the image of post {guid!r} has changed since it was recorded: run the ingestion "
            f"pipeline again"
        )
    return columns, problem


def _batches(
    examples: Iterator[dict[str, Any]], total: int, schema: Schema
) -> Iterator[RecordBatch]:
    import pyarrow as pa

    start = last_message = time.monotonic()
    done = with_image = size = 0
    batch: list[dict[str, Any]] = []
    for example in examples:
        batch.append(example)
        size += len(example.get("image", b""))
        done += 1
        with_image += "image" in example
        if len(batch) == _BATCH_POSTS or size >= _BATCH_BYTES or done == total:
            yield pa.RecordBatch.from_pylist(batch, schema=schema)
            batch, size = [], 0
        now = time.monotonic()
        if done == total or now - last_message > _SECONDS_BETWEEN_MESSAGES:
            last_message = now
            logger.info(
                "%s of %s posts prepared, %s with an image, %.0f a second",
                *(f"{count:,}" for count in (done, total, with_image)),
                done / (now - start),
            )

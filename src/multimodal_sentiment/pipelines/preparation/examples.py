"""From posts and their image files to examples, a batch at a time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pyarrow as pa

from multimodal_sentiment.concurrency import map_in_order
from multimodal_sentiment.layouts import PostFiles, UnreadableFileError
from multimodal_sentiment.malloc import keep_freed_memory
from multimodal_sentiment.parameters import PreparationParameters
from multimodal_sentiment.posts.imaging import BrokenImageError, decode_image, pack
from multimodal_sentiment.posts.problems import Problem, read_problems, write_problems
from multimodal_sentiment.posts.schema import example_schema
from multimodal_sentiment.progress import log_progress

logger = logging.getLogger(__name__)

# A batch ends at so many posts or bytes of pixels, whichever comes first.
_BATCH_POSTS = 64
_BATCH_BYTES = 32 * 2**20


def stream_examples(
    posts: pd.DataFrame, post_files: PostFiles, preparation: PreparationParameters
) -> pa.RecordBatchReader:
    """Read and decode each post's image while the stream is consumed."""
    schema = example_schema(
        {
            "storage": preparation.storage,
            "pictures": preparation.model_dump_json(exclude={"storage"}),
        }
    )
    return pa.RecordBatchReader.from_batches(
        schema, _batches(_examples(posts, post_files, preparation), len(posts), schema)
    )


def _batches(
    examples: Iterator[dict[str, Any]], total: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    batch: list[dict[str, Any]] = []
    size = with_image = 0
    for done, example in enumerate(log_progress(examples, total, "Preparing"), start=1):
        batch.append(example)
        size += len(example.get("image", b""))
        with_image += "image" in example
        if len(batch) == _BATCH_POSTS or size >= _BATCH_BYTES or done == total:
            yield pa.RecordBatch.from_pylist(batch, schema=schema)
            batch, size = [], 0
    logger.info("%s posts prepared, %s with an image", f"{total:,}", f"{with_image:,}")


def _examples(
    posts: pd.DataFrame, post_files: PostFiles, preparation: PreparationParameters
) -> Iterator[dict[str, Any]]:
    """One example a post, in order; images are decoded by several threads at once."""
    keep_freed_memory()

    def prepare(post: Any) -> dict[str, Any]:
        example = {**post._asdict(), "image_hash": ""}
        if post.img_path:
            columns, problem = _image(post.guid, post.img_path, post_files, preparation)
            example |= columns
            if problem:
                example["problems"] = write_problems([*read_problems(post.problems), problem])
        return example

    return map_in_order(prepare, posts.itertuples(index=False))


def _image(
    guid: str, path: str, post_files: PostFiles, preparation: PreparationParameters
) -> tuple[dict[str, Any], Problem | None]:
    """An example's columns about its image, and what is wrong with it.

    Raises:
        ValueError: If the post has another image, or none, since its text was read.
    """
    if post_files.images.path(guid) != path:
        raise ValueError(f"{path} is not there any more: run the ingestion pipeline again")
    columns: dict[str, Any] = {}
    try:
        payload = post_files.images.read(guid)
        digest = hashlib.sha256(payload).hexdigest()
        columns = {"image_bytes": len(payload), "image_sha256": digest}
        image = decode_image(
            payload,
            short_side=preparation.short_side,
            max_aspect_ratio=preparation.max_aspect_ratio,
            max_megapixels=preparation.max_megapixels,
        )
    except (UnreadableFileError, BrokenImageError) as error:
        return columns, error.problem
    height, width, _ = image.pixels.shape
    columns |= {
        "image": pack(image, preparation.storage),
        "height": height,
        "width": width,
        "original_height": image.original_height,
        "original_width": image.original_width,
        "image_hash": image.perceptual_hash,
    }
    return columns, image.problem

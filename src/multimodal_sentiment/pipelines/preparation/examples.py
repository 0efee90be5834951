"""From posts and their image files to examples, a batch at a time."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from multimodal_sentiment.cluster import MappedTable, divide, map_parts
from multimodal_sentiment.cluster.threads import map_in_order
from multimodal_sentiment.compute.memory import keep_freed_memory
from multimodal_sentiment.fingerprint import fingerprint_pictures
from multimodal_sentiment.layouts import PostFiles, UnreadableFileError
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    PreparationParameters,
)
from multimodal_sentiment.posts.imaging import BrokenImageError, decode_image, pack
from multimodal_sentiment.posts.problems import Problem, problem, read_problems, write_problems
from multimodal_sentiment.posts.schema import IMAGE, POSTS, example_schema
from multimodal_sentiment.progress import log_progress

logger = logging.getLogger(__name__)

# A batch ends at so many posts or bytes of pixels, whichever comes first.
_BATCH_POSTS = 64
_BATCH_BYTES = 32 * 2**20
_PART_POSTS = 256  # whole batches; a second or so of work

_DECODED = "decoded"  # the key of the table's metadata that says how its images were decoded


def stream_examples(
    posts: pd.DataFrame,
    post_files: PostFiles,
    preparation: PreparationParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
    earlier: pa.Table | None = None,
) -> pa.RecordBatchReader:
    """Read and decode each post's image while the stream is consumed.

    Of the `earlier` examples, those images are taken as they are stored that were decoded by the
    same code under the same parameters, and whose files are still the same.
    """
    schema = example_schema(
        {
            "storage": preparation.storage,
            "pictures": preparation.model_dump_json(exclude={"storage"}),
            _DECODED: fingerprint_pictures(preparation),
        }
    )
    if earlier is not None and not _is_decoded_as(earlier.schema, schema):
        earlier = None
    prepare = partial(
        _prepare_part,
        post_files=post_files,
        preparation=preparation,
        schema=schema,
        threads=cluster.cpus_per_worker if cluster.workers else None,
        earlier=None if earlier is None else MappedTable(earlier),
    )
    posts = posts.assign(earlier_row=_earlier_rows(posts["guid"], earlier))
    parts = divide(posts, _PART_POSTS) if cluster.workers else [posts]
    pieces = map_parts(prepare, parts, cluster, "Preparing", partial(_leave_out, schema))
    batches = _count(chain.from_iterable(pieces), posts["img_path"].ne("").sum(), len(posts))
    return pa.RecordBatchReader.from_batches(schema, batches)


class _Batch(NamedTuple):
    """Some posts with their images, and of how many an earlier run has decoded them."""

    posts: pa.RecordBatch
    known: int


def _count(batches: Iterable[_Batch], with_file: int, total: int) -> Iterator[pa.RecordBatch]:
    """Pass batches on, and say how far it is, and how many of the images' files hold one."""
    with_image = known = 0
    for batch in log_progress(batches, total, "Preparing", size=lambda batch: len(batch.posts)):
        with_image += len(batch.posts) - batch.posts["image"].null_count
        known += batch.known
        yield batch.posts
    broken = with_file - with_image
    logger.info(
        "%s posts prepared, %s with an image%s%s",
        f"{total:,}",
        f"{with_image:,}",
        f", of which an earlier run has decoded {known:,}" if known else "",
        f"; images that cannot be used: {broken:,}" if broken else "",
    )


def _is_decoded_as(earlier: pa.Schema, schema: pa.Schema) -> bool:
    key = _DECODED.encode()
    decoded = (earlier.metadata or {}).get(key)
    return decoded is not None and decoded == schema.metadata[key] and earlier.equals(schema)


def _earlier_rows(guids: pd.Series, earlier: pa.Table | None) -> list[int]:
    """Return the row of each post in the earlier table, -1 where it has none."""
    if earlier is None:
        return [-1] * len(guids)
    known = earlier["guid"].combine_chunks()
    rows = pc.index_in(pa.array(guids, pa.string()), value_set=known)
    found: list[int] = pc.fill_null(rows, -1).to_pylist()
    return found


def _prepare_part(
    posts: pd.DataFrame,
    post_files: PostFiles,
    preparation: PreparationParameters,
    schema: pa.Schema,
    threads: int | None,
    earlier: MappedTable | None,
) -> Iterator[_Batch]:
    batch: list[dict[str, Any]] = []
    size = known = 0
    for example, is_known in _examples(posts, post_files, preparation, threads, earlier):
        batch.append(example)
        known += is_known
        size += len(example.get("image", b""))
        if len(batch) == _BATCH_POSTS or size >= _BATCH_BYTES:
            yield _Batch(pa.RecordBatch.from_pylist(batch, schema=schema), known)
            batch, size, known = [], 0, 0
    if batch:
        yield _Batch(pa.RecordBatch.from_pylist(batch, schema=schema), known)


def _leave_out(schema: pa.Schema, posts: pd.DataFrame) -> Iterator[_Batch]:
    """Prepare a post without its image, which has killed its worker."""
    (post,) = posts.to_dict("records")
    problems = write_problems([*read_problems(post["problems"]), problem("image_deadly")])
    example = {**post, "image_hash": "", "problems": problems}
    yield _Batch(pa.RecordBatch.from_pylist([example], schema=schema), 0)


def _examples(
    posts: pd.DataFrame,
    post_files: PostFiles,
    preparation: PreparationParameters,
    threads: int | None,
    earlier: MappedTable | None,
) -> Iterator[tuple[dict[str, Any], bool]]:
    """Yield one example a post, in order, and whether its image was decoded before.

    Images are decoded by several threads at once.
    """
    keep_freed_memory()

    def prepare(post: Any) -> tuple[dict[str, Any], bool]:
        known: dict[str, Any] = {}
        example = {**{name: getattr(post, name) for name in POSTS}, "image_hash": ""}
        if post.img_path:
            known = _decoded_before(earlier, post.earlier_row)
            columns, fault = _image(post.guid, post.img_path, post_files, preparation, known)
            example |= columns
            if fault:
                example["problems"] = write_problems([*read_problems(post.problems), fault])
        return example, bool(known) and example.get("image_sha256") == known["image_sha256"]

    return map_in_order(prepare, posts.itertuples(index=False), threads)


def _decoded_before(earlier: MappedTable | None, row: int) -> dict[str, Any]:
    """Return a row's columns about its image, empty if there is none without a problem."""
    if earlier is None or row < 0:
        return {}
    table = earlier.table
    problems = {found.code for found in read_problems(table["problems"][row].as_py())}
    if not table["image"][row].is_valid or "image_cut" in problems:
        return {}
    return {name: table[name][row].as_py() for name in IMAGE}


def _image(
    guid: str,
    path: str,
    post_files: PostFiles,
    preparation: PreparationParameters,
    known: dict[str, Any],
) -> tuple[dict[str, Any], Problem | None]:
    """Return an example's columns about its image, and what is wrong with it.

    Args:
        guid: The post.
        path: The path of its image's file.
        post_files: The files.
        preparation: The bounds and the storage of images.
        known: The columns of an earlier example, which hold if its file was the same.

    Raises:
        ValueError: If the post has another image, or none, since its text was read.
    """
    if post_files.images.path(guid) != path:
        raise ValueError(f"{path} is not there any more: run the ingestion pipeline again")
    columns: dict[str, Any] = {}
    try:
        payload = post_files.images.read(guid)
        digest = hashlib.sha256(payload).hexdigest()
        if known.get("image_sha256") == digest:
            return known, None
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

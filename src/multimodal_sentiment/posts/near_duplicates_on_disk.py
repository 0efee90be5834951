"""Finds near duplicates of more posts than memory holds: DuckDB joins their keys, on disk.

The groups are those of `near_duplicates.find_near_duplicates`. They are connected components, found
by propagation of the smallest label with hooking and shortcutting, as by Y. Zhang, A. Azad, Z. Hu:
FastSV: A Distributed-Memory Connected Component Algorithm with Fast Convergence, SIAM PP 2020.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from .content_keys import PLACEHOLDER_SHARE, PLACEHOLDER_TEXTS, content_key, normalise_text

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MEMORY = "1GB"  # that DuckDB takes; what is more lies in the folder for temporary files

_BATCH_POSTS = 20_000


def group_on_disk(posts: pa.Table) -> NDArray[np.int64]:
    """Number the groups of posts that are near duplicates, directly or through others.

    Texts and hashes are compared by the first 64 bits of their SHA-256: among 100 million posts,
    two different ones are taken for equal with a probability of 0.0003.

    Args:
        posts: Columns `text` and `image_hash`, both without nulls.

    Returns:
        As `find_near_duplicates`.
    """
    import duckdb

    with tempfile.TemporaryDirectory(prefix="twins-") as folder:
        config: dict[str, Any] = {"memory_limit": MEMORY, "temp_directory": folder}
        with duckdb.connect(Path(folder) / "posts.duckdb", config=config) as database:
            database.execute(
                "CREATE TABLE posts (post BIGINT, text UBIGINT, image UBIGINT, said UBIGINT)"
            )
            for batch in _keys(posts):
                database.register("batch", batch)
                database.execute("INSERT INTO posts SELECT * FROM batch")
            _join_posts_to_keys(database, len(posts))
            _propagate(database)
            found = database.execute("SELECT post, label FROM labels").fetchnumpy()
    label = np.arange(len(posts))
    label[found["post"]] = found["label"]
    is_first = label == np.arange(len(posts))
    group: NDArray[np.int64] = (np.cumsum(is_first) - 1)[label]
    return group


def _keys(posts: pa.Table) -> Iterator[pa.Table]:
    """Yield each post's number, and the keys of its text, its image and what tells placeholders."""
    first = 0
    for batch in posts.select(["text", "image_hash"]).to_batches(max_chunksize=_BATCH_POSTS):
        texts, hashes = (column.to_pylist() for column in batch.columns)
        normal = [normalise_text(text) for text in texts]
        said = (own or text for own, text in zip(normal, texts, strict=True))
        columns = {
            "text": [content_key("text", own) if own else 0 for own in normal],
            "image": [content_key("image", each) if each else 0 for each in hashes],
            "said": [content_key("said", text) for text in said],
        }
        yield pa.table(
            {
                "post": pa.array(range(first, first + len(texts)), pa.int64()),
                **{name: pa.array(keys, pa.uint64()) for name, keys in columns.items()},
            }
        )
        first += len(texts)


def _join_posts_to_keys(database: DuckDBPyConnection, count: int) -> None:
    """Make a table of the keys that several posts share, and of these posts."""
    database.execute(
        """
        CREATE TABLE shared AS
        WITH common AS (
            SELECT image FROM posts WHERE image <> 0
            GROUP BY image HAVING count(*) > greatest($texts, $share * $count)
        ), placeholders AS (
            SELECT image FROM posts SEMI JOIN common USING (image)
            GROUP BY image HAVING count(DISTINCT said) > $texts
        ), keys AS (
            SELECT post, text AS key FROM posts WHERE text <> 0
            UNION ALL
            SELECT post, image AS key FROM posts ANTI JOIN placeholders USING (image)
            WHERE image <> 0
        ), several AS (
            SELECT key FROM keys GROUP BY key HAVING count(*) > 1
        )
        SELECT post, key FROM keys SEMI JOIN several USING (key)
        """,
        {"texts": PLACEHOLDER_TEXTS, "share": PLACEHOLDER_SHARE, "count": count},
    )


def _propagate(database: DuckDBPyConnection) -> None:
    """Make a table of the smallest post of each post's group, for posts that are not alone.

    In each round a post, and the post whose number is its label, take the smallest label of the
    posts that share a key with it; then each takes the label of the post whose number it has.
    """
    database.execute("CREATE TABLE labels AS SELECT DISTINCT post, post AS label FROM shared")
    changed = True
    while changed:
        database.execute(
            """
            CREATE OR REPLACE TABLE smaller AS
            WITH bonds AS (
                SELECT post, label, min(label) OVER (PARTITION BY key) AS least
                FROM shared JOIN labels USING (post)
            ), taken AS (
                SELECT post, least FROM bonds UNION ALL SELECT label, least FROM bonds
            )
            SELECT post, min(least) AS label FROM taken GROUP BY post
            """
        )
        database.execute(
            """
            CREATE OR REPLACE TABLE followed AS
            SELECT own.post, other.label FROM smaller AS own JOIN smaller AS other
            ON other.post = own.label
            """
        )
        row = database.execute(
            "SELECT count(*) FROM labels JOIN followed USING (post) "
            "WHERE labels.label <> followed.label"
        ).fetchone()
        changed = bool(row and row[0])
        database.execute("CREATE OR REPLACE TABLE labels AS FROM followed")

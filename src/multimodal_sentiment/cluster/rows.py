"""A model's results for posts, computed by the workers of a cluster, or here."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from multimodal_sentiment.parameters import ClusterParameters
from multimodal_sentiment.progress import log_progress

from .parts import divide, map_parts

# Posts of a part: whole batches, and texts enough to sort by length; fewer of a small set, so that
# all workers have some.
_PART = 512
_FEWEST = 64
_PARTS_PER_WORKER = 4


def compute_rows(
    compute: Callable[[np.ndarray], np.ndarray],
    rows: np.ndarray,
    cluster: ClusterParameters,
    doing: str,
    lost: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    """Return results for some rows of a table, in their order, of shape (rows, ...).

    Args:
        compute: The function that gives the results of some of the rows; see `map_parts`.
        rows: The rows.
        cluster: The workers; without any, or any rows, all is computed here, at once.
        doing: The name of the work, for the log.
        lost: The result that stands for a row that kills its worker.
    """
    if not cluster.workers or not len(rows):
        return compute(rows)
    share = len(rows) // (_PARTS_PER_WORKER * cluster.workers)
    parts = divide(rows, min(_PART, max(_FEWEST, share)))
    pieces = map_parts(compute, parts, cluster, doing, lost)
    return np.concatenate([*log_progress(pieces, len(rows), doing, size=len)])

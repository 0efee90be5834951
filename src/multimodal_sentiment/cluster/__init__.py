"""Heavy work by the workers of a Ray cluster, or in this process where there are none.

`map_parts` is all that a step needs to know; `open_cluster` is for the run around the steps.
"""

from .connection import INSTALL, ClusterError, open_cluster
from .mapped import PATH, MappedTable, with_path
from .parts import compute_rows, divide, map_parts

__all__ = [
    "INSTALL",
    "PATH",
    "ClusterError",
    "MappedTable",
    "compute_rows",
    "divide",
    "map_parts",
    "open_cluster",
    "with_path",
]

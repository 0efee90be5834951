"""Tables of every format, read as columns of cells."""

from .reading import SUFFIXES, read_table
from .table import Table

__all__ = ["SUFFIXES", "Table", "read_table"]

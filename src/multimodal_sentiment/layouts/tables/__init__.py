"""Tables of every format, read as columns of cells."""

from .reading import SUFFIXES, UnopenedTable, has_rows, read_table
from .table import Table

__all__ = ["SUFFIXES", "Table", "UnopenedTable", "has_rows", "read_table"]

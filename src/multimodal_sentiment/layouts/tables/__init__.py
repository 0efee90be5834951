"""Tables of every format, read as columns of cells."""

from .reading import SUFFIXES, UnopenedTable, read_table
from .table import Table

__all__ = ["SUFFIXES", "Table", "UnopenedTable", "read_table"]

"""A search over settings of the model, and what its choice is worth."""

from .dimensions import SpaceError
from .findings import judge_choice, write_parameters
from .space import Space

__all__ = ["Space", "SpaceError", "judge_choice", "write_parameters"]

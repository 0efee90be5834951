"""Posts that are the same, and splits that keep them together.

`find_twins` gives each post the number of its group; `grouped_folds` and `grouped_split` divide
posts so that no group is ever on two sides.
"""

from .splits import grouped_folds, grouped_split
from .twins import find_twins, normalise_text

__all__ = ["find_twins", "grouped_folds", "grouped_split", "normalise_text"]

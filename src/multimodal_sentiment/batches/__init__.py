"""Posts as the model takes them: examples, and how they become batches."""

from .dataset import (
    Batch,
    Features,
    PostDataset,
    StoredImages,
    Variation,
    preparation_of,
    prepared_otherwise,
    rows_of,
)
from .labelled_posts import LabelledPosts

__all__ = [
    "Batch",
    "Features",
    "LabelledPosts",
    "PostDataset",
    "StoredImages",
    "Variation",
    "preparation_of",
    "prepared_otherwise",
    "rows_of",
]

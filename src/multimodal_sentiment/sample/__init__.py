"""Made-up posts in many languages and encodings, whose tags follow from text and photo."""

from .contents import Post, plan
from .writing import write_sample

__all__ = ["Post", "plan", "write_sample"]

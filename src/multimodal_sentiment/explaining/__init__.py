"""What decided an answer: the words of the text and the regions of the image."""

from .explain import explain_post, ready_to_explain
from .explanation import Explanation, Region, Word
from .page_part import render

__all__ = ["Explanation", "Region", "Word", "explain_post", "ready_to_explain", "render"]

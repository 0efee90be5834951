"""What people read: the report of a training run and the card of a model; no model known."""

from .caveats import find_caveats
from .gallery import Answer, thumbnail
from .model_card import describe_model, model_card
from .page import write_page

__all__ = [
    "Answer",
    "describe_model",
    "find_caveats",
    "model_card",
    "thumbnail",
    "write_page",
]

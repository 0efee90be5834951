"""What people read: the report of a training run and the card of a model; no model known."""

from .card import describe_model, model_card
from .doubts import find_doubts
from .gallery import WrongAnswer, thumbnail
from .page import write_page

__all__ = [
    "WrongAnswer",
    "describe_model",
    "find_doubts",
    "model_card",
    "thumbnail",
    "write_page",
]

"""What people read: pages, figures, the card of a model; no model known."""

from .caveats import Caveat, find_caveats
from .comparison_page import write_comparison_page
from .gallery import Answer, ComparedPost, shorten, thumbnail
from .inference_page import NewPost, write_inference_page
from .model_card import describe_model, model_card
from .names import name_data, name_variants
from .page import write_page
from .search_page import write_search_page
from .second_look import Doubt, write_second_look

__all__ = [
    "Answer",
    "Caveat",
    "ComparedPost",
    "Doubt",
    "NewPost",
    "describe_model",
    "find_caveats",
    "model_card",
    "name_data",
    "name_variants",
    "shorten",
    "thumbnail",
    "write_comparison_page",
    "write_inference_page",
    "write_page",
    "write_search_page",
    "write_second_look",
]

"""Pretrained encoders: named, fetched from a hub, verified, stored, and found again offline."""

from .encoder import Encoder, MissingEncoderError
from .formats import RESNETS, TEXT_FAMILIES, image_family, most_layers, read_config, text_family
from .references import EncoderError
from .store import EncoderStore, find_encoder

__all__ = [
    "RESNETS",
    "TEXT_FAMILIES",
    "Encoder",
    "EncoderError",
    "EncoderStore",
    "MissingEncoderError",
    "find_encoder",
    "image_family",
    "most_layers",
    "read_config",
    "text_family",
]

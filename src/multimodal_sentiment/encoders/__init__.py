"""Pretrained encoders: named, fetched from a hub, verified, stored, and found again offline."""

from .contents import RESNETS, image_family, read_config, text_family
from .encoder import Encoder, MissingEncoderError
from .references import EncoderError
from .store import EncoderStore, find_encoder

__all__ = [
    "RESNETS",
    "Encoder",
    "EncoderError",
    "EncoderStore",
    "MissingEncoderError",
    "find_encoder",
    "image_family",
    "read_config",
    "text_family",
]

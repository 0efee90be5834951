"""Pretrained encoders: named, fetched or installed, verified, stored, and found again offline."""

from .encoder import Encoder, MissingEncoderError
from .formats import POOLING, most_layers, read_config, read_json, weights_of
from .packages import INSTALL
from .references import EncoderError, is_packaged
from .store import EncoderStore, find_encoder

__all__ = [
    "INSTALL",
    "POOLING",
    "Encoder",
    "EncoderError",
    "EncoderStore",
    "MissingEncoderError",
    "find_encoder",
    "is_packaged",
    "most_layers",
    "read_config",
    "read_json",
    "weights_of",
]

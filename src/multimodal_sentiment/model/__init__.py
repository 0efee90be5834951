"""The sentiment model: configuration, encoders, fusion, processing; a transformers model."""

from .building import build_model
from .classifier import SentimentClassifier
from .configuration import SentimentConfig
from .modeling import SentimentModel, SentimentOutput

__all__ = [
    "SentimentClassifier",
    "SentimentConfig",
    "SentimentModel",
    "SentimentOutput",
    "build_model",
]

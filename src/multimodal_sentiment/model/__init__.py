"""The sentiment model: configuration, encoders, fusion, processing; a transformers model."""

from transformers import AutoConfig, AutoModel
from transformers.utils import logging as transformers_logging

from .classifier import SentimentClassifier
from .configuration import SentimentConfig
from .factory import build_model
from .loading import load_image_encoder, load_text_encoder
from .modeling import SentimentModel, SentimentOutput

# Its bars for reading and writing weights say nothing that our own log does not.
transformers_logging.disable_progress_bar()
transformers_logging.set_verbosity_error()

AutoConfig.register(SentimentConfig.model_type, SentimentConfig)
AutoModel.register(SentimentConfig, SentimentModel)

__all__ = [
    "SentimentClassifier",
    "SentimentConfig",
    "SentimentModel",
    "SentimentOutput",
    "build_model",
    "load_image_encoder",
    "load_text_encoder",
]

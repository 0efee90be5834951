"""Sentiment of social-media posts from their text and photo."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("multimodal-sentiment")
except PackageNotFoundError:  # run from a checkout that is not installed
    __version__ = "0.0.0"

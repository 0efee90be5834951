"""The commands of the real project."""

from multimodal_sentiment.cli import cli

__all__ = ["cli"]

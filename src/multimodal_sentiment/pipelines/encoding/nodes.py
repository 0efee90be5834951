"""Nodes of the encoding pipeline."""

from __future__ import annotations

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.parameters import (
    ComparisonParameters,
    ComputeParameters,
    ModelParameters,
    TrainingParameters,
    vary,
)
from multimodal_sentiment.types import Examples, ExampleStream


def encode_posts(
    examples: Examples,
    earlier_features: Examples,
    pretrained_encoders: EncoderStore,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
) -> ExampleStream:
    """Compute the features of posts under the encoders that are frozen.

    Args:
        examples: Texts and images.
        earlier_features: What was computed before; what holds still is used again.
        pretrained_encoders: Where the encoders that `model` names are found.
        model: The architecture.
        training: Says which encoders are frozen: those whose learning rate is 0.
        compute: The device and precision.

    Returns:
        The table that `multimodal_sentiment.learning.frozen` describes.
    """
    from multimodal_sentiment.learning import encode_examples

    variants = [(model, training)]
    table = encode_examples(examples, variants, pretrained_encoders, compute, earlier_features)
    return table.to_reader()


def encode_variants(
    examples: Examples,
    earlier_features: Examples,
    pretrained_encoders: EncoderStore,
    comparison: ComparisonParameters,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
) -> ExampleStream:
    """Do the same for all variants of a comparison."""
    from multimodal_sentiment.learning import encode_examples

    variants = [vary(model, training, changes) for changes in comparison.compared.values()]
    parameters = [(variant.model, variant.training) for variant in variants]
    table = encode_examples(examples, parameters, pretrained_encoders, compute, earlier_features)
    return table.to_reader()

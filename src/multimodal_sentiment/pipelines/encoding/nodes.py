"""Nodes of the encoding pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.parameters import (
    ComparisonParameters,
    ComputeParameters,
    ModelParameters,
    TrainingParameters,
    vary,
)
from multimodal_sentiment.types import Examples, ExampleStream, Frame

_KEPT = "features.arrow"


def encode_posts(
    examples: Examples,
    train_posts: Frame,
    duplicate_groups: Frame,
    earlier_features: Examples,
    unfinished_features: Path,
    pretrained_encoders: EncoderStore,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
) -> ExampleStream:
    """Compute the features of posts under the encoders that are frozen.

    Args:
        examples: Texts and images.
        train_posts: The posts that will be learnt from: they must be enough.
        duplicate_groups: `guid, group`.
        earlier_features: What was computed before; what holds still is used again.
        unfinished_features: A folder for what a run that does not come to its end has computed.
        pretrained_encoders: Where the encoders that `model` names are found.
        model: The architecture.
        training: Says which encoders are frozen: those whose learning rate is 0.
        compute: The device and precision.

    Returns:
        The table that `multimodal_sentiment.learning.frozen` describes.

    Raises:
        ValueError: If a tag has too few training posts.
    """
    from multimodal_sentiment.learning import LabelledPosts, check_counts

    check_counts(LabelledPosts.select(train_posts, examples, duplicate_groups))
    variants = [(model, training)]
    return _encode(
        examples, variants, earlier_features, unfinished_features, pretrained_encoders, compute
    )


def encode_variants(
    examples: Examples,
    train_posts: Frame,
    duplicate_groups: Frame,
    earlier_features: Examples,
    unfinished_features: Path,
    pretrained_encoders: EncoderStore,
    comparison: ComparisonParameters,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
) -> ExampleStream:
    """Do the same for all variants of a comparison.

    Raises:
        ValueError: If a tag has too few training posts, or too few posts for so many folds.
    """
    from multimodal_sentiment.learning import LabelledPosts, check_counts

    learnt = train_posts
    if comparison.folds:  # all posts are learnt from
        learnt = examples.select(["guid", "tag"]).to_pandas()
    posts = LabelledPosts.select(learnt, examples, duplicate_groups)
    check_counts(posts, comparison.folds)
    variants = [vary(model, training, changes) for changes in comparison.compared.values()]
    parameters = [(variant.model, variant.training) for variant in variants]
    return _encode(
        examples, parameters, earlier_features, unfinished_features, pretrained_encoders, compute
    )


def _encode(
    examples: Examples,
    variants: Sequence[tuple[ModelParameters, TrainingParameters]],
    earlier: Examples,
    unfinished: Path,
    encoders: EncoderStore,
    compute: ComputeParameters,
) -> ExampleStream:
    """Encode with what an unfinished run has computed, or else with what an earlier one has."""
    from multimodal_sentiment.datasets import ArrowStreamDataset
    from multimodal_sentiment.learning import encode_examples

    kept = ArrowStreamDataset(filepath=(unfinished / _KEPT).as_posix())
    if kept.exists():
        earlier = kept.load()
    table = encode_examples(
        examples,
        variants,
        encoders,
        compute,
        earlier,
        keep=lambda computed: kept.save(computed.to_reader()),
    )
    return table.to_reader()

"""Nodes of the encoding pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.files import mark_used
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComparisonParameters,
    ComputeParameters,
    ModelParameters,
    SearchParameters,
    TrainingParameters,
    vary,
)
from multimodal_sentiment.types import Examples, ExampleStream, Frame

_KEPT = "features.arrow"


def encode_posts(
    examples: Examples,
    duplicate_groups: Frame,
    earlier_features: Examples,
    unfinished_features: Path,
    pretrained_encoders: EncoderStore,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> ExampleStream:
    """Compute the features of posts under the encoders that are frozen.

    Args:
        examples: Texts and images.
        duplicate_groups: `guid, group`: of each tag there must be groups enough to learn from.
        earlier_features: The features of earlier runs; those that still hold are used again.
        unfinished_features: A folder for what a run that does not come to its end has computed.
        pretrained_encoders: The store of the encoders that `model` names.
        model: The architecture.
        training: The parameters that freeze encoders: those whose learning rate is 0.
        compute: The device and precision.
        cluster: The workers that encode.

    Returns:
        The table that `multimodal_sentiment.predicting.feature_table` describes.

    Raises:
        ValueError: If a tag has too few posts.
    """
    from multimodal_sentiment.predicting import encode_examples

    _check_counts(examples, duplicate_groups)
    earlier, keep = _computed_before(earlier_features, unfinished_features)
    pairs = [(model, training)]
    table = encode_examples(examples, pairs, pretrained_encoders, compute, earlier, keep, cluster)
    return table.to_reader()


def encode_variants(
    examples: Examples,
    duplicate_groups: Frame,
    earlier_features: Examples,
    unfinished_features: Path,
    pretrained_encoders: EncoderStore,
    comparison: ComparisonParameters,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> ExampleStream:
    """Do the same for all variants of a comparison.

    Raises:
        ValueError: If a tag has too few posts, for so many folds too.
    """
    from multimodal_sentiment.predicting import encode_examples

    _check_counts(examples, duplicate_groups, comparison.folds)
    variants = [vary(model, training, changes) for changes in comparison.compared.values()]
    pairs = [(variant.model, variant.training) for variant in variants]
    earlier, keep = _computed_before(earlier_features, unfinished_features)
    table = encode_examples(examples, pairs, pretrained_encoders, compute, earlier, keep, cluster)
    return table.to_reader()


def encode_settings(
    examples: Examples,
    duplicate_groups: Frame,
    earlier_features: Examples,
    unfinished_features: Path,
    pretrained_encoders: EncoderStore,
    search: SearchParameters,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> ExampleStream:
    """Do the same for all settings of a search.

    Raises:
        ValueError: If something is wrong with the space, or a tag has too few posts
            for so many folds.
    """
    from multimodal_sentiment.predicting import encode_examples
    from multimodal_sentiment.searching import Space

    _check_counts(examples, duplicate_groups, search.folds)
    settings = Space.read(search.space, model, training).encoder_settings()
    pairs = [(setting.model, setting.training) for setting in settings]
    earlier, keep = _computed_before(earlier_features, unfinished_features)
    table = encode_examples(examples, pairs, pretrained_encoders, compute, earlier, keep, cluster)
    return table.to_reader()


def _check_counts(examples: Examples, groups: Frame, folds: int | None = None) -> None:
    """Say now what a training would find out only after all posts have been encoded.

    It does not wait for the split, whose layer lies above that of the features.
    """
    from multimodal_sentiment.batches import LabelledPosts, check_counts

    posts = examples.select(["guid", "tag"]).to_pandas()
    check_counts(LabelledPosts.select(posts, examples, groups), folds)


def _computed_before(
    earlier: Examples, unfinished: Path
) -> tuple[Examples, Callable[[Examples], None]]:
    """Return what an unfinished run has computed, or else an earlier one, and what keeps more."""
    from multimodal_sentiment.datasets import ArrowStreamDataset

    kept = ArrowStreamDataset(filepath=(unfinished / _KEPT).as_posix())
    if kept.exists():
        mark_used(unfinished / _KEPT)
        earlier = kept.load()
    return earlier, lambda computed: kept.save(computed.to_reader())

"""Nodes of the encoding pipeline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.files import mark_used
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComparisonParameters,
    ComputeParameters,
    IngestionParameters,
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
    ingestion: IngestionParameters,
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
        ingestion: The parameters that let most posts lack their text, or their image.
        model: The architecture.
        training: The parameters that freeze encoders: those whose learning rate is 0.
        compute: The device and precision.
        cluster: The workers that encode.

    Returns:
        The table that `multimodal_sentiment.predicting.feature_table` describes.

    Raises:
        ValueError: If a tag has too few posts, or most lack what the model reads.
    """
    from multimodal_sentiment.predicting import encode_examples

    _check_counts(examples, duplicate_groups)
    _check_content(examples, {"the model": model}, ingestion)
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
    ingestion: IngestionParameters,
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
    variants = {n: vary(model, training, changes) for n, changes in comparison.compared.items()}
    pairs = [(variant.model, variant.training) for variant in variants.values()]
    models = {f"comparison.variants.{name}": one.model for name, one in variants.items()}
    _check_content(examples, models, ingestion)
    earlier, keep = _computed_before(earlier_features, unfinished_features)
    table = encode_examples(examples, pairs, pretrained_encoders, compute, earlier, keep, cluster)
    return table.to_reader()


def encode_settings(
    examples: Examples,
    duplicate_groups: Frame,
    earlier_features: Examples,
    unfinished_features: Path,
    pretrained_encoders: EncoderStore,
    ingestion: IngestionParameters,
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
    models = {f"model.modality={one.model.modality}": one.model for one in settings}
    _check_content(examples, models, ingestion)
    earlier, keep = _computed_before(earlier_features, unfinished_features)
    table = encode_examples(examples, pairs, pretrained_encoders, compute, earlier, keep, cluster)
    return table.to_reader()


def _check_content(
    examples: Examples,
    models: Mapping[str, ModelParameters],
    ingestion: IngestionParameters,
) -> None:
    """Refuse posts of which most have a blank text, or an image that cannot be used.

    When they were read, only the files that were not there could be counted.
    """
    lacking = {
        "text": [not text.strip() for text in examples["text"].to_pylist()],
        "image": examples["image"].is_null().to_pylist(),
    }
    counts, total = {kind: sum(rows) for kind, rows in lacking.items()}, len(examples)
    for name, model in models.items():
        is_empty = all(counts[kind] == total for kind in model.modalities)
        for kind in model.modalities:
            if 2 * counts[kind] > total and (is_empty or not ingestion.allow_missing):
                reasons = _reasons(examples.filter(lacking[kind]), kind)
                go_on = "; ingestion.allow_missing=true goes on with what is there"
                raise ValueError(
                    f"{counts[kind]:,} of {total:,} posts have no {kind} that can be used{reasons},"
                    f" and {name} reads it{'' if is_empty else go_on}"
                )


def _reasons(lacking: Examples, kind: str) -> str:
    """Return in words what is wrong with most of the posts that lack a modality."""
    from multimodal_sentiment.posts.problems import KINDS, read_problems

    problems = [
        found for entry in lacking["problems"].to_pylist() for found in read_problems(entry)
    ]
    counts = Counter(found.words for found in problems if KINDS[found.code].subject == kind)
    return f" ({counts.most_common(1)[0][0]})" if counts else ""


def _check_counts(examples: Examples, groups: Frame, folds: int | None = None) -> None:
    """Say now what a training would find out only after all posts have been encoded.

    It does not wait for the split, whose layer lies above that of the features.
    """
    from multimodal_sentiment.batches import LabelledPosts
    from multimodal_sentiment.posts.split import check_enough_groups

    frame = examples.select(["guid", "tag"]).to_pandas()
    posts = LabelledPosts.select(frame, examples, groups)
    check_enough_groups(posts.tags, posts.groups, folds or 2)


def _computed_before(
    earlier: Examples | None, unfinished: Path
) -> tuple[list[Examples], Callable[[Examples], None]]:
    """Return what an unfinished run has computed, and an earlier one, and what keeps more."""
    from multimodal_sentiment.datasets import ArrowStreamDataset

    kept = ArrowStreamDataset(filepath=(unfinished / _KEPT).as_posix())
    found = [] if earlier is None else [earlier]
    if kept.exists():
        mark_used(unfinished / _KEPT)
        found.insert(0, kept.load())
    return found, lambda computed: kept.save(computed.to_reader())

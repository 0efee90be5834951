"""Nodes of the comparing pipeline."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComparisonParameters,
    ComputeParameters,
    EvaluationParameters,
    ModelParameters,
    SplittingParameters,
    TrainingParameters,
    vary,
)
from multimodal_sentiment.types import Examples, Figure, Frame, Json

if TYPE_CHECKING:
    import numpy as np

logger = logging.getLogger(__name__)


def train_variants(
    train_posts: Frame,
    validation_posts: Frame,
    examples: Examples,
    duplicate_groups: Frame,
    trainings: Path,
    pretrained_encoders: EncoderStore,
    features: Examples,
    comparison: ComparisonParameters,
    splitting: SplittingParameters,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[Frame, Frame]:
    """Train every variant under every seed, and have each model answer for posts it has not seen.

    Args:
        train_posts: Names posts by `guid`, with their `tag`.
        validation_posts: The others; without folds, the ones that are judged.
        examples: The texts and images of both.
        duplicate_groups: `guid, group`; twins are never on two sides.
        trainings: A folder in which finished trainings wait for the last one.
        pretrained_encoders: The store of the encoders that variants name.
        features: The features of the posts under the encoders that are frozen.
        comparison: The variants, seeds and folds.
        splitting: The parameters whose seed deals the folds.
        model: The architecture that the variants change.
        training: The training parameters that the variants change.
        compute: The device and precision.
        cluster: The workers that train, a model each.

    Returns:
        `variant, seed, fold, guid, tag, predicted, p_<label>...`, a row for each variant, seed and
        judged post; and the trainings' histories, see `run_trainings`.

    Raises:
        ValueError: If a tag has too few posts for so many folds.
    """
    import numpy as np
    import pandas as pd

    from multimodal_sentiment.batches import LabelledPosts
    from multimodal_sentiment.learning import FoldTraining, KeptTrainings, run_trainings
    from multimodal_sentiment.posts.split import grouped_folds

    frame = pd.concat([train_posts, validation_posts], ignore_index=True)
    posts = LabelledPosts.select(frame, examples, duplicate_groups)
    if comparison.folds is None:
        folds = np.repeat([-1, 0], [len(train_posts), len(validation_posts)])
    else:
        folds = grouped_folds(posts.tags, posts.groups, comparison.folds, splitting.seed)
    variants = {
        name: vary(model, training, changes) for name, changes in comparison.compared.items()
    }
    # Seed by seed, so that each variant has been seen early, and the time left is known.
    planned = [
        FoldTraining(
            name,
            seed,
            fold,
            comparison.folds,
            variant.model,
            variant.training.model_copy(update={"seed": variant.training.seed + seed}),
        )
        for seed in range(comparison.seeds)
        for fold in range(comparison.folds or 1)
        for name, variant in variants.items()
        # Solved heads draw nothing at random: one seed says all.
        if seed == 0 or not variant.model.has_solved_heads
    ]
    kept = KeptTrainings(posts, folds, compute, trainings, pretrained_encoders, features, cluster)
    return run_trainings(planned, kept)


def judge_comparison(
    predictions: Frame,
    train_posts: Frame,
    validation_posts: Frame,
    examples: Examples,
    duplicate_groups: Frame,
    corrections: Frame,
    comparison: ComparisonParameters,
    splitting: SplittingParameters,
    model: ModelParameters,
    training: TrainingParameters,
    evaluation: EvaluationParameters,
) -> Json:
    """Judge what the answers of the variants prove.

    Args:
        predictions: The predictions from `train_variants`.
        train_posts: The training posts with their `text`, for the baselines.
        validation_posts: The same.
        examples: The table that tells which posts lack their image.
        duplicate_groups: `guid, group`; twins are one unit of the bootstrap.
        corrections: `guid, original` of the tags that were corrected.
        comparison: The pairs that are compared.
        splitting: The way in which posts were divided, for the protocol.
        model: The architecture that the variants change.
        training: The training parameters that the variants change.
        evaluation: The number of draws of the bootstrap, and the level of intervals.

    Returns:
        `verdict` (sentences), `majority` (the commonest tag), `n` posts in how many `groups` of
        twins, `modalities` (of each variant), `table` (variants and baselines, see
        `judge_variants`), `pairs` and `against_baselines` (see `compare_variants`), `slices`,
        `protocol`.
    """
    import pandas as pd

    from multimodal_sentiment.assessment import (
        compare_variants,
        judge_slices,
        judge_variants,
        summarise_comparison,
    )
    from multimodal_sentiment.parameters import BASELINES
    from multimodal_sentiment.posts.split import describe_split

    from .answers import answers_of, baselines_of, gather_posts, slices_of

    posts = gather_posts(train_posts, validation_posts, examples, duplicate_groups, predictions)
    judged = posts[posts["fold"] >= 0]
    labels = sorted(posts["tag"].unique())
    true, groups = judged["true"].to_numpy(), judged["group"].to_numpy()
    drawing = evaluation.drawing
    modalities = {
        name: vary(model, training, changes).model.modality
        for name, changes in comparison.compared.items()
    }
    answers = answers_of(predictions, judged["guid"], list(modalities))
    baselines, methods = baselines_of(posts)
    everyone = answers | {name: tags[None] for name, tags in baselines.items()}
    repeated = _repeat(everyone)
    rivals = [(name, baseline) for name in answers for baseline in BASELINES]
    result: Json = {
        "n": len(judged),
        "groups": judged["group"].nunique(),
        "modalities": modalities,
        "table": judge_variants(true, everyone, groups, labels, **drawing),
        "pairs": compare_variants(
            true, repeated, comparison.compared_pairs, groups, labels, **drawing
        ),
        "against_baselines": compare_variants(true, repeated, rivals, groups, labels, **drawing),
        "slices": judge_slices(
            true,
            everyone,
            groups,
            labels,
            slices_of(judged, predictions, labels, modalities),
            **drawing,
        ),
    }
    for name, method in methods.items():
        result["table"][name]["method"] = method
    majority = str(pd.Series(baselines["majority"]).mode()[0])
    level, margin = evaluation.confidence_level, comparison.margin
    return {
        "verdict": summarise_comparison(result, modalities, majority, level=level, margin=margin),
        "majority": majority,
        **result,
        "protocol": _describe_protocol(posts, comparison, level)
        | {
            "seeds": max(len(tags) for tags in answers.values()),
            "split": describe_split(
                train_posts,
                validation_posts,
                corrections,
                duplicate_groups.set_index("guid")["group"],
                splitting,
            ),
        },
    }


def tabulate_comparison(comparison: Json) -> Frame:
    """Tabulate each variant and baseline: scores, their intervals, and their spread over seeds."""
    import pandas as pd

    rows = []
    for name, score in comparison["table"].items():
        row: Json = {"variant": name, "seeds": score["seeds"]}
        for measure in ("accuracy", "macro_f1", "weighted_f1"):
            row[measure] = score[measure]
            row[f"{measure}_low"], row[f"{measure}_high"] = score["intervals"][measure]
            row[f"{measure}_spread"] = score["spread"][measure]
        rows.append(row | {f"f1_{label}": one["f1"] for label, one in score["per_class"].items()})
    return pd.DataFrame(rows).round(4)


def plot_comparison(comparison: Json) -> tuple[Figure, Figure, Figure]:
    """Draw scores with their intervals, differences of the pairs, and scores of the slices."""
    from multimodal_sentiment.reporting import kedro_viz

    return (
        kedro_viz.variants(comparison["table"]),
        kedro_viz.differences(comparison["pairs"], comparison["protocol"]["confidence_level"]),
        kedro_viz.slices(comparison["slices"]),
    )


def find_doubtful_posts(
    predictions: Frame,
    comparison: Json,
    train_posts: Frame,
    validation_posts: Frame,
    duplicate_groups: Frame,
    parameters: ComparisonParameters,
) -> Frame:
    """List posts worth a second look: doubted tags, and twins whose tags contradict each other.

    Doubts are those of the most accurate variant, by the mean of its seeds' probabilities; a post
    that no model was kept from has none.

    Returns:
        `guid, tag, why, probability` (of the tag), `answer, text, img_path`; the most doubted
        first, then the remaining twins, group by group.
    """
    from .answers import describe_doubts

    best = max(parameters.compared, key=lambda name: comparison["table"][name]["accuracy"])
    doubts = describe_doubts(
        predictions[predictions["variant"] == best],
        [train_posts, validation_posts],
        duplicate_groups,
        parameters.second_look,
    )
    logger.info("%s posts are worth a second look", f"{len(doubts):,}")
    return doubts


def _describe_protocol(posts: Frame, comparison: ComparisonParameters, level: float) -> Json:
    """Say which posts were judged, and how."""
    from multimodal_sentiment.fingerprint import digest

    is_judged = posts["fold"] >= 0
    judged = posts[is_judged]
    # Only a split that came with the posts divides twins.
    twins = int(judged["group"].isin(posts.loc[~is_judged, "group"]).sum())
    return {
        "posts": {
            "judged": len(judged),
            # In folds, each post has its turn on both sides.
            "learnt from": len(posts) if comparison.folds else int((~is_judged).sum()),
        },
        "corrected_tags": int((posts["tag"] != posts["original"]).sum()),
        "folds": comparison.folds,
        "variants": comparison.compared,
        "judged_sha256": digest(judged["guid"]),
        "twins_in_training": twins,
        "judged": "each post by models that learnt from neither it nor its twins"
        f"{f', but for {twins:,} that have a twin among the training posts' if twins else ''}; "
        "means over seeds; under the original tags, whatever was corrected, but for tags that no "
        "post has any more",
        "tests": "bootstrap over groups of twins of the difference of the means over seeds; beside "
        "it McNemar's exact test; each corrected over the pairs by Holm's method",
        "confidence_level": level,
        "margin": comparison.margin,
    }


def _repeat(answers: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Give what has one seed, as nothing in it is drawn at random, as many as the others have."""
    import numpy as np

    seeds = max(len(tags) for tags in answers.values())
    return {name: np.broadcast_to(tags, (seeds, tags.shape[1])) for name, tags in answers.items()}

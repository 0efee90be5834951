"""Nodes of the search pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from multimodal_sentiment.encoders import EncoderStore
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComputeParameters,
    EvaluationParameters,
    ModelParameters,
    SearchParameters,
    SplittingParameters,
    TrainingParameters,
)
from multimodal_sentiment.types import Examples, Figure, Frame, Json


def try_settings(
    train_posts: Frame,
    examples: Examples,
    duplicate_groups: Frame,
    trials: Path,
    pretrained_encoders: EncoderStore,
    features: Examples,
    search: SearchParameters,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[Json, Frame]:
    """Judge the default and many other settings by grouped folds of the training posts.

    Args:
        train_posts: Names posts by `guid`, with their `tag`.
        examples: Their texts and images.
        duplicate_groups: `guid, group`; twins are never in two folds.
        trials: A folder in which finished trials and folds wait for the end of the search.
        pretrained_encoders: The store of the encoders that the space names.
        features: The features of the posts under every frozen encoder of the space.
        search: The space, the objective and the budget.
        model: The architecture as it is configured: the default.
        training: The training parameters as they are configured: the default.
        compute: The device and precision.
        cluster: The workers that train, on a fold each.

    Returns:
        The search, and the predictions of all training posts by the default and each trial that was
        judged on all folds: see `multimodal_sentiment.searching.trying`.

    Raises:
        ValueError: If something is wrong with the space, or a tag has too few posts for the folds.
    """
    from multimodal_sentiment.batches import LabelledPosts
    from multimodal_sentiment.learning import KeptTrainings
    from multimodal_sentiment.posts.split import grouped_folds
    from multimodal_sentiment.predicting import check_features
    from multimodal_sentiment.searching import Space
    from multimodal_sentiment.searching.trying import search_settings

    space = Space.read(search.space, model, training)
    needed = [(setting.model, setting.training) for setting in space.encoder_settings()]
    check_features(features, examples, needed, pretrained_encoders)
    posts = LabelledPosts.select(train_posts, examples, duplicate_groups)
    folds = grouped_folds(posts.tags, posts.groups, search.folds, search.seed)
    kept = KeptTrainings(posts, folds, compute, trials, pretrained_encoders, features, cluster)
    return search_settings(space, kept, search, trials)


def train_best(
    study: Json,
    train_posts: Frame,
    validation_posts: Frame,
    examples: Examples,
    duplicate_groups: Frame,
    trials: Path,
    pretrained_encoders: EncoderStore,
    features: Examples,
    search: SearchParameters,
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> Frame:
    """Train the default and the best setting on all training posts, and predict validation posts.

    Args:
        study: The study from `try_settings`.
        train_posts: The posts that are learnt from.
        validation_posts: The posts that are predicted; they have chosen nothing.
        examples: The texts and images of both, and the tags of the listing, by which validation
            posts are judged, whatever was corrected; but for those that no training post has.
        duplicate_groups: `guid, group`.
        trials: The same as in `try_settings`.
        pretrained_encoders: The same.
        features: The same.
        search: The space.
        model: The default architecture.
        training: The default training parameters.
        compute: The device and precision.
        cluster: The workers that train, on a fold each.

    Returns:
        The columns of `run_trainings`; the variants are `default` and the trial's name.
    """
    import numpy as np
    import pandas as pd

    from multimodal_sentiment.batches import LabelledPosts
    from multimodal_sentiment.learning import FoldTraining, KeptTrainings, run_trainings
    from multimodal_sentiment.searching import Space
    from multimodal_sentiment.searching.trying import DEFAULT

    space = Space.read(search.space, model, training)
    best = next(trial for trial in study["trials"] if trial["name"] == study["best"])
    settings = {DEFAULT: space.apply({}), best["name"]: space.apply(best["values"])}
    listed = examples.select(["guid", "tag"]).to_pandas().set_index("guid")["tag"]
    tags = validation_posts["guid"].map(listed)
    known = tags.isin(train_posts["tag"])
    judged = validation_posts.assign(tag=tags.where(known, validation_posts["tag"]))
    both = pd.concat([train_posts, judged], ignore_index=True)
    posts = LabelledPosts.select(both, examples, duplicate_groups)
    sides = np.repeat([-1, 0], [len(train_posts), len(validation_posts)])
    trainings = [
        FoldTraining(name, 0, 0, None, one.model, one.training) for name, one in settings.items()
    ]
    kept = KeptTrainings(posts, sides, compute, trials, pretrained_encoders, features, cluster)
    answers, _ = run_trainings(trainings, kept)
    return answers


def judge_search(
    study: Json,
    fold_predictions: Frame,
    validation_predictions: Frame,
    train_posts: Frame,
    validation_posts: Frame,
    duplicate_groups: Frame,
    corrections: Frame,
    search: SearchParameters,
    splitting: SplittingParameters,
    evaluation: EvaluationParameters,
) -> Json:
    """Choose between the best trial and the default, and say what the choice is worth.

    Args:
        study: The study from `try_settings`.
        fold_predictions: The same.
        validation_predictions: The predictions from `train_best`.
        train_posts: The posts that were learnt from.
        validation_posts: The others.
        duplicate_groups: `guid, group`; twins are one unit of the bootstrap.
        corrections: `guid, original` of the tags that were corrected.
        search: The way in which settings were tried, for the protocol.
        splitting: The way in which posts were divided, for the protocol.
        evaluation: The number of draws of the bootstrap, and the level of intervals.

    Returns:
        What `judge_choice` returns, and the `protocol`.
    """
    from multimodal_sentiment.fingerprint import digest
    from multimodal_sentiment.posts.split import describe_split
    from multimodal_sentiment.searching import judge_choice

    group_of = duplicate_groups.set_index("guid")["group"]
    result = judge_choice(
        study, fold_predictions, validation_predictions, group_of, **evaluation.drawing
    )
    judged = validation_predictions["guid"].drop_duplicates()
    protocol = {
        "posts": {"training": fold_predictions["guid"].nunique(), "validation": len(judged)},
        "validation_sha256": digest(judged),
        "split": describe_split(train_posts, validation_posts, corrections, group_of, splitting),
        "search": search.model_dump(exclude={"space"}) | {"space": study["space"]},
        "chosen": "by folds of the training posts; the best trial where its lead is more than "
        "chance shows among all of them (single-step maximum of studentised differences), else the "
        "default",
        "judged": "once, on validation posts that chose nothing, by the tags of their listing "
        "(folds: by tags as corrected); bootstrap over groups of twins",
    }
    return {**result, "protocol": protocol}


def tabulate_search(study: Json) -> Frame:
    """Tabulate the default and each trial: state, score, folds, seconds, and its parameters.

    Parameters are written in full, so that a trial can be repeated.
    """
    import pandas as pd

    from multimodal_sentiment.searching.dimensions import in_words

    def exact(value: Any) -> str:
        return repr(value) if isinstance(value, float) else in_words(value)

    default = {"name": "default", "state": "judged", "folds": study["folds"], **study["default"]}
    return pd.DataFrame(
        {
            "trial": one["name"],
            "state": one["state"],
            study["objective"]: one["score"],
            "folds": one["folds"],
            "seconds": one["seconds"],
            **{
                name: exact(one["values"][name]) if name in one["values"] else ""
                for name in study["space"]
            },
        }
        for one in [default, *study["trials"]]
    )


def write_chosen_parameters(search: Json) -> str:
    """Write the chosen setting as a file of parameters that can be copied into conf/local."""
    from multimodal_sentiment.searching import write_parameters

    return write_parameters(search)


def plot_search(study: Json) -> tuple[Figure, Figure]:
    """Draw the scores in the order of the trials, and how much each parameter mattered."""
    from multimodal_sentiment.reporting import charts, kedro_viz

    history = kedro_viz.draw("Trials in their order", charts.search_history(study))
    return history, kedro_viz.search_importances(study["importances"])


def write_search_report(search: Json, study: Json, parameters: str) -> str:
    """Write one HTML page: what was found and what it is worth, figures, trials and parameters."""
    from multimodal_sentiment.reporting import write_search_page

    return write_search_page(search, study, parameters)

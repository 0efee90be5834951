"""Fits a new classifier to labelled posts."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from multimodal_sentiment.batches import LabelledPosts, preparation_of
from multimodal_sentiment.compute.device import choose_worker_device
from multimodal_sentiment.encoders import EncoderStore, find_encoder
from multimodal_sentiment.files import mark_used
from multimodal_sentiment.fingerprint import digest, digest_posts, fingerprint_training
from multimodal_sentiment.model import SentimentClassifier
from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComputeParameters,
    ModelParameters,
    TrainingParameters,
)
from multimodal_sentiment.posts.content_keys import content_keys
from multimodal_sentiment.predicting.feature_table import (
    computed_on,
    content_digests,
    feature_columns,
    take_features,
)

from .gradient_descent.train import train
from .linear_heads.solve import solve
from .plan import Plan

logger = logging.getLogger(__name__)


def fit_classifier(
    posts: LabelledPosts,
    encoding_profile: dict[str, Any],
    model: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    checkpoints: Path,
    encoders: EncoderStore,
    features: pa.Table,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> tuple[SentimentClassifier, pd.DataFrame]:
    """Fit a new classifier to posts.

    Args:
        posts: All posts to learn from.
        encoding_profile: The share of each encoding in their source; kept with the classifier.
        model: The architecture.
        training: The training parameters.
        compute: The device and precision.
        checkpoints: The folder for what an interrupted training needs to go on.
        encoders: The store of pretrained encoders.
        features: The features of frozen encoders, from `encode_examples`.
        cluster: The workers that share a training by gradient descent.

    Returns:
        The classifier, and one row for each epoch, or for each strength of regularisation that was
        tried.

    Raises:
        ValueError: If the posts are too few, or an encoder or device is not there.
    """
    columns = feature_columns(model, training, encoders, features)
    plan = Plan(
        model=model,
        training=training,
        compute=compute,
        cluster=cluster,
        # Linear heads are solved in this process, whoever has encoded the posts.
        device=choose_worker_device(
            compute, IN_THIS_PROCESS if model.has_solved_heads else cluster
        ),
        labels=sorted(set(posts.tags)),
        encoders={
            name: find_encoder(encoders, name, encoder) for name, encoder in model.encoders.items()
        },
        features=take_features(features, posts.examples, posts.rows, columns),
        folder=checkpoints,
    )
    origins = {name: encoder.identify() for name, encoder in plan.encoders.items()}
    fingerprint = _fingerprint(plan, posts, features, origins)
    plan = replace(plan, folder=checkpoints / fingerprint)
    _check_and_tell(plan)
    if training.resume:
        mark_used(plan.folder)
    fitted = solve(plan, posts) if plan.is_solved else train(plan, posts)
    fitted.model.config.training = fitted.record | {
        "fingerprint": fingerprint,
        "posts_sha256": digest(sorted(posts.guids)),
        "seed": training.seed,
        "pictures": preparation_of(posts.examples),
        "device": plan.place,
        "encoders": origins,
        "frozen": list(columns),
        "features": columns,
    }
    classifier = SentimentClassifier(
        fitted.model,
        fitted.tokenizer,
        encoding_profile,
        terms=fitted.terms,
        learnt_keys=_learnt_keys(posts),
    )
    return classifier, fitted.history


def _fingerprint(
    plan: Plan, posts: LabelledPosts, features: pa.Table, origins: dict[str, Any]
) -> str:
    """Return what all that an interrupted training needs is kept under."""
    content = digest_posts(posts, *content_digests(features, posts.examples, posts.rows))
    return fingerprint_training(
        content,
        np.ones(len(posts), dtype=bool),
        plan.model,
        plan.training,
        origins,
        plan.device,
        plan.processes,
        computed_on(features),
    )


def _check_and_tell(plan: Plan) -> None:
    """Refuse processes that cannot be had, and say what of the parameters does not count."""
    if plan.device.kind == "mps" and plan.compute.processes > 1:
        raise ValueError("compute.processes: mps is a single device: set it to 1")
    if plan.is_solved and plan.compute.processes > 1:
        logger.info("Linear heads are solved in this process: they are not shared")
    if plan.training.resume and not plan.is_solved and not plan.folder.exists():
        logger.warning(
            "training.resume: no checkpoint of these posts and parameters: starting anew"
        )


def _learnt_keys(posts: LabelledPosts) -> NDArray[np.uint64]:
    """Return the sorted keys of posts."""
    hashes = posts.examples["image_hash"].take(pa.array(posts.rows)).to_pylist()
    keys = np.unique(content_keys(posts.texts, hashes))
    return keys[keys > 0]

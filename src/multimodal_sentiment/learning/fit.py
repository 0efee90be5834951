"""A new model is fitted to posts."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from transformers import EarlyStoppingCallback, PrinterCallback, TrainingArguments, set_seed

from multimodal_sentiment.assessment import fit_temperature
from multimodal_sentiment.encoders import Encoder, EncoderStore, find_encoder
from multimodal_sentiment.model import SentimentClassifier, SentimentModel, build_model
from multimodal_sentiment.parameters import ComputeParameters, ModelParameters, TrainingParameters
from multimodal_sentiment.posts.split import grouped_split

from .checkpoints import fingerprint_of, newest_checkpoint
from .compile import compiled, worth_compiling
from .dataset import digest, preparation_of
from .device import Device, choose_device
from .frozen import compute_features, encoders_aside
from .posts import TrainingPosts
from .predict import predict_logits
from .trainer import Progress, SentimentTrainer, history_of, judge_tuning, learning_rate_of

logger = logging.getLogger(__name__)

FEATURES = "features"  # the folder, beside checkpoints, of what frozen encoders have computed


def fit_classifier(
    posts: TrainingPosts,
    encoding_profile: dict[str, Any],
    model_parameters: ModelParameters,
    training: TrainingParameters,
    compute: ComputeParameters,
    checkpoints: Path,
    encoders: EncoderStore,
) -> tuple[SentimentClassifier, pd.DataFrame]:
    """Fit a new classifier.

    A grouped part of the posts is held out to choose the epoch and the temperature.

    Args:
        posts: All posts that may teach.
        encoding_profile: Kept with the classifier.
        model_parameters: The architecture.
        training: How to fit it.
        compute: What to run on.
        checkpoints: A folder for what an interrupted training needs to go on.
        encoders: Where pretrained encoders are found.

    Returns:
        The classifier, and one row an epoch of how its training went.

    Raises:
        ValueError: If the posts are too few, or an encoder or device is not there.
    """
    device = choose_device(compute)
    held_out = grouped_split(posts.tags, posts.groups, training.tuning_fraction, training.seed)
    learning, tuning = posts.take(~held_out), posts.take(held_out)
    set_seed(training.seed)
    labels = sorted(set(posts.tags))
    pretrained = {
        modality: find_encoder(encoders, modality, name)
        for modality, name in model_parameters.encoders.items()
    }
    origins = {modality: encoder.identify() for modality, encoder in pretrained.items()}
    model, tokenizer = build_model(
        model_parameters,
        labels,
        learning.texts,
        pretrained,
        label_smoothing=training.label_smoothing,
        class_weights=_class_weights(learning.tags, labels, training.class_weights),
    )
    classifier = SentimentClassifier(model, tokenizer, encoding_profile)
    frozen = _freeze(model, training)
    logger.info("%s", _describe(classifier, pretrained, device, len(learning), len(tuning)))

    fingerprint = fingerprint_of(posts, model_parameters, training, origins)
    resumed = newest_checkpoint(checkpoints, fingerprint, training.resume)
    features = compute_features(classifier, frozen, posts, compute, checkpoints / FEATURES)
    truth = np.array([labels.index(tag) for tag in tuning.tags])
    with encoders_aside(model, frozen):
        learning_set, tuning_set = (
            part.with_features(
                classifier,
                {name: rows[which] for name, rows in features.items()},
                crop_seed=crop_seed,
            )
            for part, which, crop_seed in [
                (learning, ~held_out, training.seed),
                (tuning, held_out, None),
            ]
        )
        trainer = SentimentTrainer(
            training=training,
            device=device,
            tokenizer=tokenizer,
            model=device.prepare_model(model),
            args=_arguments(training, compute, device, len(learning), checkpoints / fingerprint),
            train_dataset=learning_set,
            eval_dataset=tuning_set,
            data_collator=dict,
            compute_metrics=judge_tuning,
            callbacks=[EarlyStoppingCallback(training.patience), Progress(len(learning), device)],
        )
        trainer.remove_callback(PrinterCallback)
        lessons = len(learning) * training.epochs
        worth = worth_compiling(compute.compile, model, device.kind, lessons)
        with compiled(model, device.kind) if worth else nullcontext():
            trainer.train(resume_from_checkpoint=resumed)
        logits = predict_logits(classifier, tuning_set, compute)
    history = pd.DataFrame(history_of(trainer.state))
    model.config.calibration_temperature = fit_temperature(logits, truth)
    kept = history.loc[history["chosen"]].iloc[0]
    model.config.training = {
        "fingerprint": fingerprint,
        "posts_sha256": digest(
            sorted(posts.examples["guid"].take(pa.array(posts.rows)).to_pylist())
        ),
        "learning_posts": len(learning),
        "tuning_posts": len(tuning),
        "epoch": int(kept["epoch"]),
        "tuning": {
            "accuracy": float(kept["tuning_accuracy"]),
            "macro_f1": float(kept["tuning_macro_f1"]),
        },
        "seed": training.seed,
        "pictures": preparation_of(posts.examples),
        "device": str(device),
        "encoders": origins,
        "frozen": frozen,
    }
    return classifier, history


def _class_weights(tags: np.ndarray, labels: list[str], kind: str) -> list[float] | None:
    if kind == "none":
        return None
    balanced = np.array([len(tags) / (len(labels) * (tags == label).sum()) for label in labels])
    weights: list[float] = (np.sqrt(balanced) if kind == "sqrt" else balanced).tolist()
    return weights


def _freeze(model: SentimentModel, training: TrainingParameters) -> list[str]:
    """Freeze the encoders whose learning rate is 0, and say of which modalities they are."""
    for name, parameter in model.named_parameters():
        parameter.requires_grad = learning_rate_of(name, training.learning_rate) > 0
    return [name for name in model.branches if not getattr(training.learning_rate, name)]


def _describe(
    classifier: SentimentClassifier,
    pretrained: Mapping[str, Encoder],
    device: Device,
    learning: int,
    tuning: int,
) -> str:
    config, parts = classifier.config, []
    if config.uses_text:
        text = config.text_config
        origin = pretrained.get("text", "from scratch")
        parts.append(f"{text.model_type} of {text.num_hidden_layers} layers ({origin})")
    if config.uses_image:
        image = config.image_config
        origin = pretrained.get("image", "from scratch")
        parts.append(f"{image['architecture']} at {image['size']} px ({origin})")
    size = classifier.num_parameters / 1e6
    note = "" if len(pretrained) == len(parts) else "; --env=pretrained is the real thing"
    return (
        f"Training {' and '.join(parts)}, {size:.1f} million weights, on {device}: "
        f"{learning:,} posts to learn from, {tuning:,} to tune by{note}"
    )


def _arguments(
    training: TrainingParameters,
    compute: ComputeParameters,
    device: Device,
    posts: int,
    folder: Path,
) -> TrainingArguments:
    steps = math.ceil(posts / training.batch_size) * training.epochs
    arguments = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=training.epochs,
        per_device_train_batch_size=training.batch_size,
        per_device_eval_batch_size=compute.prediction_batch_size,
        learning_rate=training.learning_rate.heads,
        weight_decay=training.weight_decay,
        warmup_steps=round(training.warmup_fraction * steps),
        lr_scheduler_type="cosine",
        max_grad_norm=training.max_gradient_norm,
        optim="adamw_torch_fused",
        seed=training.seed,
        data_seed=training.seed,
        use_cpu=device.kind == "cpu",
        bf16=device.bf16,
        dataloader_num_workers=device.workers,
        dataloader_persistent_workers=device.workers > 0,
        dataloader_pin_memory=device.kind == "cuda",
        # The state of every random generator is kept at the end of an epoch, so that a training
        # that goes on from there ends as if it had never stopped.
        eval_strategy="epoch",
        logging_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="selection",
        greater_is_better=True,
        restore_callback_states_from_checkpoint=True,
        logging_nan_inf_filter=False,  # to look at each step's loss, a GPU would be waited for
        remove_unused_columns=False,
        label_names=["labels"],
        disable_tqdm=True,
        report_to="none",
    )
    # One device: on a machine with several GPUs, the Trainer would make each batch as many times
    # as large, and part it among copies of the model.
    arguments._n_gpu = min(1, arguments.n_gpu)
    return arguments

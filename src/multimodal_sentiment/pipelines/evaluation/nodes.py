"""Nodes of the evaluation pipeline."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from multimodal_sentiment.parameters import (
    IN_THIS_PROCESS,
    ClusterParameters,
    ComparisonParameters,
    ComputeParameters,
    EvaluationParameters,
    SplittingParameters,
)
from multimodal_sentiment.types import Examples, Figure, Frame, Json, SentimentClassifier

if TYPE_CHECKING:
    from multimodal_sentiment.assessment import Baseline

logger = logging.getLogger(__name__)


def predict_validation(
    fusion_model: SentimentClassifier,
    validation_posts: Frame,
    examples: Examples,
    features: Examples,
    compute: ComputeParameters,
    cluster: ClusterParameters = IN_THIS_PROCESS,
) -> Frame:
    """Predict the validation posts: `guid, tag, predicted, confidence, p_<label>..., problems`.

    A model of text and image adds `decided_by, text_contribution, image_contribution, text_alone,
    image_alone`; see `predict_examples`.
    """
    from multimodal_sentiment.batches import rows_of
    from multimodal_sentiment.predicting import predict_examples

    rows = rows_of(validation_posts["guid"], examples)
    return predict_examples(fusion_model, examples, rows, compute, features, cluster)


def evaluate_predictions(
    predictions: Frame,
    fusion_model: SentimentClassifier,
    train_posts: Frame,
    validation_posts: Frame,
    duplicate_groups: Frame,
    corrections: Frame,
    manifest: Frame,
    splitting: SplittingParameters,
    evaluation: EvaluationParameters,
    comparison: ComparisonParameters,
) -> Json:
    """Measure how good the model is, how sure that is, and what simpler ways reach.

    Args:
        predictions: The predictions of the validation posts.
        fusion_model: The model that made them; its record says what it learnt from.
        train_posts: The posts that the baselines learn from.
        validation_posts: In the order of the predictions, with their tags as corrected; the
            predictions have the original ones.
        duplicate_groups: `guid, group`; twins are one unit of the bootstrap.
        corrections: `guid, tag, original, sha256` of the tags that a person has corrected.
        manifest: The list of the files that the posts were read from.
        splitting: The way in which posts were divided.
        evaluation: The parameters of the judgement.
        comparison: The parameters that say which difference does not matter.

    Returns:
        `n, accuracy, macro_f1, weighted_f1, per_class, intervals, accuracy_interval, baselines,
        against_baselines, modalities, twins_in_training, scripts, parts, calibration, abstention,
        protocol`; and where validation tags were corrected, under `corrected` the scores under
        these.

    Raises:
        ValueError: If the model has learnt from other posts than `train_posts`.
    """
    from multimodal_sentiment.assessment import judge_predictions, judge_without
    from multimodal_sentiment.posts.split import describe_split

    from .questions import (
        judge_abstention,
        judge_modalities,
        judge_parts,
        judge_scripts,
    )

    _refuse_other_split(fusion_model, train_posts)
    labels = list(fusion_model.labels)
    true, predicted = predictions["tag"], predictions["predicted"]
    group_of = duplicate_groups.set_index("guid")["group"]
    groups = group_of.loc[predictions["guid"]]
    margin, drawing = comparison.margin, evaluation.drawing
    metrics = judge_predictions(true, predicted, groups, labels, **drawing)
    tags = validation_posts["tag"].to_numpy()
    if (tags != true.to_numpy()).any():
        metrics["corrected"] = judge_predictions(tags, predicted, groups, labels, **drawing)
    baselines = _answer_simply(train_posts, validation_posts["text"])
    metrics |= _compare_with_baselines(predictions, baselines, groups, labels, margin, drawing)
    simple = {name: baseline.predicted for name, baseline in baselines.items()}
    metrics |= {
        "modalities": judge_modalities(predictions, groups, labels, margin=margin, **drawing),
        "scripts": judge_scripts(
            predictions, validation_posts["text"], groups, labels, baselines=simple, **drawing
        ),
        "parts": judge_parts(
            predictions,
            groups,
            labels,
            modality=fusion_model.config.modality,
            baselines=simple,
            **drawing,
        ),
        "abstention": judge_abstention(
            predictions, groups, labels, target=evaluation.target_accuracy, **drawing
        ),
    }
    metrics["twins_in_training"] = judge_without(
        groups.isin(group_of.loc[train_posts["guid"]]), true, predicted, groups, labels, **drawing
    )
    metrics["calibration"] = _calibration(predictions, fusion_model, evaluation.calibration_bins)
    metrics["protocol"] = {
        **_describe_posts(train_posts, validation_posts, corrections, manifest),
        "split": describe_split(train_posts, validation_posts, corrections, group_of, splitting),
        "model": {"version": fusion_model.version, "modality": fusion_model.config.modality}
        | fusion_model.config.training,
        "confidence_level": evaluation.confidence_level,
        "judged": "validation posts chose nothing of the model; intervals by bootstrap over groups "
        "of twins",
    }
    _log(metrics)
    return metrics


def plot_evaluation(
    predictions: Frame, metrics: Json
) -> tuple[Figure, Figure, Figure, Figure, Figure]:
    """Draw confusion matrix, F1 of each class, reliability, confidence and contributions."""
    from multimodal_sentiment.assessment import confusion
    from multimodal_sentiment.reporting import charts, kedro_viz

    labels = list(metrics["per_class"])
    is_right = predictions["tag"] == predictions["predicted"]
    confidences = charts.confidences(predictions["confidence"], is_right)
    return (
        kedro_viz.confusion_matrix(
            confusion(predictions["tag"], predictions["predicted"], labels), labels
        ),
        kedro_viz.per_class_f1(metrics),
        kedro_viz.draw(
            "Reliability: confidence against accuracy", charts.reliability(metrics["calibration"])
        ),
        kedro_viz.draw("Confidence of right and wrong answers", confidences),
        kedro_viz.draw("What the answers were owed to", charts.contributions(predictions)),
    )


def _refuse_other_split(fusion_model: SentimentClassifier, train_posts: Frame) -> None:
    from multimodal_sentiment.fingerprint import digest

    if fusion_model.config.training["posts_sha256"] != digest(sorted(train_posts["guid"])):
        raise ValueError(
            f"fusion_model {fusion_model.version} has learnt from other posts than train_posts "
            "holds, so validation_posts may be among them: pin versions that belong together with "
            "--load-versions, or train again"
        )


def _answer_simply(train_posts: Frame, texts: Any) -> dict[str, Baseline]:
    """Return what simpler ways answer to texts, by their names."""
    from multimodal_sentiment.assessment import majority_baseline, tfidf_baseline

    train_tags = train_posts["tag"].tolist()
    return {
        "majority": majority_baseline(train_tags, len(texts)),
        "tfidf": tfidf_baseline(train_posts["text"].tolist(), train_tags, texts.tolist()),
    }


def _compare_with_baselines(
    predictions: Frame,
    baselines: dict[str, Baseline],
    groups: Any,
    labels: list[str],
    margin: float,
    drawing: dict[str, Any],
) -> Json:
    """Judge what simpler ways reach, and whether the model is better than they are."""
    from multimodal_sentiment.assessment import compare_answers, judge_predictions

    true = predictions["tag"]
    answers: dict[str, Any] = {"model": predictions["predicted"]}
    answers |= {name: baseline.predicted for name, baseline in baselines.items()}
    return {
        "baselines": {
            name: {"method": baseline.method}
            | judge_predictions(true, baseline.predicted, groups, labels, **drawing)
            for name, baseline in baselines.items()
        },
        "against_baselines": compare_answers(
            true, answers, groups, labels, margin=margin, **drawing
        ),
    }


def _describe_posts(
    train_posts: Frame, validation_posts: Frame, corrections: Frame, manifest: Frame
) -> Json:
    """Say which posts the model was judged on, and from which files they came."""
    from multimodal_sentiment.fingerprint import digest

    from .questions import count_corrections

    return {
        "posts": {"training": len(train_posts), "validation": len(validation_posts)},
        "validation_sha256": digest(validation_posts["guid"]),
        "manifest_sha256": digest(manifest["file"] + " " + manifest["sha256"]),
        "corrections": count_corrections(corrections, train_posts, validation_posts),
    }


def _log(metrics: Json) -> None:
    logger.info(
        "%s validation posts: accuracy %.3f (%.3f to %.3f), macro-F1 %.3f; "
        "TF-IDF %.3f, majority %.3f",
        f"{metrics['n']:,}",
        metrics["accuracy"],
        *metrics["accuracy_interval"],
        metrics["macro_f1"],
        metrics["baselines"]["tfidf"]["accuracy"],
        metrics["baselines"]["majority"]["accuracy"],
    )
    if without := metrics["twins_in_training"]["without"]:
        logger.info(
            "Without the %s that have a twin in training: accuracy %.3f (%.3f to %.3f)",
            f"{metrics['twins_in_training']['posts']:,}",
            without["accuracy"],
            *without["accuracy_interval"],
        )


def _calibration(predictions: Frame, fusion_model: SentimentClassifier, bins: int) -> Json:
    """Compare confidence with accuracy, with the fitted temperature and without."""
    import numpy as np

    from multimodal_sentiment.assessment import expected_calibration_error, reliability, softmax

    labels, temperature = list(fusion_model.labels), fusion_model.config.calibration_temperature
    true = np.array([labels.index(tag) for tag in predictions["tag"]])
    after = predictions[[f"p_{label}" for label in labels]].to_numpy()
    before = softmax(predictions[[f"logit_{label}" for label in labels]].to_numpy())

    def summarise(probabilities: np.ndarray) -> Json:
        table = reliability(probabilities, true, bins)
        return {
            "expected_calibration_error": expected_calibration_error(probabilities, true, bins),
            "bins": table.astype(object).where(table.notna(), None).to_dict("records"),
        }

    return {
        "temperature": temperature,
        "before": summarise(before),
        "after": summarise(after),
    }

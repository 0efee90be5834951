"""The report: one page that needs nothing else, neither a network nor a script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from . import charts
from .caveats import Caveat
from .gallery import Answer
from .key_points import advise_confidence, describe_photo, find_key_points, find_verdict
from .names import name_baselines
from .templating import listed, render
from .weakest import describe_weakest


def write_page(
    *,
    data: str,
    metrics: Mapping[str, Any],
    test: Mapping[str, Any] | None = None,
    ingestion: Mapping[str, Any],
    model: Mapping[str, str],
    split: Mapping[str, Mapping[str, int]],
    predictions: pd.DataFrame,
    posts: pd.DataFrame,
    history: pd.DataFrame,
    wrong: Sequence[Answer],
    right: Sequence[Answer],
    doubts: Sequence[Caveat],
) -> str:
    """Write the report of a training run.

    Args:
        data: The name of the posts.
        metrics: The metrics as the evaluation writes them.
        test: The metrics of the posts to be predicted, if some of them carry a tag.
        ingestion: The ingestion report of the labelled posts.
        model: The description of the model, by `describe_model`.
        split: Posts of each label among the training and the validation posts.
        predictions: The predictions of the validation posts: `tag, predicted, confidence`, and of a
            model of text and image `text_contribution, image_contribution, decided_by`.
        posts: All labelled posts: `tag, text_length, original_width, original_height`.
        history: The history of the training.
        wrong: The wrong answers that are shown.
        right: The right ones.
        doubts: By `find_caveats`.

    Returns:
        HTML that asks for nothing from any network.
    """
    labels = list(metrics["per_class"])
    matrix = _matrix(predictions, labels)
    is_right = predictions["tag"] == predictions["predicted"]
    modalities, contributions = _modalities(metrics), charts.contributions(predictions)
    corrections = metrics["protocol"].get("corrections") or {"posts": 0}
    return render(
        "report.html",
        data_name=data,
        purpose=_purpose(model),
        metrics=metrics,
        test=test,
        ingestion=ingestion,
        model=model,
        split=split,
        styles=charts.label_styles(labels),
        verdict=find_verdict(metrics),
        points=find_key_points(metrics, matrix, split["training"], data),
        scores=_scores(metrics, test),
        doubts=doubts,
        sections=_sections(
            has_photo=bool(modalities or contributions),
            corrected=bool(corrections["posts"]),
            tested=bool(test),
        ),
        weakest=describe_weakest(matrix, metrics),
        matrix=matrix,
        slices=_slices(metrics),
        modalities=modalities,
        photo_helps=describe_photo(metrics),
        contributions=contributions,
        advice=advise_confidence(metrics),
        confidence=_confidence(metrics, predictions, is_right),
        corrections=corrections,
        corrected=_corrected(metrics),
        wrong=wrong,
        explained=sum(bool(answer.explanation) for answer in (*wrong, *right)),
        wrong_in_all=int((~is_right).sum()),
        right=right,
        data=_data(posts),
        training=charts.training_curves(history),
        baseline_names=name_baselines(metrics["baselines"]),
    )


def _purpose(model: Mapping[str, str]) -> str:
    """Say what the model does with a post."""
    reads = [
        said
        for said, does in (
            ("reads its text", "text" in model["looks at"]),
            ("counts its words", "counted words" in model),
            ("looks at its photo", "image" in model["looks at"]),
        )
        if does
    ]
    return listed(reads)


def _scores(metrics: Mapping[str, Any], test: Mapping[str, Any] | None) -> list[charts.DotPlot]:
    """Show the model's scores, large, above those of the baselines."""
    names = name_baselines(metrics["baselines"])
    tested = [(f"this model, on {test['n']:,} test posts", test, "first")] if test else []
    simple = [(names[name], baseline, "") for name, baseline in metrics["baselines"].items()]
    return charts.score_plots([("this model", metrics, "main"), *tested, *simple])


def _corrected(metrics: Mapping[str, Any]) -> list[charts.DotPlot]:
    """Show the scores under either tags, where tags of validation posts were corrected."""
    if "corrected" not in metrics:
        return []
    rows = [("original tags", metrics, ""), ("corrected tags", metrics["corrected"], "")]
    return charts.score_plots(rows)


def _sections(*, has_photo: bool, corrected: bool, tested: bool) -> list[tuple[str, str]]:
    return [
        # By the headings that the templates give them.
        ("answers", "In short"),
        ("doubts", "What to distrust"),
        ("fails", "Where it fails"),
        *([("photo", "Text and photo")] if has_photo else []),
        ("confidence", "How far its confidence can be trusted"),
        *([("corrections", "Corrected tags")] if corrected else []),
        *([("test", "Test posts")] if tested else []),
        ("wrong", "Wrong answers"),
        ("data", "What it was trained on"),
        ("training", "How it was trained"),
        ("protocol", "Protocol"),
        ("terms", "Terms"),
    ]


def _matrix(predictions: pd.DataFrame, labels: list[str]) -> dict[str, dict[str, int]]:
    """Count posts by true tag, and of these by predicted tag."""
    counts = predictions.groupby(["tag", "predicted"]).size().to_dict()
    return {true: {said: int(counts.get((true, said), 0)) for said in labels} for true in labels}


def _slices(metrics: Mapping[str, Any]) -> list[tuple[str, charts.DotPlot]]:
    """Return the accuracy on parts of the posts, beside that on all and that of a baseline."""
    names = name_baselines(metrics["baselines"])
    best = max(names, key=lambda name: metrics["baselines"][name]["accuracy"])
    accuracies = {name: scores["accuracy"] for name, scores in metrics["baselines"].items()}

    def note(posts: int, baselines: Mapping[str, float]) -> str:
        simple = f"; {names[best]}: {baselines[best]:.1%}" if best in baselines else ""
        return f"{posts:,} posts{simple}"

    whole = charts.Estimate(
        "all posts",
        metrics["accuracy"],
        metrics["accuracy_interval"],
        note(metrics["n"], accuracies),
    )
    made = []
    for what, parts in (
        ("posts", metrics.get("parts", {})),
        ("script of the text", metrics.get("scripts", {})),
    ):
        if parts and (what == "posts" or len(parts) > 1):
            estimates = [
                charts.Estimate(
                    name,
                    part["accuracy"],
                    part["accuracy_interval"],
                    note(part["n"], part.get("baselines", {})),
                    "first",
                )
                for name, part in parts.items()
            ]
            made.append((what, charts.dot_plot("accuracy", [whole, *estimates])))
    return made


def _modalities(metrics: Mapping[str, Any]) -> charts.DotPlot | None:
    """Draw what hiding the photo, or the text, costs the model."""
    modalities = metrics.get("modalities")
    if not modalities:
        return None
    names = {"text_alone": "without its photos", "image_alone": "without its texts"}
    whole = charts.Estimate(
        "everything", metrics["accuracy"], metrics["accuracy_interval"], style="first"
    )
    hidden = [
        charts.Estimate(name, modalities[view]["score"], modalities[view]["score_interval"])
        for view, name in names.items()
    ]
    return charts.dot_plot("accuracy", [whole, *hidden])


def _confidence(
    metrics: Mapping[str, Any], predictions: pd.DataFrame, is_right: pd.Series[bool]
) -> list[charts.Chart]:
    made = []
    if metrics.get("abstention"):
        made.append(charts.coverage(metrics["abstention"]))
    made += [
        charts.reliability(metrics["calibration"]),
        charts.confidences(predictions["confidence"], is_right),
    ]
    return made


def _data(posts: pd.DataFrame) -> list[charts.Chart]:
    made = [
        charts.text_lengths(posts["text_length"], posts["tag"]),
        charts.image_sizes(posts["original_width"], posts["original_height"]),
    ]
    return [chart for chart in made if chart]

"""What was learnt."""

from __future__ import annotations

import pandas as pd

from .axes import count_axis, linear_axis, log_axis
from .canvas import Canvas, Chart

_STYLES = ("first", "second", "third", "fourth")
_LOSSES = {"train_loss": "training posts", "tuning_loss": "tuning posts"}
_SCORES = {"tuning_accuracy": "accuracy", "tuning_macro_f1": "macro-F1"}


def training_curves(history: pd.DataFrame) -> list[Chart]:
    """Draw what was tried, and what of it was kept.

    Args:
        history: One row an epoch, or one row for each voice and strength of regularisation, as
            `kedro_viz.learning_curves` takes it.
    """
    if history.empty:
        return []
    if "strength" in history:
        return [_regularisation(history)]
    return [
        _epochs(history, _LOSSES, "Loss over the epochs", "loss (nats)"),
        _epochs(history, _SCORES, "Scores on tuning posts", "score"),
    ]


def member_curves(title: str, history: pd.DataFrame) -> Chart | None:
    """Draw the loss of every training of a variant, a thin line each.

    Args:
        title: The name of the variant.
        history: The same as for `training_curves`, with the columns `seed` and `fold`.
    """
    own = history.dropna(axis=1, how="all")
    is_solved = "strength" in own
    x, y = ("strength", "log_loss") if is_solved else ("epoch", "tuning_loss")
    if own.empty or y not in own:
        return None
    room = 0.05 * (own[y].max() - own[y].min()) or 0.01
    across = (
        log_axis(own[x].min(), own[x].max(), "freedom of the head (inverse of the penalty)")
        if is_solved
        else count_axis(own[x].min(), own[x].max(), "epoch")
    )
    unit = "log loss out of fold (nats)" if is_solved else "loss on tuning posts (nats)"
    canvas = Canvas(across, linear_axis(own[y].min() - room, own[y].max() + room, unit))
    own = own if is_solved else own.assign(voice="loss")
    styles = dict(zip(own["voice"].unique(), _STYLES, strict=False))
    for (voice, _, _), curve in own.groupby(["voice", "seed", "fold"], sort=False):
        style = styles.get(str(voice), "neither")
        canvas.line(curve[x], curve[y], f"line thin {style}")
        kept = curve[curve["chosen"].astype(bool)]
        canvas.points(kept[x], kept[y], f"small {style}")
    trainings = len(own[["seed", "fold"]].drop_duplicates())
    count = "one training" if trainings == 1 else f"{trainings} trainings"
    return canvas.chart(
        title,
        f"{count.capitalize()}; the dot is what was kept.",
        f"Losses of {count} of the variant {title}.",
        [(style, str(voice)) for voice, style in styles.items()] if is_solved else [],
    )


def _epochs(history: pd.DataFrame, columns: dict[str, str], title: str, unit: str) -> Chart:
    epochs = history["epoch"].tolist()
    values = history[list(columns)].to_numpy()
    is_loss = columns is _LOSSES
    low, high = (0.0, float(values.max()) * 1.05) if is_loss else (0.0, 1.0)
    write = "{:g}".format if is_loss else "{:.0%}".format
    canvas = Canvas(
        count_axis(min(epochs), max(epochs), "epoch"), linear_axis(low, high, unit, write)
    )
    kept = history.loc[history["chosen"].astype(bool), "epoch"].tolist()
    for epoch in kept:
        canvas.rule(epoch, "limit", [f"kept: epoch {epoch}"])
    for (column, _), style in zip(columns.items(), _STYLES, strict=False):
        canvas.line(epochs, history[column], f"line {style}")
        canvas.points(epochs, history[column], style)
    last = history.iloc[-1]
    said = ", ".join(f"{name} {last[column]:.3f}" for column, name in columns.items())
    return canvas.chart(
        title,
        "The tuning posts chose the epoch that was kept.",
        f"{title}: in the last of {len(epochs)}, {said}.",
        list(zip(_STYLES, columns.values(), strict=False)),
    )


def _regularisation(history: pd.DataFrame) -> Chart:
    """Draw the loss of each voice's head, out of fold, over the strengths that were tried."""
    strengths, losses = history["strength"], history["log_loss"]
    room = 0.05 * (losses.max() - losses.min()) or 0.01
    canvas = Canvas(
        log_axis(strengths.min(), strengths.max(), "freedom of the head (inverse of the penalty)"),
        linear_axis(losses.min() - room, losses.max() + room, "log loss (nats)", "{:g}".format),
    )
    legend, voices = [], set(history["voice"])
    for (voice, tried), style in zip(history.groupby("voice", sort=False), _STYLES, strict=False):
        canvas.line(tried["strength"], tried["log_loss"], f"line {style}")
        canvas.points(tried["strength"], tried["log_loss"], f"small {style}")
        kept = tried[tried["chosen"].astype(bool)]
        for row in kept.to_dict("records"):
            hint = f"{voice}: {row['strength']:g} kept, accuracy {row['accuracy']:.1%}"
            canvas.points([row["strength"]], [row["log_loss"]], f"large {style}", hint)
        legend.append((style, f"{voice} (kept: {kept['strength'].iloc[0]:g})"))
    counted = " “words” is the head of the words that are counted." if "words" in voices else ""
    return canvas.chart(
        "How freely each head may learn",
        "Folds of the training posts chose the lowest point of each curve, the large dot."
        + counted,
        "Log loss out of fold over strengths of regularisation: "
        + ", ".join(name for _, name in legend)
        + ".",
        legend,
    )

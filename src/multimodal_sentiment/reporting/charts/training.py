"""What was learnt."""

from __future__ import annotations

import pandas as pd

from .axes import count_axis, linear_axis, log_axis
from .canvas import Chart

_STYLES = ("first", "second", "third", "fourth")
_LOSSES = {"train_loss": ("training posts", "first"), "tuning_loss": ("tuning posts", "second")}
_SCORES = {"tuning_accuracy": ("accuracy", "third"), "tuning_macro_f1": ("macro-F1", "fourth")}
_RATE = {"learning_rate": ("learning rate", "fifth")}


def training_curves(history: pd.DataFrame) -> list[Chart]:
    """Draw what was tried, and what of it was kept.

    Args:
        history: One row an epoch: `epoch`, `train_loss`, `tuning_loss`, `tuning_accuracy`,
            `tuning_macro_f1`, `learning_rate`, and `chosen`, true of the epoch that was kept. Of
            heads that were solved one row for each voice and strength of regularisation: `voice`,
            `strength`, `log_loss`, `accuracy`, and `chosen`.
    """
    if history.empty:
        return []
    if "strength" in history:
        return [_regularisation(history)]
    return [
        _epochs(history, _LOSSES, "Loss over the epochs", "loss (nats)"),
        _epochs(history, _SCORES, "Scores on tuning posts", "score", are_shares=True),
        _epochs(history, _RATE, "Learning rate", "rate"),
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
    chart = Chart(across, linear_axis(own[y].min() - room, own[y].max() + room, unit))
    own = own if is_solved else own.assign(voice="loss")
    styles = dict(zip(own["voice"].unique(), _STYLES, strict=False))
    for (voice, _, _), curve in own.groupby(["voice", "seed", "fold"], sort=False):
        style = styles.get(str(voice), "neither")
        chart.line(curve[x], curve[y], f"line thin {style}")
        kept = curve[curve["chosen"].astype(bool)]
        chart.points(kept[x], kept[y], f"small {style}")
    trainings = len(own[["seed", "fold"]].drop_duplicates())
    count = "one training" if trainings == 1 else f"{trainings} trainings"
    return chart.described(
        title,
        f"{count.capitalize()}; the dot is what was kept.",
        f"Losses of {count} of the variant {title}.",
        [(style, str(voice)) for voice, style in styles.items()] if is_solved else [],
    )


def _epochs(
    history: pd.DataFrame,
    columns: dict[str, tuple[str, str]],
    title: str,
    unit: str,
    *,
    are_shares: bool = False,
) -> Chart:
    """Draw columns of the history, each by its name and style, over the epochs."""
    epochs = history["epoch"].tolist()
    most = 1.0 if are_shares else 1.05 * float(history[list(columns)].to_numpy().max())
    write = ("{:.0%}" if are_shares else "{:g}").format
    chart = Chart(
        count_axis(min(epochs), max(epochs), "epoch"), linear_axis(0.0, most, unit, write)
    )
    for epoch in history.loc[history["chosen"].astype(bool), "epoch"]:
        chart.rule(epoch, "limit", [f"kept: epoch {epoch}"])
    for column, (_, style) in columns.items():
        chart.line(epochs, history[column], f"line {style}")
        chart.points(epochs, history[column], style)
    last = history.iloc[-1]
    said = ", ".join(f"{name} {last[column]:.3g}" for column, (name, _) in columns.items())
    return chart.described(
        title,
        "The tuning posts chose the epoch that was kept.",
        f"{title}: in the last of {len(epochs)}, {said}.",
        [(style, name) for name, style in columns.values()],
    )


def _regularisation(history: pd.DataFrame) -> Chart:
    """Draw the loss of each voice's head, out of fold, over the strengths that were tried."""
    strengths, losses = history["strength"], history["log_loss"]
    room = 0.05 * (losses.max() - losses.min()) or 0.01
    chart = Chart(
        log_axis(strengths.min(), strengths.max(), "freedom of the head (inverse of the penalty)"),
        linear_axis(losses.min() - room, losses.max() + room, "log loss (nats)", "{:g}".format),
    )
    legend, voices = [], set(history["voice"])
    for (voice, tried), style in zip(history.groupby("voice", sort=False), _STYLES, strict=False):
        chart.line(tried["strength"], tried["log_loss"], f"line {style}")
        chart.points(tried["strength"], tried["log_loss"], f"small {style}")
        kept = tried[tried["chosen"].astype(bool)]
        for row in kept.to_dict("records"):
            hint = f"{voice}: {row['strength']:g} kept, accuracy {row['accuracy']:.1%}"
            chart.points([row["strength"]], [row["log_loss"]], f"large {style}", hint)
        legend.append((style, f"{voice} (kept: {kept['strength'].iloc[0]:g})"))
    counted = " “words” is the head of the words that are counted." if "words" in voices else ""
    return chart.described(
        "How freely each head may learn",
        "Folds of the training posts chose the lowest point of each curve, the large dot."
        + counted,
        "Log loss out of fold over strengths of regularisation: "
        + ", ".join(name for _, name in legend)
        + ".",
        legend,
    )

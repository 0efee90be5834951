"""What was learnt."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from .theme import BLUE, GREEN, GREY, ORANGE, VERMILLION, figure, nothing, panels

_CURVES = {
    "train_loss": ("training loss", BLUE, 1, 1),
    "tuning_loss": ("tuning loss", VERMILLION, 1, 1),
    "tuning_accuracy": ("tuning accuracy", GREEN, 1, 2),
    "tuning_macro_f1": ("tuning macro F1", ORANGE, 1, 2),
    "learning_rate": ("learning rate", GREY, 2, 1),
}
_FEW_EPOCHS = 12


def learning_curves(history: pd.DataFrame) -> go.Figure:
    """Show losses, tuning scores and learning rate over the epochs.

    Args:
        history: One row an epoch: `epoch`, `train_loss`, `tuning_loss`, `tuning_accuracy`,
            `tuning_macro_f1`, `learning_rate`, and `chosen`, true of the epoch that was kept. Of
            heads that were solved one row for each voice and strength of regularisation: `voice`,
            `strength`, `log_loss`, `accuracy`, and `chosen`.
    """
    if history.empty:
        return nothing("Learning curves", "No epoch was trained.")
    if "strength" in history:
        return _regularisation(history)
    made = panels(
        "Learning curves",
        2,
        2,
        specs=[[{}, {}], [{"colspan": 2}, None]],
        row_heights=[0.74, 0.26],
        horizontal_spacing=0.13,
        vertical_spacing=0.16,
    )
    epochs = history["epoch"].tolist()
    for column, (name, colour, row, place) in _CURVES.items():
        made.add_scatter(
            x=epochs,
            y=history[column].tolist(),
            name=name,
            showlegend=column != "learning_rate",
            mode="lines+markers",
            marker={"color": colour, "size": 5},
            line={"color": colour, "width": 2},
            row=row,
            col=place,
        )
    kept = history.loc[history["chosen"].astype(bool), "epoch"].tolist()
    for epoch in kept:
        made.add_vline(x=epoch, line={"color": GREY, "dash": "dot", "width": 1})
    made.update_yaxes(title_text="loss (nats)", rangemode="tozero", row=1, col=1)
    made.update_yaxes(title_text="score", tickformat=".0%", row=1, col=2)
    made.update_yaxes(title_text="rate", rangemode="tozero", tickformat="~e", nticks=3, row=2)
    whole = {"dtick": 1} if len(epochs) <= _FEW_EPOCHS else {}  # no epoch 1.5
    made.update_xaxes(range=[min(epochs) - 0.5, max(epochs) + 0.5], **whole)
    made.update_xaxes(matches="x3", row=1)
    made.update_xaxes(title_text="epoch", row=2)
    title = f"Learning curves (kept: epoch {kept[0]})" if kept else "Learning curves"
    return made.update_layout(title_text=title, hovermode="x", margin={"t": 92})


def _regularisation(history: pd.DataFrame) -> go.Figure:
    """Show the loss of each voice's head, out of fold, over the strengths that were tried."""
    made = figure("How strongly the heads are regularised (chosen by folds of the training posts)")
    for (voice, tried), colour in zip(
        history.groupby("voice", sort=False), (BLUE, ORANGE, GREEN), strict=False
    ):
        chosen = tried["chosen"].astype(bool)
        made.add_scatter(
            x=tried["strength"].tolist(),
            y=tried["log_loss"].tolist(),
            customdata=tried["accuracy"].tolist(),
            hovertemplate="%{x}: %{y:.3f} nats, accuracy %{customdata:.1%}",
            name=f"{voice} (chosen: {tried.loc[chosen, 'strength'].iloc[0]:g})",
            mode="lines+markers",
            marker={"color": colour, "size": [11 if kept else 6 for kept in chosen]},
            line={"color": colour, "width": 2},
        )
    made.update_xaxes(type="log", title_text="inverse strength of the penalty", dtick=1)
    made.update_yaxes(title_text="log loss out of fold (nats)")
    return made.update_layout(margin={"t": 92})

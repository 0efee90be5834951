"""How this project's commands are started here, as messages name them."""

from __future__ import annotations

from pathlib import Path

import click

MODULE = "python -m multimodal_sentiment"


def run_command() -> str:
    """Return how a run is started."""
    return MODULE if is_module() else "kedro run"


def own_command(name: str) -> str:
    """Return how another command is started, as in `kedro promote`."""
    return f"{MODULE if is_module() else 'kedro'} {name}"


def is_module() -> bool:
    """Return whether the package is run as a module: where only the package is installed."""
    context = click.get_current_context(silent=True)
    if context is None:  # from Python: the package has a configuration where there is no project
        return (Path(__file__).parent / "conf").is_dir()
    return context.find_root().info_name == MODULE

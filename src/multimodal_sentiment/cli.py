"""This project's own commands, and Kedro's `run` with errors in one line."""

from __future__ import annotations

from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run


@click.group(name="kedro")
def cli() -> None:
    """Commands of this project."""


def run(**options: Any) -> Any:
    """Run a pipeline; say in one line what went wrong: the traceback is in the run's log."""
    from multimodal_sentiment.runs.errors import is_expected, one_line

    if kedro_run.callback is None:
        raise TypeError("kedro run has no callback")
    try:
        return kedro_run.callback(**options)
    except KeyboardInterrupt:
        raise click.exceptions.Exit(130) from None  # 128 + SIGINT, as shells have it
    except click.ClickException:
        raise
    except Exception as error:
        if not is_expected(error):
            raise
        notes = getattr(error, "__notes__", [one_line(error)])
        raise click.ClickException(notes[-1]) from error


cli.add_command(click.Command("run", params=kedro_run.params, callback=run, help=kedro_run.help))

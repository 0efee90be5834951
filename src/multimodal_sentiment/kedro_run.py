"""Kedro's command `run`, with the project's own reading of its options and errors in one line."""

from __future__ import annotations

from copy import copy
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.utils import load_obj
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from multimodal_sentiment.hooks import PROJECT_HOOKS
from multimodal_sentiment.runs.error_lines import errors_in_one_line
from multimodal_sentiment.runs.runtime_parameters import ParamsOption, read_params
from multimodal_sentiment.wording import one_line

PARAMS = ParamsOption(
    ["--params"],
    type=click.UNPROCESSED,
    multiple=True,
    callback=read_params,
    help="Parameters of this run: KEY=VALUE,KEY=VALUE.",
)
_OPTIONS = {option.name: option for option in kedro_run.params}


def _run(**options: Any) -> Any:
    """Run a pipeline; say in one line what went wrong: the traceback is in the run's log."""
    if kedro_run.callback is None:
        raise TypeError("kedro run has no callback")
    _check_runner(options["runner"])
    PROJECT_HOOKS[0].has_ended = False
    try:
        with errors_in_one_line():
            return kedro_run.callback(**options)
    except KeyboardInterrupt:
        if not (PROJECT_HOOKS[0].end_all() or PROJECT_HOOKS[0].has_ended):
            click.echo("Interrupted before a run had begun: nothing is written", err=True)
        raise click.exceptions.Exit(130) from None  # 128 + SIGINT, as shells have it


def _check_runner(name: str | None) -> None:
    """Refuse a runner that there is not.

    Raises:
        click.ClickException: If that is so.
    """
    try:
        load_obj(name or "SequentialRunner", "kedro.runner")
    except (AttributeError, ImportError, ValueError) as error:
        raise click.ClickException(
            f"--runner={name}: {error}: choose of SequentialRunner, ThreadRunner, ParallelRunner"
        ) from error


def _read_config(context: click.Context, option: click.Parameter, given: str | None) -> Any:
    """Have Kedro take options from the section `run` of a file, whatever the command is called.

    Raises:
        click.ClickException: If it has no such section, or cannot be read.
    """
    read = _OPTIONS["config"].callback
    if read is None:
        raise TypeError("kedro run --config has no callback")
    name, context.info_name = context.info_name, "run"
    try:
        return read(context, option, given)
    except (YAMLError, OmegaConfBaseException, OSError, ValueError) as error:
        raise click.ClickException(f"--config={given} cannot be read: {one_line(error)}") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise click.ClickException(f"--config={given} has no options in a section run") from error
    finally:
        context.info_name = name


_config = copy(_OPTIONS["config"])
_config.callback = _read_config
run = click.Command(
    "run",
    params=[*(_OPTIONS | {"config": _config, "params": PARAMS}).values()],
    callback=_run,
    help=kedro_run.help,
)

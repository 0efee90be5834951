"""The options of `kedro serve`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from .limits import Limits

_DEFAULTS = Limits()
_MORE_THAN_0 = click.FloatRange(min=0, min_open=True)
_COUNT = click.IntRange(min=1)


def _limit(name: str, kind: click.ParamType[Any], text: str) -> Callable[..., Any]:
    default = getattr(_DEFAULTS, name)
    return click.option(
        f"--{name.replace('_', '-')}", type=kind, default=default, show_default=True, help=text
    )


_OPTIONS = [
    click.option(
        "--host",
        default="127.0.0.1",
        show_default=True,
        help="Where to listen; beyond this machine only with --token-file.",
    ),
    click.option(
        "--port",
        type=click.IntRange(0, 65535),
        default=8000,
        show_default=True,
        help="0 takes a free one.",
    ),
    click.option(
        "--token-file",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="A file with a token: clients send it as Authorization: Bearer TOKEN.",
    ),
    click.option(
        "--allow-host",
        "names",
        multiple=True,
        metavar="NAME",
        help="What clients call this machine, if not localhost or --host; may be given repeatedly.",
    ),
    _limit("max_megabytes", _MORE_THAN_0, "Of a request's body."),
    _limit("max_megapixels", _MORE_THAN_0, "Of an image."),
    _limit("max_posts", _COUNT, "Of a request."),
    _limit("max_queue", _COUNT, "Posts of all requests that wait for an answer."),
    _limit("max_batch", _COUNT, "Posts that the model is given at once."),
    _limit(
        "batch_wait", click.FloatRange(min=0), "Seconds that it waits for images being decoded."
    ),
    _limit("timeout", _MORE_THAN_0, "Seconds for a request to come, and again for its answer."),
    click.option(
        "--threads", type=_COUNT, help="That decode images; as many as cores if not given."
    ),
    click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps."),
    click.option("--precision", default="auto", show_default=True, help="auto, fp32 or bf16."),
    click.option(
        "--ask-below",
        type=click.FloatRange(0, 1),
        default=0.6,
        show_default=True,
        help="The confidence under which the page says to ask a person.",
    ),
]


def service_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options; their names are the arguments of `server.serve`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command

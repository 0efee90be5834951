"""Parameters as they are written after `--params`: `KEY=VALUE,KEY=VALUE`.

Kedro's own reading cuts at every comma and takes every value for YAML: a list falls into pieces,
and the folder `2024_05` becomes the number 202405. Here a value ends where the next `KEY=` begins,
and a parameter whose values are text is taken as it stands.
"""

from __future__ import annotations

import re
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import click
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from multimodal_sentiment.config_loader import PLACES, parameter_names, put
from multimodal_sentiment.wording import one_line

# Of a value: what is quoted (at its beginning, or as an element of a list), else any character.
_VALUE = re.compile(
    r"""(?:(?<=[=\[{,:\s])(?:"[^"]*"|'[^']*')|(?!,\s*(?:[A-Za-z_][\w.-]*\s*=|$)).)*""", re.S
)
_KEY = re.compile(r"\s*([^=,]*?)\s*=")
_QUOTED = re.compile(r"""(["'])(.*)\1""", re.S)


class ParamsOption(click.Option):
    """`--params`, which may be given several times, or all at once in a configuration file."""

    def type_cast_value(self, ctx: click.Context, value: Any) -> Any:
        """Return texts to be read, or the mapping of a configuration file as it is."""
        if isinstance(value, dict):
            return value
        return super().type_cast_value(ctx, [value] if isinstance(value, str) else value)


def read_params(context: click.Context, option: click.Parameter, given: Any) -> dict[str, Any]:
    """Read the values of `--params`, as the callback of click.

    Args:
        context: The context of the command.
        option: The option.
        given: Its texts; or what a file that `--config` names holds, which is taken as it is.

    Returns:
        The parameters, as a tree.

    Raises:
        click.UsageError: If something has no value, cannot be read, or has two values.
    """
    if isinstance(given, dict):
        return given
    tree: dict[str, Any] = {}
    for text in given:
        _read_text(text, tree, context)
    return tree


def _read_text(given: str, tree: dict[str, Any], context: click.Context) -> None:
    position = 0
    while position < len(given):
        key = _KEY.match(given, position)
        if not key or not key[1]:
            raise click.UsageError(
                f"--params: {given[position:]!r} has no key and value: write KEY=VALUE,KEY=VALUE",
                context,
            )
        value = _VALUE.match(given, key.end())
        text = value[0] if value else ""
        _refuse_lost_parameter(key[1], text, context)
        try:
            put(tree, key[1].split("."), _read_value(key[1], text, context))
        except ValueError as error:
            raise click.UsageError(f"--params: {error}", context) from error
        position = key.end() + len(text) + 1  # the comma


def _refuse_lost_parameter(key: str, text: str, context: click.Context) -> None:
    """Refuse a value that ends in a parameter whose own value was not written with `=`.

    Raises:
        click.UsageError: If behind a comma stands a parameter's name, alone or before a colon.
    """
    from multimodal_sentiment.parameters import Parameters

    if text.startswith(("[", "{", '"', "'")):  # a comma or colon there is what it looks like
        return
    known = parameter_names(Parameters)
    for part in text.split(",")[1:]:
        name = part.partition(":")[0].strip()
        if name in known:
            raise click.UsageError(
                f"--params: {key}={text} names the parameter {name}, without a value: write "
                f"{name}=VALUE, or put quotes around the value of {key}",
                context,
            )


def _read_value(key: str, text: str, context: click.Context) -> Any:
    if _is_text(key):
        quoted = _QUOTED.fullmatch(text)
        if quoted:
            return quoted[2]
        if text == "null":
            return None
        is_home = key in PLACES and text.startswith("~")
        return str(Path(text).expanduser()) if is_home else text
    try:
        return OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))["value"]  # type: ignore[call-overload, index]
    except (YAMLError, OmegaConfBaseException) as error:
        reason = getattr(error, "problem", None) or one_line(error)
        raise click.UsageError(
            f"--params: {key}={text} cannot be read: {reason}", context
        ) from error


def _is_text(key: str) -> bool:
    """Return whether the values of a parameter are text, and no list or number."""
    from pydantic import BaseModel

    from multimodal_sentiment.parameters import Parameters

    kind: Any = Parameters
    for name in key.split("."):
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return False
        if name not in kind.model_fields:
            return False
        kind = kind.model_fields[name].annotation
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else [kind]
    return str in [get_args(it)[0] if get_origin(it) is Annotated else it for it in kinds]

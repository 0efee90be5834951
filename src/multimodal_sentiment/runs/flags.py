"""Options of the commands that messages advise: the same folders and parameters as the run had."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from multimodal_sentiment.config_loader import flatten

_FOLDERS = ("raw", "data")
_READING = (*_FOLDERS, "columns", "ingestion", "preparation")  # by which posts become examples
_NOT_OF_NEW_POSTS = ("columns.tag", "columns.split", "ingestion.layout")


def folders_flag(request: Mapping[str, Any]) -> str:
    """Return the options that a command needs to work on the same folders."""
    given = flatten(request["runtime_params"])
    return _env_flag(request) + _params_flag(
        (key, value) for key, value in given if key in _FOLDERS
    )


def all_flags(request: Mapping[str, Any], changes: Mapping[str, str] | None = None) -> str:
    """Return the options that make a command use the same folders and parameters.

    Args:
        request: The run that Kedro was asked for.
        changes: What differs all the same, by the parameter's name, as in `model.text.encoder`.
    """
    given = dict(flatten(request["runtime_params"])) | dict(changes or {})
    return _env_flag(request) + _params_flag(given.items())


def inference_flags(request: Mapping[str, Any], raw: str | None = None) -> str:
    """Return the options that inference needs to find and prepare posts as this run did.

    A model does not remember what the columns were called that it has learnt from, refuses images
    that were prepared otherwise, and the folders of one environment need not be those of another.

    Args:
        request: The run that Kedro was asked for.
        raw: New posts, which need no tags; None for the same.
    """
    given = flatten(request["runtime_params"] | ({"raw": raw} if raw else {}))
    return _env_flag(request) + _params_flag(
        (key, value)
        for key, value in given
        if key.split(".")[0] in _READING and not (raw and key in _NOT_OF_NEW_POSTS)
    )


def _env_flag(request: Mapping[str, Any]) -> str:
    return f" --env={request['env']}" if request["env"] else ""


def _params_flag(given: Iterable[tuple[str, Any]]) -> str:
    params = ",".join(f"{key}={'null' if value is None else value}" for key, value in given)
    return f" --params {shlex.quote(params)}" if params else ""

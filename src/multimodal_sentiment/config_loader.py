"""Configuration that is checked when it is read, by whatever command reads it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml
from kedro.config import AbstractConfigLoader, OmegaConfigLoader
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from multimodal_sentiment.wording import did_you_mean, one_line

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

# Kedro would search for files that fit a pattern, or fill in the name of a dataset.
NOT_IN_FOLDERS = "*?[]{}"
PLACES = ("raw", "data", "model_folder", "corrections")
SUFFIXES = (".yml", ".yaml", ".json")  # of what Kedro reads as configuration


# OmegaConf keeps for the whole process what `${globals:...}` and `${runtime_params:...}` stand for,
# and each of Kedro's loaders sets it: two runs in two threads would read each other's parameters.
_one_at_a_time = threading.RLock()


class ThreadSafeConfigLoader(OmegaConfigLoader):
    """Kedro's loader, of which several may be at work in a process."""

    def __init__(self, conf_source: str, *arguments: Any, **options: Any) -> None:
        with _one_at_a_time:
            super().__init__(conf_source, *arguments, **options)
        self._load_alone = partial(OmegaConfigLoader, conf_source, *arguments, **options)

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Load one kind of configuration."""
        with _one_at_a_time:
            if key in self.data or "_load_alone" not in vars(self):
                return super().__getitem__(key)
            config: dict[str, Any] = self._load_alone()[key]  # a new one sets all that it needs
            return config


class CheckedConfigLoader(ThreadSafeConfigLoader):
    """A loader that refuses parameters that `Parameters` refuses.

    A hook would not do: `kedro viz` runs none.
    """

    def __getitem__(self, key: str) -> dict[str, Any]:
        """Load one kind of configuration.

        Raises:
            click.ClickException: If it cannot be read, or parameters are wrong; a line each.
        """
        if key == "catalog":  # Kedro reads it first, and would stumble over such a folder
            with _one_at_a_time:
                _offer(self["parameters"])
                return self._read(key)
        return self._read(key)

    def _read(self, key: str) -> dict[str, Any]:
        if fault := _environment_fault(Path(self.conf_source), self.env):
            raise click.ClickException(fault)
        if key == "parameters" and (fault := pattern_fault(str(self.conf_source))):
            raise click.ClickException(fault)
        try:
            config: dict[str, Any] = super().__getitem__(key)
        except (yaml.YAMLError, OmegaConfBaseException) as error:
            raise click.ClickException(f"{key}: {one_line(error)}") from error
        if key == "parameters":
            from multimodal_sentiment.parameters import Parameters

            faults = check_parameters(config, Parameters)
            faults = faults or _place_faults(config)
            if faults:
                raise click.ClickException("\n".join(faults))
        return config


def own_configuration() -> Path:
    """Return the project's configuration: beside src in the repository, else in the package."""
    packaged = Path(__file__).parent / "conf"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "conf"


def _environment_fault(conf: Path, env: str | None) -> str | None:
    """Return that an environment is not there, if so, and which are."""
    if env is None or (conf / env).is_dir() or not conf.is_dir():
        return None
    names = sorted(path.name for path in conf.iterdir() if path.is_dir())
    meant = did_you_mean(env, names) or f"choose of {', '.join(names)}"
    return f"--env={env}, or KEDRO_ENV: there is no such environment: {meant}"


def _offer(parameters: Mapping[str, Any]) -> None:
    """Let the catalog read parameters, as in `${parameters:ingestion.links}`."""
    tree = OmegaConf.create(dict(parameters))
    OmegaConf.register_new_resolver("parameters", partial(OmegaConf.select, tree), replace=True)


def check_parameters(parameters: Mapping[str, Any], model: type[BaseModel]) -> list[str]:
    """Find what is wrong with parameters, a line each."""
    from pydantic import ValidationError

    try:
        model.model_validate(parameters)
    except ValidationError as error:
        return [describe_parameter_fault(fault, model) for fault in error.errors()]
    return []


def parameter_names(model: type[BaseModel]) -> set[str]:
    """Return the names of all parameters, as in `training.epochs`."""
    return {name for name, _ in flatten(_tree(model))}


def pattern_fault(folder: str) -> str | None:
    """Return why Kedro would not find what lies below a folder, by its name, if so."""
    if any(character in folder for character in NOT_IN_FOLDERS):
        return f"{folder} holds one of {' '.join(NOT_IN_FOLDERS)}: choose another folder"
    return None


def place_fault(place: str, anywhere: bool = False) -> str | None:
    """Return why a place cannot be what is meant, if so.

    Args:
        place: What was given.
        anywhere: Whether it may be an address.
    """
    if not place.strip():  # as of a variable that is not set in the shell: data=$OUT
        return "is empty: name a place, or leave it out"
    if place.startswith("~"):
        return f"{place} is not expanded in a file: write the whole path"
    if "://" in place and not anywhere:
        return f"{place} is an address, as only raw may be: name a place on this machine"
    return None


def _place_faults(parameters: Mapping[str, Any]) -> list[str]:
    given = {name: parameters[name] for name in PLACES if parameters[name] is not None}
    faults = {name: place_fault(place, anywhere=name == "raw") for name, place in given.items()}
    faults["data"] = faults["data"] or pattern_fault(given["data"])
    return [f"{name}: {fault}" for name, fault in faults.items() if fault]


def left_out(loader: AbstractConfigLoader) -> list[str]:
    """Name the files of the user's own environment if another takes its place."""
    if not isinstance(loader, OmegaConfigLoader) or loader.env in (None, loader.default_run_env):
        return []
    own = Path(loader.conf_source) / loader.default_run_env
    files = (path.relative_to(own) for path in own.rglob("*") if path.suffix in SUFFIXES)
    return sorted(map(str, files))


def flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name each leaf of a tree by its path, as in `training.epochs`."""
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def put(tree: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Put a value, or all leaves of one that is a tree itself, at its place in a tree.

    Args:
        tree: The tree, which is changed.
        path: The path of the value, as in `["training", "epochs"]`.
        value: The value.

    Raises:
        ValueError: If another value is there.
    """
    name, (*groups, last) = ".".join(map(str, path)), path
    level = tree
    for group in groups:
        level = level.setdefault(group, {})
        if not isinstance(level, dict):
            raise ValueError(f"{name} lies within {group}, which has a value already")
    if isinstance(value, Mapping) and isinstance(level.setdefault(last, {}), dict):
        for key, inner in value.items():
            put(tree, [*path, key], inner)
    elif level.setdefault(last, value) != value:
        raise ValueError(f"{name} has two values, {level[last]} and {value}")


def describe_parameter_fault(fault: ErrorDetails, model: type[BaseModel]) -> str:
    """Return in a line what is wrong with a parameter of a model."""
    name = ".".join(map(str, fault["loc"]))
    if fault["type"] == "value_error" and not name:  # of several parameters: it names them itself
        return str(fault["ctx"]["error"])
    if fault["type"] == "missing":
        return f"{name}: has no value"
    if fault["type"] == "extra_forbidden":
        return f"unknown parameter {name}{suggest(fault['loc'], model)}"
    if fault["type"] == "value_error":
        return f"{name}: {fault['ctx']['error']}"
    if fault["type"] in ("model_type", "dict_type"):
        return f"{name}: has parts, and no value of its own: set {_parts(fault['loc'], model)}"
    must = re.sub(r"^\w+ should", "must", fault["msg"])  # of an input, a list or a string
    must = re.split(", unable to| after validation", must)[0]
    return f"{name}: {must}, not {fault['input']!r}{_hint(fault)}"


def _hint(fault: ErrorDetails) -> str:
    """Say how a value is written that YAML has taken for another kind."""
    if fault["type"] == "list_type" and isinstance(fault["input"], str):
        return f": write [{fault['input']}]"
    if fault["type"] == "string_type" and isinstance(fault["input"], bool | int | float):
        return ": put quotes around it, if that is how YAML has read it"
    return ""


def _parts(loc: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """Return the names of the parameters within a group."""
    level: Any = _tree(model)
    for key in loc:
        level = (level or {}).get(str(key))
    prefix = ".".join(map(str, loc))
    return ", ".join(f"{prefix}.{name}" for name in level or ["..."])


def suggest(loc: tuple[int | str, ...], model: type[BaseModel]) -> str:
    """Return advice for a name that a model does not know, as in `: did you mean epochs?`."""
    *groups, key = map(str, loc)
    tree = _tree(model)
    level = tree
    for group in groups:
        level = level.get(group) or {}  # names below a free-form parameter are not known
    prefix = ".".join([*groups, ""])
    named_alike = [name for name, _ in flatten(tree) if name.split(".")[-1] == key]
    meant = (
        did_you_mean(key, level, prefix)
        or (named_alike and f"did you mean {' or '.join(named_alike)}?")
        or (level and f"choose of {', '.join(prefix + name for name in level)}")
        or did_you_mean(key, {name.split(".")[-1] for name, _ in flatten(tree)}, prefix)
    )
    return f": {meant}" if meant else ""


def _tree(model: type[BaseModel]) -> dict[str, Any]:
    """Return the names of a model's fields, a dictionary in place of each nested model."""
    from pydantic import BaseModel

    return {
        name: _tree(kind)
        if isinstance(kind := field.annotation, type) and issubclass(kind, BaseModel)
        else None
        for name, field in model.model_fields.items()
    }

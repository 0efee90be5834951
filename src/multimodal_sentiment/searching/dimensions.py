"""The parameters that a search tries, as its file names them.

The file is a tree like the parameters themselves. A leaf is a list of choices; a range, as in
`{low: 1.0e-4, high: 1.0e-2, log: true}`; or `{choices: [...]}`. Ranges and choices may have `when`,
which names values of other parameters under which alone the parameter is tried; elsewhere it stays
as it is configured. A leaf that is null is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeGuard

from pydantic import BaseModel, TypeAdapter, ValidationError

from multimodal_sentiment.parameters import Variant
from multimodal_sentiment.wording import did_you_mean

if TYPE_CHECKING:
    from optuna.trial import Trial

Value: TypeAlias = str | bool | int | float | None

_RANGE, _CHOICES, _WHEN = {"low", "high", "log", "step"}, {"choices"}, "when"
_MODALITY = "model.modality"
_MARKS = {"low", "high", "choices"}  # by which a leaf is told from a group
_NOT_TRIED = {
    "training.seed": "the best of several seeds is luck",
    "training.resume": "it changes no result",
}


class SpaceError(ValueError):
    """What is wrong with a space, a line for each fault."""


@dataclass(frozen=True)
class Dimension:
    """A parameter that is tried.

    Attributes:
        name: The path of the parameter, as in `training.class_weights`.
        choices: The values that are tried; none for a range.
        low: The lower end of a range.
        high: The upper end of a range.
        log: Whether a range is drawn from evenly on a logarithmic scale.
        step: The distance between the values of a range; None where all are tried.
        when: The values of other parameters under which it is tried; always if there are none.
    """

    name: str
    choices: tuple[Value, ...] = ()
    low: float = 0
    high: float = 0
    log: bool = False
    step: float | None = None
    when: tuple[tuple[str, tuple[Value, ...]], ...] = ()

    @property
    def modality(self) -> str | None:
        """The modality that the parameter is of, if it is of one."""
        parts = self.name.removeprefix("model.").removeprefix("training.learning_rate.").split(".")
        return parts[0] if parts[0] in ("text", "image") else None

    @property
    def ends(self) -> tuple[Value, ...]:
        """The choices, or the two ends of the range."""
        return self.choices or (self.low, self.high)

    def suggest(self, trial: Trial) -> Value:
        """Draw a value."""
        if self.choices:
            drawn: Value = trial.suggest_categorical(self.name, self.choices)
            return drawn
        if isinstance(self.low, int) and isinstance(self.high, int):
            step = int(self.step or 1)
            return trial.suggest_int(self.name, self.low, self.high, log=self.log, step=step)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log, step=self.step)

    def describe(self) -> str:
        """Return in words which values are tried."""
        if self.choices:
            words = ", ".join(map(in_words, self.choices))
        else:
            step = f" in steps of {self.step:g}" if self.step else ""
            words = f"{self.low:g} to {self.high:g}{' (logarithmic)' if self.log else ''}{step}"
        conditions = [
            f"{name} is {' or '.join(map(in_words, values))}" for name, values in self.when
        ]
        return words + (f", where {' and '.join(conditions)}" if conditions else "")


def read_dimensions(tree: Mapping[str, Any]) -> tuple[Dimension, ...]:
    """Read a space: its parameters, each after those that decide whether it is tried.

    Raises:
        SpaceError: If a parameter is unknown, a range empty, or a value wrong; a line for each.
    """
    faults: list[str] = []
    found = {}
    for name, leaf in _leaves(tree):
        if leaf is None:
            continue
        try:
            found[name] = _read_dimension(name, leaf)
        except ValueError as error:
            faults.append(f"search.space: {error}")
    if not found and not faults:
        faults.append("search.space: it is empty: name a parameter, as conf/base does")
    if faults:
        raise SpaceError("\n".join(faults))
    needs = {
        name: [
            other
            for other in (*(n for n, _ in one.when), *([_MODALITY] if one.modality else []))
            if other in found
        ]
        for name, one in found.items()
    }
    try:
        return tuple(found[name] for name in TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = ", ".join(error.args[1][1:])
        raise SpaceError(
            f'search.space: "when" of {circle} goes in a circle: leave one out'
        ) from error


def in_words(value: Value) -> str:
    """Return a value as a parameters file has it."""
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, Mapping) and not _MARKS & value.keys():
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _read_dimension(name: str, leaf: Any) -> Dimension:
    if reason := _NOT_TRIED.get(name):
        raise ValueError(f"{name} cannot be tried: {reason}")
    kind = _kind_of(name)
    given = dict(leaf) if isinstance(leaf, Mapping) else {"choices": leaf}
    when = _read_conditions(name, given.pop(_WHEN, None))
    allowed = _CHOICES if "choices" in given else _RANGE
    if unknown := sorted(given.keys() - allowed):
        names = ", ".join(sorted(allowed | {_WHEN}))
        raise ValueError(f"{name}: unknown key {unknown[0]!r}: choose of {names}")
    if "choices" not in given:
        return _read_range(name, given, kind, when)
    choices = given["choices"]
    if not isinstance(choices, list):
        raise ValueError(f"{name}: {choices!r} is no list of choices, and no range of low and high")
    if not choices:
        raise ValueError(f"{name}: it has no choices: name some, or leave it out with null")
    return Dimension(name, tuple(_checked(name, value, kind) for value in choices), when=when)


def _read_range(
    name: str,
    given: Mapping[str, Any],
    kind: TypeAdapter[Any],
    when: tuple[tuple[str, tuple[Value, ...]], ...],
) -> Dimension:
    if missing := {"low", "high"} - given.keys():
        raise ValueError(f"{name}: the range has no {missing.pop()}")
    low, high = (_number(name, _checked(name, given[end], kind)) for end in ("low", "high"))
    log, step = given.get("log", False), given.get("step")
    if not isinstance(log, bool):
        raise ValueError(f"{name}: log is true or false, not {log!r}")
    if step is not None:
        step = _number(f"{name}: step", step)
    if low > high:
        raise ValueError(f"{name}: the range is empty: low {low:g} is above high {high:g}")
    if log and low <= 0:
        raise ValueError(f"{name}: a logarithmic range begins above 0, not at {low:g}")
    if step is not None and (log or step <= 0):
        raise ValueError(f"{name}: a step is above 0, and in no logarithmic range: {step:g}")
    if step is not None and isinstance(low, int) and isinstance(high, int) and step != int(step):
        raise ValueError(f"{name}: the step of whole numbers is a whole number, not {step:g}")
    return Dimension(name, low=low, high=high, log=log, step=step, when=when)


def _number(name: str, value: Any) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{name}: {value!r} is no number: name choices, not a range")
    return value


def _read_conditions(name: str, when: Any) -> tuple[tuple[str, tuple[Value, ...]], ...]:
    if when is None:
        return ()
    if not isinstance(when, Mapping):
        raise ValueError(f'{name}: "when" names values of other parameters, not {when!r}')
    conditions = []
    for other, values in _leaves(when):
        kind = _kind_of(other)
        some = values if isinstance(values, list) else [values]
        checked = (_checked(f'{name}: "when" {other}', one, kind) for one in some)
        conditions.append((other, tuple(checked)))
    return tuple(conditions)


def _kind_of(name: str) -> TypeAdapter[Any]:
    """Return what a parameter may be.

    Raises:
        ValueError: If there is no such parameter, or it is a group of them.
    """
    level: type[BaseModel] = Variant
    *groups, last = name.split(".")
    for group in groups:
        inner = level.model_fields[group].annotation if group in level.model_fields else None
        if not _is_group(inner):
            raise _unknown(name)
        level = inner
    if last not in level.model_fields:
        raise _unknown(name)
    field = level.model_fields[last]
    if _is_group(field.annotation):
        inside = ", ".join(n for n in _all_names() if n.startswith(f"{name}."))
        raise ValueError(f"{name} is a group: choose of {inside}")
    kind: Any = Annotated[field.annotation, field]
    return TypeAdapter(kind)


def _is_group(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _all_names(level: type[BaseModel] = Variant, prefix: str = "") -> list[str]:
    names = []
    for name, field in level.model_fields.items():
        inner = field.annotation
        names += _all_names(inner, f"{prefix}{name}.") if _is_group(inner) else [prefix + name]
    return names


def _unknown(name: str) -> ValueError:
    advice = did_you_mean(name, _all_names()) or "it is none of model or training"
    return ValueError(f"unknown parameter {name}: {advice}")


def _checked(name: str, value: Any, kind: TypeAdapter[Any]) -> Value:
    try:
        checked: Value = kind.validate_python(value)
    except ValidationError as error:
        must = error.errors()[0]["msg"].replace("Input should be", "must be").partition(", una")[0]
        raise ValueError(f"{name}: {must}, not {value!r}") from error
    return checked

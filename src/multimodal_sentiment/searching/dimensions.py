"""The parameters that a search tries, as its file names them.

The file is a tree like the parameters themselves. A leaf is a list of choices; a range, as in
`{low: 1.0e-4, high: 1.0e-2, log: true}`; or `{choices: [...]}`. Ranges and choices may have `when`,
which names values of other parameters under which alone the parameter is tried; elsewhere it stays
as it is configured. A leaf that is null is left out.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias, TypeGuard

from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from multimodal_sentiment.config_loader import describe_parameter_fault, suggest
from multimodal_sentiment.parameters import Variant
from multimodal_sentiment.parameters.kinds import Group
from multimodal_sentiment.wording import one_line

if TYPE_CHECKING:
    from optuna.trial import Trial
    from pydantic.fields import FieldInfo

Value: TypeAlias = str | bool | int | float | None
Conditions: TypeAlias = tuple[tuple[str, tuple[Value, ...]], ...]

_MODALITY = "model.modality"
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
        values: The choices or the range that are drawn from.
        when: The values of other parameters under which it is tried; always if there are none.
    """

    name: str
    values: CategoricalDistribution | FloatDistribution | IntDistribution
    when: Conditions = ()

    @property
    def modality(self) -> str | None:
        """The modality that the parameter is of, if it is of one."""
        parts = self.name.removeprefix("model.").removeprefix("training.learning_rate.").split(".")
        return parts[0] if parts[0] in ("text", "image") else None

    @property
    def is_range(self) -> bool:
        """Whether values between two ends are tried."""
        return not isinstance(self.values, CategoricalDistribution)

    @property
    def ends(self) -> tuple[Value, ...]:
        """The choices, or the two ends of the range."""
        if isinstance(self.values, CategoricalDistribution):
            return self.values.choices
        return self.values.low, self.values.high

    def suggest(self, trial: Trial) -> Value:
        """Draw a value."""
        match self.values:
            case CategoricalDistribution(choices=choices):
                drawn: Value = trial.suggest_categorical(self.name, choices)
                return drawn
            case IntDistribution(low=low, high=high, log=log, step=step):
                return trial.suggest_int(self.name, low, high, log=log, step=step)
            case FloatDistribution(low=low, high=high, log=log, step=step):
                return trial.suggest_float(self.name, low, high, log=log, step=step)

    def describe(self) -> str:
        """Return in words which values are tried."""
        if isinstance(self.values, CategoricalDistribution):
            words = ", ".join(map(in_words, self.ends))
        else:
            words = f"{self.values.low:g} to {self.values.high:g}"
            words += " (logarithmic)" if self.values.log else ""
            every = 1 if isinstance(self.values, IntDistribution) else None
            words += "" if self.values.step == every else f" in steps of {self.values.step:g}"
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


class _Choices(Group):
    choices: Annotated[list[Any], Field(min_length=1)]
    when: Any = None


class _Range(Group):
    low: Any
    high: Any
    log: bool = False
    step: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    when: Any = None


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        name = f"{prefix}{key}"
        field = _field(name)
        if isinstance(value, Mapping) and field and _is_model(field.annotation):
            yield from _leaves(value, f"{name}.")
        else:
            yield name, value


def _read_dimension(name: str, leaf: Any) -> Dimension:
    if reason := _NOT_TRIED.get(name):
        raise ValueError(f"{name} cannot be tried: {reason}")
    kind = _kind_of(name)
    given = leaf if isinstance(leaf, Mapping) else {"choices": leaf}
    form = _Choices if "choices" in given else _Range
    try:
        read = form.model_validate(given)
    except ValidationError as error:
        raise ValueError(f"{name}: {describe_parameter_fault(error.errors()[0], form)}") from error
    if not isinstance(read.when or {}, Mapping):
        raise ValueError(f"{name}: when: must name values of others, not {read.when!r}")
    when = tuple(
        (other, _checked(other, some if isinstance(some, list) else [some], _kind_of(other)))
        for other, some in _leaves(read.when or {})
    )
    if isinstance(read, _Choices):
        values = _checked(name, read.choices, kind)
        return Dimension(name, CategoricalDistribution(values), when)
    return Dimension(name, _read_range(name, read, kind), when)


def _read_range(
    name: str, given: _Range, kind: TypeAdapter[Any]
) -> FloatDistribution | IntDistribution:
    low, high = _checked(name, [given.low, given.high], kind)
    if not {type(low), type(high)} <= {int, float} or math.inf in (low, high):
        raise ValueError(f"{name}: {low!r} to {high!r} are no numbers: name choices, not a range")
    step: Any = given.step
    if isinstance(low, int):
        (step,) = _checked(name, [1 if step is None else step], TypeAdapter(int))
    kind_of_range = IntDistribution if isinstance(low, int) else FloatDistribution
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an end that Optuna would move: it is refused below
        try:
            values = kind_of_range(low, high, given.log, step)
        except ValueError as error:
            raise ValueError(f"{name}: {one_line(error)}") from error
    if values.high != high:
        raise ValueError(
            f"{name}: steps of {step:g} from {low:g} do not end at {high:g}: "
            f"set high to {values.high:g}"
        )
    return values


def _field(name: str) -> FieldInfo | None:
    """Return what `Variant` says of a parameter or of a group of them; None if there is none."""
    level: Any = Variant
    field = None
    for key in name.split("."):
        field = level.model_fields.get(key) if _is_model(level) else None
        if field is None:
            return None
        level = field.annotation
    return field


def _is_model(kind: Any) -> TypeGuard[type[BaseModel]]:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _kind_of(name: str) -> TypeAdapter[Any]:
    """Return what a parameter may be.

    Raises:
        ValueError: If there is no such parameter, or it is a group of them.
    """
    field = _field(name)
    if field is None:
        raise ValueError(f"unknown parameter {name}{suggest(tuple(name.split('.')), Variant)}")
    if _is_model(field.annotation):
        inside = ", ".join(f"{name}.{part}" for part in field.annotation.model_fields)
        raise ValueError(f"{name} is a group: choose of {inside}")
    kind: Any = Annotated[field.annotation, field]
    return TypeAdapter(kind)


def _checked(name: str, values: list[Any], kind: TypeAdapter[Any]) -> tuple[Any, ...]:
    try:
        return tuple(kind.validate_python(value) for value in values)
    except ValidationError as error:
        fault = error.errors()[0]
        raise ValueError(describe_parameter_fault({**fault, "loc": (name,)}, Variant)) from error

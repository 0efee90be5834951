"""The space of a search: every setting that may be tried."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeAlias

from pydantic import ValidationError

from multimodal_sentiment.config_loader import describe_parameter_fault, flatten
from multimodal_sentiment.parameters import ModelParameters, TrainingParameters, Variant, vary

from .dimensions import Dimension, SpaceError, Value, read_dimensions

if TYPE_CHECKING:
    from optuna.trial import Trial

Values: TypeAlias = dict[str, Value]

_MOST_CHECKED = 4000  # combinations
# The parameters that decide which encoders a setting needs, and how they encode.
_OF_ENCODERS = ("model.", "training.learning_rate.text", "training.learning_rate.image")
_NOT_OF_ENCODERS = ("model.fusion.", "model.text.count_words")


@dataclass(frozen=True)
class Space:
    """The parameters that are tried, and those that they change.

    Attributes:
        dimensions: The parameters that are tried, each after those that decide whether it is: those
            of a modality where the model looks at it, others where their `when` holds.
        model: The architecture as it is configured.
        training: The training parameters as they are configured.
    """

    dimensions: tuple[Dimension, ...]
    model: ModelParameters
    training: TrainingParameters

    @classmethod
    def read(
        cls, tree: Mapping[str, Any], model: ModelParameters, training: TrainingParameters
    ) -> Space:
        """Read a space, and check that what it lets be drawn together can be trained.

        Raises:
            SpaceError: If something is wrong with it, a line for each fault.
        """
        space = cls(read_dimensions(tree), model, training)
        samples = space.samples()
        if all(values == space.tried_defaults() for values in samples):
            raise SpaceError("search.space: it holds the default alone: name other values")
        faults = dict.fromkeys(fault for values in samples for fault in space._faults(values))
        if faults:
            raise SpaceError("\n".join(f"search.space: {fault}" for fault in faults))
        return space

    def draw(self, trial: Trial) -> Values:
        """Draw a value for each parameter that is tried beside those drawn before it."""
        return next(self._combine(lambda dimension: [dimension.suggest(trial)]))

    def apply(self, values: Mapping[str, Value]) -> Variant:
        """Return the parameters with these values in place of the configured ones.

        Raises:
            ValidationError: If they do not go together.
        """
        return vary(self.model, self.training, as_tree(values))

    def encoder_settings(self) -> list[Variant]:
        """Return one variant for each way in which posts may be encoded, the default first."""
        conditions = {name for one in self.dimensions for name, _ in one.when}

        def matters(name: str) -> bool:
            encodes = name.startswith(_OF_ENCODERS) and not name.startswith(_NOT_OF_ENCODERS)
            return encodes or name in conditions or name == "model.fusion.kind"

        found: dict[str, Variant] = {}
        for values in [{}, *self._combine(lambda d: d.ends if matters(d.name) else d.ends[:1])]:
            try:
                variant = self.apply(values)
            except ValidationError:  # of which only the check of all combinations tells
                continue
            frozen = [not getattr(variant.training.learning_rate, m) for m in ("text", "image")]
            seen = variant.model.model_dump(exclude={"fusion": True, "text": {"count_words"}})
            found.setdefault(repr((seen, frozen)), variant)
        return list(found.values())

    def tried_defaults(self) -> Values:
        """Return what a trial would have drawn that were the default."""
        return next(self._combine(lambda dimension: [self.configured[dimension.name]]))

    @cached_property
    def configured(self) -> Values:
        """The configured value of each parameter."""
        return dict(
            flatten({"model": self.model.model_dump(), "training": self.training.model_dump()})
        )

    def samples(self) -> list[Values]:
        """Return all combinations of choices and ends of ranges; of very many, some at random."""
        combinations = list(islice(self._combine(lambda d: d.ends), _MOST_CHECKED + 1))
        if len(combinations) <= _MOST_CHECKED:
            return combinations
        rng = random.Random(0)  # noqa: S311 - nothing secret
        return [next(self._combine(lambda d: [rng.choice(d.ends)])) for _ in combinations]

    def _combine(self, values_of: Callable[[Dimension], Sequence[Value]]) -> Iterator[Values]:
        """Yield each way of giving some values to the parameters that are tried."""

        def extend(drawn: Values, rest: Sequence[Dimension]) -> Iterator[Values]:
            if not rest:
                yield drawn
                return
            known = self.configured | drawn
            seen = rest[0].modality is None or known["model.modality"] in ("both", rest[0].modality)
            if seen and all(known[name] in values for name, values in rest[0].when):
                for value in values_of(rest[0]):
                    yield from extend({**drawn, rest[0].name: value}, rest[1:])
            else:
                yield from extend(drawn, rest[1:])

        return extend({}, self.dimensions)

    def _faults(self, values: Values) -> Iterator[str]:
        try:
            variant = self.apply(values)
        except ValidationError as error:
            for fault in error.errors():
                said = describe_parameter_fault(fault, Variant)
                yield f'{said}; or say with "when" where each is tried'
            return
        rates = variant.training.learning_rate
        for dimension in self.dimensions:
            name, modality = dimension.name, dimension.name.split(".")[1]
            ranges = name in values and dimension.is_range and name.startswith("model.")
            if ranges and modality in ("text", "image") and not getattr(rates, modality):
                yield (
                    f"{name}: the features of a frozen encoder are computed for each value of it: "
                    "name choices, not a range"
                )


def as_tree(values: Mapping[str, Value]) -> dict[Any, Any]:
    """Return values as a parameters file has them, a group within the other."""
    tree: dict[Any, Any] = {}
    for name, value in values.items():
        *groups, last = name.split(".")
        level = tree
        for group in groups:
            level = level.setdefault(group, {})
        level[last] = value
    return tree

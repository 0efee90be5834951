"""What all parts need alike, such as a model: sent to each host once, and read by a worker once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import uuid4

from multimodal_sentiment.compute_parameters import ClusterParameters

Value = TypeVar("Value")

_KEPT = 2  # values that a worker holds
_kept: dict[str, Any] = {}


@dataclass(frozen=True)
class Shared(Generic[Value]):
    """A value that tasks can be given cheaply.

    Attributes:
        held: The value itself where it was shared in this process alone, else Ray's reference.
        key: What identifies it among those of a worker; empty where `held` is the value.
    """

    held: Any
    key: str = ""

    def get(self) -> Value:
        """Return the value; a worker keeps the last ones, so that one model is loaded once."""
        if not self.key:
            value: Value = self.held
            return value
        if self.key not in _kept:
            import ray

            while len(_kept) >= _KEPT:
                del _kept[next(iter(_kept))]
            _kept[self.key] = ray.get(self.held)
        kept: Value = _kept[self.key]
        return kept


def share(value: Value, cluster: ClusterParameters) -> Shared[Value]:
    """Return a value as the functions of `map_parts` should take it.

    The cluster must be open. What is shared must not be changed.
    """
    if not cluster.workers:
        return Shared(value)
    import ray

    return Shared(ray.put(value), uuid4().hex)

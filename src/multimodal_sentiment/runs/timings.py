"""Follows what each node of a run is doing, and how long it took."""

from __future__ import annotations

import logging
import os
from time import perf_counter
from typing import TYPE_CHECKING

from multimodal_sentiment.wording import duration

if TYPE_CHECKING:
    from kedro.pipeline import Pipeline
    from kedro.pipeline.node import Node

logger = logging.getLogger(__name__)


class NodeTimings:
    """Times nodes, from the loading of their first input to the saving of their last output.

    Attributes:
        seconds: The time that each finished node took.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self.seconds: dict[str, float] = {}
        self._unsaved = {node.name: set(node.outputs) for node in pipeline.nodes}
        self._began: dict[str, float] = {}
        self._doing: dict[str, tuple[str, str | None]] = {}  # in words, and what it loads
        self._failed: str | None = None
        self._process = os.getpid()

    def note(self, node: Node, words: str, loads: str | None = None) -> None:
        """Note that a node is about to load, run or save."""
        self._began.setdefault(node.name, perf_counter())
        self._doing[node.name] = words, loads

    def ran(self, node: Node) -> None:
        """Note that a node's function has returned."""
        if not node.outputs:
            self._finish(node.name)

    def saved(self, node: Node, dataset: str) -> None:
        """Note that a node's output is saved."""
        self._unsaved[node.name].discard(dataset)
        if not self._unsaved[node.name]:
            self._finish(node.name)

    def fail(self, node: Node) -> None:
        """Note that a node's function has raised."""
        self._failed = node.name

    def where(self) -> str:
        """Return the node that failed and what it was doing, as far as can be known."""
        if self._failed:
            return f"{self._failed}: "
        if len(self._doing) == 1:
            ((node, (words, _)),) = self._doing.items()
            return f"{node}, {words}: "
        return ""  # several were at work at once

    def loads(self) -> str | None:
        """Return the dataset that the only node at work loads, if it does."""
        loading = [loads for _, loads in self._doing.values()]
        return loading[0] if len(loading) == 1 and not self._failed else None

    def _finish(self, name: str) -> None:
        self._doing.pop(name, None)
        if name in self.seconds:
            return  # a generator's further chunk
        seconds = round(perf_counter() - self._began[name], 3)
        self.seconds[name] = seconds
        done = f"{len(self.seconds)}/{len(self._unsaved)} "
        if self._process != os.getpid():
            done = ""  # a worker process knows its own nodes only
        logger.info("%s%s: %s", done, name, duration(seconds))
